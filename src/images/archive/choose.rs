//! Which image is meant, where several lie in one layout.

use super::json::{Descriptor, ImageIndex, is_index, is_name, read};
use crate::images::fault::ImageFault;

/// Lists within lists.
const DEEPEST: usize = 4;

/// Images of one layout.
const MOST_IMAGES: usize = 10_000;

/// What the user asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedImage {
    /// Its name or digest.
    pub reference: Option<String>,
    /// `OS/ARCHITECTURE`, maybe with a variant.
    pub platform: Option<String>,
}

/// An image of a layout.
#[derive(Debug, Clone)]
pub struct ListedImage {
    pub descriptor: Descriptor,
    /// Its name; that of the list that lists it, where it has none.
    pub name: Option<String>,
    platform: Option<String>,
}

/// All images of a layout, and of the lists that it lists. `fetch` reads a blob.
pub fn list(
    index: &ImageIndex,
    fetch: &mut dyn FnMut(&Descriptor) -> Result<Vec<u8>, ImageFault>,
) -> Result<Vec<ListedImage>, ImageFault> {
    let mut all = Vec::new();
    let listed = index.manifests.iter().rev();
    let mut left: Vec<(Descriptor, Option<String>, usize)> = listed
        .map(|one| (one.clone(), one.reference().map(str::to_owned), 0))
        .collect();
    while let Some((descriptor, name, depth)) = left.pop() {
        if descriptor.is_attestation() {
            continue;
        }
        if all.len() + left.len() > MOST_IMAGES || depth > DEEPEST {
            let why = format!(
                "more than {MOST_IMAGES} images, or lists in more than {DEEPEST} lists, are not read"
            );
            return Err(ImageFault::Image(why));
        }
        let text = fetch(&descriptor)?;
        if !is_index(&text) {
            let platform = descriptor.platform();
            all.push(ListedImage {
                descriptor,
                name,
                platform,
            });
            continue;
        }
        let inner: ImageIndex = read(&text, "a list of manifests")?;
        left.extend(inner.manifests.into_iter().rev().map(|one| {
            let own = one.reference().map(str::to_owned);
            (one, own.or_else(|| name.clone()), depth + 1)
        }));
    }
    Ok(all)
}

/// The one image that is meant.
pub fn choose(all: Vec<ListedImage>, wanted: &WantedImage) -> Result<ListedImage, ImageFault> {
    let names: Vec<String> = all.iter().map(ListedImage::shown).collect();
    let mut meant: Vec<ListedImage> = all
        .into_iter()
        .filter(|image| image.is_meant(wanted))
        .collect();
    meant.dedup_by(|one, other| one.descriptor.digest == other.descriptor.digest);
    match (meant.len(), meant.pop()) {
        (1, Some(one)) => Ok(one),
        (0, _) => Err(ImageFault::NoSuchImage { has: names }),
        (_, last) => {
            let last = last.iter().map(ListedImage::shown);
            let has = meant.iter().map(ListedImage::shown).chain(last).collect();
            Err(ImageFault::ManyImages { has })
        }
    }
}

impl ListedImage {
    fn is_meant(&self, wanted: &WantedImage) -> bool {
        let called = |name: &String| {
            self.name.as_deref().is_some_and(|own| is_name(own, name))
                || self.descriptor.is_called(name)
        };
        let runs = |platform: &String| {
            let own = self.platform.as_deref().unwrap_or_default();
            own == platform
                || own
                    .strip_prefix(platform.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        wanted.reference.as_ref().is_none_or(called) && wanted.platform.as_ref().is_none_or(runs)
    }

    fn shown(&self) -> String {
        let name = self.name.as_deref().unwrap_or(&self.descriptor.digest);
        match &self.platform {
            Some(platform) => format!("{name} ({platform})"),
            None => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(entries: &[(&str, &str, &str)]) -> Vec<ListedImage> {
        let one = |(digest, name, platform): &(&str, &str, &str)| {
            let (os, architecture) = platform.split_once('/').unwrap();
            format!(
                r#"{{"digest":"{digest}","annotations":{{"org.opencontainers.image.ref.name":"{name}"}},
                "platform":{{"os":"{os}","architecture":"{architecture}"}}}}"#
            )
        };
        let entries: Vec<String> = entries.iter().map(one).collect();
        let index = format!(r#"{{"manifests":[{}]}}"#, entries.join(","));
        let index = read(index.as_bytes(), "index").unwrap();
        list(&index, &mut |_| Ok(b"{}".to_vec())).unwrap()
    }

    fn chosen(all: &[ListedImage], reference: &str, platform: &str) -> Result<String, ImageFault> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let wanted = WantedImage {
            reference: given(reference),
            platform: given(platform),
        };
        choose(all.to_vec(), &wanted).map(|image| image.descriptor.digest)
    }

    #[test]
    fn one_image_must_be_left() {
        let all = listed(&[
            ("d1", "web", "linux/amd64"),
            ("d2", "web", "linux/arm64"),
            ("d3", "db", "linux/amd64"),
            ("d4", "db", "unknown/unknown"),
        ]);
        assert_eq!(chosen(&all, "db", "").unwrap(), "d3");
        assert!(is_name("docker.io/library/web:1", "web:1") && is_name("docker.io/x/y", "x/y"));
        assert!(!is_name("docker.io/x/y", "y") && !is_name("quay.io/library/web", "web"));
        assert_eq!(chosen(&all, "web", "linux/arm64").unwrap(), "d2");
        assert_eq!(chosen(&all, "d1", "").unwrap(), "d1");
        let many = chosen(&all, "web", "").unwrap_err().to_string();
        assert!(
            many.contains("web (linux/amd64), web (linux/arm64)"),
            "{many}"
        );
        let none = chosen(&all, "app", "").unwrap_err().to_string();
        assert!(none.contains("db (linux/amd64)"), "{none}");
    }
}
