//! What `docker save` writes: a list of images with the paths of their parts. Since version 25 an OCI layout stands
//! beside it, and both must tell of the same layers.

use super::blob::{assemble, stacked};
use super::choose::WantedImage;
use super::json::{Descriptor, ImageConfig, ImageManifest, SavedImage, is_name, read};
use super::member::ArchiveBlobs;
use crate::images::fault::ImageFault;
use crate::images::tree::ImageTree;
use crate::model::Digest;

/// The list.
pub const LIST: &str = "manifest.json";

/// Reads the list.
pub fn saved_images(text: &[u8]) -> Result<Vec<SavedImage>, ImageFault> {
    read(text, LIST)
}

/// The image that is meant, and its name.
pub fn choose_saved<'i>(
    images: &'i [SavedImage],
    wanted: &WantedImage,
) -> Result<&'i SavedImage, ImageFault> {
    let called = |image: &&SavedImage| match &wanted.reference {
        None => true,
        Some(name) => image.is_called(name),
    };
    let meant: Vec<&SavedImage> = images.iter().filter(called).collect();
    let names = |images: &[&SavedImage]| images.iter().map(|image| image.shown()).collect();
    match meant.as_slice() {
        [one] => Ok(one),
        [] => Err(ImageFault::NoSuchImage {
            has: images.iter().map(SavedImage::shown).collect(),
        }),
        many => Err(ImageFault::ManyImages { has: names(many) }),
    }
}

impl SavedImage {
    fn tags(&self) -> impl Iterator<Item = &String> {
        self.repo_tags.iter().flatten()
    }

    fn is_called(&self, name: &str) -> bool {
        self.tags().any(|tag| is_name(tag, name)) || self.config == name
    }

    /// Its first tag; without one the file of its configuration.
    pub fn shown(&self) -> String {
        self.tags().next().unwrap_or(&self.config).clone()
    }
}

/// Puts a saved image together.
pub fn assemble_saved(
    image: &SavedImage,
    blobs: &mut ArchiveBlobs<'_>,
) -> Result<(ImageTree, Digest), ImageFault> {
    let config = blobs.json_at(&image.config)?;
    let shown = image.config.escape_default();
    let missing = || ImageFault::Image(format!("{shown} is not in the archive"));
    let (text, digest) = config.ok_or_else(missing)?;
    let own = digest.to_string();
    let named = image.config.rsplit('/').next().unwrap_or_default();
    let named = named.strip_suffix(".json").unwrap_or(named);
    if own.strip_prefix("sha256:") != Some(named) {
        return Err(ImageFault::Image(format!(
            "{shown} is {digest}: it was changed or cut"
        )));
    }
    let config: ImageConfig = read(&text, &image.config.escape_default().to_string())?;
    let listed = (image.layers.len(), LIST);
    let tree = stacked(&config, listed, &mut |number| {
        let path = &image.layers[number];
        let (read, packed) = blobs.layer_at(path)?;
        Ok((read, packed, path.escape_default().to_string()))
    })?;
    Ok((tree, digest))
}

/// Puts an image of a layout together. Where `docker save` has listed it as well, both lists name the same layers.
pub fn assemble_listed(
    manifest: &ImageManifest,
    saved: Option<&[SavedImage]>,
    blobs: &mut ArchiveBlobs<'_>,
) -> Result<ImageTree, ImageFault> {
    if let Some(saved) = saved {
        same_layers(manifest, saved)?;
    }
    assemble(&manifest.config, &manifest.layers, blobs)
}

fn same_layers(manifest: &ImageManifest, saved: &[SavedImage]) -> Result<(), ImageFault> {
    let config = manifest.config.hex()?;
    let is_it = |image: &&SavedImage| image.config.contains(config);
    let Some(image) = saved.iter().find(is_it) else {
        return match saved.len() {
            // Of an image for several machines `docker save` lists none.
            0 => Ok(()),
            _ => Err(differ()),
        };
    };
    let layers: Result<Vec<&str>, _> = manifest.layers.iter().map(Descriptor::hex).collect();
    let paths = image
        .layers
        .iter()
        .map(|path| path.strip_prefix("blobs/sha256/"));
    match paths.eq(layers?.into_iter().map(Some)) {
        true => Ok(()),
        false => Err(differ()),
    }
}

fn differ() -> ImageFault {
    ImageFault::Image(format!(
        "index.json and {LIST} tell of different images: which one is loaded differs between programs"
    ))
}
