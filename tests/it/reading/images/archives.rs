//! Archives made block by block, so that they can be wrong in every way, and layouts made of them.

use std::io::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One header block, with a right sum.
pub struct Header<'a> {
    pub name: &'a [u8],
    pub kind: u8,
    pub size: &'a [u8],
    pub link: &'a [u8],
    pub mode: &'a [u8],
    pub form: &'a [u8],
}

pub const POSIX: &[u8] = b"ustar\x0000";
pub const GNU: &[u8] = b"ustar  \0";
pub const OLD: &[u8] = &[0; 8];

impl<'a> Header<'a> {
    /// Of a type, without content.
    pub fn of(kind: u8, name: &'a [u8]) -> Header<'a> {
        Header {
            name,
            kind,
            size: b"00000000000",
            link: b"",
            mode: b"0000644",
            form: POSIX,
        }
    }

    /// Its block.
    pub fn block(&self) -> Vec<u8> {
        let mut block = vec![0; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, self.name);
        put(100, self.mode);
        put(108, b"0000000");
        put(116, b"0000000");
        put(124, self.size);
        put(136, b"00000000005");
        put(148, b"        ");
        put(156, &[self.kind]);
        put(157, self.link);
        put(257, self.form);
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

/// A length as a header has it.
pub fn octal(size: usize) -> Vec<u8> {
    format!("{size:011o}").into_bytes()
}

/// Bytes, and zeros up to the end of a block.
pub fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut all = bytes.to_vec();
    all.resize(bytes.len().next_multiple_of(512), 0);
    all
}

/// An entry with content.
pub fn entry(kind: u8, name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = octal(content.len());
    let header = Header {
        size: &size,
        ..Header::of(kind, name)
    };
    [header.block(), padded(content)].concat()
}

/// A file.
pub fn file(name: &str, content: &[u8]) -> Vec<u8> {
    entry(b'0', name.as_bytes(), content)
}

/// A directory.
pub fn directory(name: &str) -> Vec<u8> {
    Header {
        mode: b"0000755",
        ..Header::of(b'5', name.as_bytes())
    }
    .block()
}

/// A symbolic or hard link.
pub fn link(kind: u8, name: &str, target: &str) -> Vec<u8> {
    Header {
        link: target.as_bytes(),
        ..Header::of(kind, name.as_bytes())
    }
    .block()
}

/// Records of an extended header, each with its own length in front.
pub fn records(all: &[(&str, &[u8])]) -> Vec<u8> {
    let one = |(key, value): &(&str, &[u8])| {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while rest + length.to_string().len() != length {
            length = rest + length.to_string().len();
        }
        let head = format!("{length} {key}=");
        [head.as_bytes(), value, b"\n"].concat()
    };
    all.iter().flat_map(one).collect()
}

/// An extended header.
pub fn pax(kind: u8, all: &[(&str, &[u8])]) -> Vec<u8> {
    entry(kind, b"px", &records(all))
}

pub const END: [u8; 1024] = [0; 1024];

/// Entries, and the end of the archive.
pub fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), END.to_vec()].concat()
}

/// The digest of bytes, without its algorithm.
pub fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Files of a layout, by their paths in it.
pub type Layout = Vec<(String, Vec<u8>)>;

/// What an image is made of.
pub struct Image<'a> {
    pub name: &'a str,
    pub platform: &'a str,
    /// As they were before they are packed.
    pub layers: &'a [Vec<u8>],
}

/// An OCI layout of some images; layers are packed by gzip.
pub fn oci_layout(images: &[Image<'_>]) -> Layout {
    let mut files: Layout = vec![(
        "oci-layout".into(),
        br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
    )];
    let mut blob = |bytes: Vec<u8>| {
        let (digest, size) = (hex(&bytes), bytes.len());
        files.push((format!("blobs/sha256/{digest}"), bytes));
        json!({"digest": format!("sha256:{digest}"), "size": size})
    };
    let mut manifests = Vec::new();
    for image in images {
        let ids = image
            .layers
            .iter()
            .map(|layer| format!("sha256:{}", hex(layer)));
        let ids: Vec<String> = ids.collect();
        let config = json!({"rootfs": {"type": "layers", "diff_ids": ids}});
        let config = blob(config.to_string().into_bytes());
        let layers: Vec<Value> = image.layers.iter().map(|layer| blob(gzip(layer))).collect();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        let mut listed = blob(manifest.to_string().into_bytes());
        let (os, architecture) = image.platform.split_once('/').unwrap();
        listed["platform"] = json!({"os": os, "architecture": architecture});
        listed["annotations"] = json!({"org.opencontainers.image.ref.name": image.name});
        manifests.push(listed);
    }
    let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
    files.push(("index.json".into(), index.into_bytes()));
    files
}

/// What `docker save` wrote before version 25: an image a name, with layers that are not packed.
pub fn saved(images: &[Image<'_>]) -> Layout {
    let mut files = Layout::new();
    let mut list = Vec::new();
    for image in images {
        let ids = image
            .layers
            .iter()
            .map(|layer| format!("sha256:{}", hex(layer)));
        let ids: Vec<String> = ids.collect();
        let config = json!({"rootfs": {"type": "layers", "diff_ids": ids}}).to_string();
        let name = format!("{}.json", hex(config.as_bytes()));
        files.push((name.clone(), config.into_bytes()));
        let mut layers = Vec::new();
        for layer in image.layers {
            let path = format!("{}/layer.tar", hex(&[b"id", &layer[..]].concat()));
            files.push((path.clone(), layer.clone()));
            layers.push(path);
        }
        list.push(json!({"Config": name, "RepoTags": [image.name], "Layers": layers}));
    }
    let list = Value::from(list).to_string();
    files.push(("manifest.json".into(), list.into_bytes()));
    files
}

/// A layout as an archive.
pub fn packed(layout: &Layout) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = layout
        .iter()
        .map(|(path, bytes)| file(path, bytes))
        .collect();
    archive(&entries)
}
