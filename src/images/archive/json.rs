//! The JSON of image layouts: the OCI image specification's index, manifest and configuration, and the list that
//! `docker save` writes.
//!
//! A key counts as it is spelled. Programs written in Go also take one that differs in case for it, and of two such
//! keys the last: so no object may have two (`distinct`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::distinct::DistinctKeys;
use crate::images::fault::ImageFault;

/// Bytes of one file.
pub const MOST_JSON: usize = 8 << 20;

/// A list of manifests: `index.json`, or one that it lists.
#[derive(Debug, Deserialize)]
pub struct ImageIndex {
    pub manifests: Vec<Descriptor>,
}

/// What refers to a blob.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: String,
    pub platform: Option<Platform>,
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Where a foreign layer would be fetched from.
    #[serde(default)]
    pub urls: Option<Vec<String>>,
}

/// What an image runs on.
#[derive(Debug, Clone, Deserialize)]
pub struct Platform {
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub variant: Option<String>,
}

/// The manifest of one image.
#[derive(Debug, Deserialize)]
pub struct ImageManifest {
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

/// The configuration of an image, as far as it tells of layers.
#[derive(Debug, Deserialize)]
pub struct ImageConfig {
    pub rootfs: ImageRootfs,
}

/// What the layers are when they are not packed.
#[derive(Debug, Deserialize)]
pub struct ImageRootfs {
    pub diff_ids: Vec<String>,
}

/// An image of `docker save`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SavedImage {
    pub config: String,
    #[serde(default)]
    pub repo_tags: Option<Vec<String>>,
    pub layers: Vec<String>,
}

/// Reads a file of this name.
pub fn read<T: DeserializeOwned>(text: &[u8], name: &str) -> Result<T, ImageFault> {
    let bad = |error: serde_json::Error| {
        ImageFault::Image(format!("{name} is not what it should be: {error}"))
    };
    serde_json::from_slice::<DistinctKeys>(text).map_err(bad)?;
    serde_json::from_slice(text).map_err(bad)
}

/// Is an image of this full name meant by a name? Docker's own registry is left away, and so is its library.
pub fn is_name(full: &str, name: &str) -> bool {
    let rest = full.strip_prefix("docker.io/");
    let short = rest.and_then(|rest| rest.strip_prefix("library/"));
    [Some(full), rest, short].contains(&Some(name))
}

/// Does a list of manifests stand here, and no manifest?
pub fn is_index(text: &[u8]) -> bool {
    serde_json::from_slice::<ImageIndex>(text).is_ok()
}

impl Descriptor {
    /// The digest without its algorithm. Only SHA-256 is known, and nothing else can be part of a path.
    pub fn hex(&self) -> Result<&str, ImageFault> {
        let hex = self.digest.strip_prefix("sha256:");
        let is_hex = |hex: &&str| {
            let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            hex.len() == 64 && hex.bytes().all(digits)
        };
        hex.filter(is_hex).ok_or_else(|| {
            let digest: String = self.digest.escape_default().take(100).collect();
            ImageFault::Image(format!("{digest} is no SHA-256 digest as images have it"))
        })
    }

    /// The name that the image was given, if it was.
    pub fn reference(&self) -> Option<&str> {
        let annotations = self.annotations.as_ref()?;
        let names = [
            "io.containerd.image.name",
            "org.opencontainers.image.ref.name",
        ];
        names
            .iter()
            .find_map(|name| annotations.get(*name))
            .map(String::as_str)
    }

    /// Any of its names.
    pub fn is_called(&self, name: &str) -> bool {
        let names = [
            "io.containerd.image.name",
            "org.opencontainers.image.ref.name",
        ];
        let annotations = self.annotations.iter().flatten();
        let mut all = annotations.filter(|(key, _)| names.contains(&key.as_str()));
        all.any(|(_, value)| is_name(value, name)) || self.digest == name
    }

    /// Is it no image, but what buildkit says of one?
    pub fn is_attestation(&self) -> bool {
        let unknown = self.platform.as_ref();
        let unknown = unknown.is_some_and(|it| it.os == "unknown" && it.architecture == "unknown");
        let annotations = self.annotations.iter().flatten();
        let mut all = annotations.filter(|(key, _)| *key == "vnd.docker.reference.type");
        unknown || all.any(|(_, value)| value == "attestation-manifest")
    }

    /// `linux/arm64/v8`, as `--platform` takes it.
    pub fn platform(&self) -> Option<String> {
        let Platform {
            os,
            architecture,
            variant,
        } = self.platform.as_ref()?;
        let variant = variant.as_deref().filter(|variant| !variant.is_empty());
        let variant = variant.map(|variant| format!("/{variant}"));
        Some(format!(
            "{os}/{architecture}{}",
            variant.unwrap_or_default()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Descriptor {
        serde_json::from_str(&format!(r#"{{"digest":"{text}"}}"#)).unwrap()
    }

    #[test]
    fn digests_are_no_paths() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert!(digest(&good).hex().is_ok());
        for bad in [
            "sha256:../../etc/passwd",
            "sha256:",
            &good[..70],
            "sha512:00",
            &good.to_uppercase(),
        ] {
            assert!(digest(bad).hex().is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_are_spelled_in_one_way() {
        let descriptor = r#"{"digest":"x"}"#;
        let manifest = |more: &str| {
            let text = format!(r#"{{"config":{descriptor},"layers":[]{more}}}"#);
            read::<ImageManifest>(text.as_bytes(), "a manifest").map(|read| read.layers.len())
        };
        assert_eq!(manifest(r#","schemaVersion":2"#).unwrap(), 0);
        for more in ["Layers", "layers", "LAYERS", "layer\u{17f}", "Config"] {
            let said = manifest(&format!(r#","{more}":[{descriptor}]"#));
            assert!(said.is_err(), "{more}");
        }
        assert!(read::<ImageIndex>(b"[]", "an index").is_err());
    }
}
