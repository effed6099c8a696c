//! A layout as a whole: which image is meant, and that image put together.

use super::blob::{Blobs, assemble};
use super::choose::{ListedImage, WantedImage, choose, list};
use super::json::{ImageIndex, ImageManifest, read};
use super::layout::{LayoutBlobs, small_file};
use super::member::{ArchiveBlobs, Members};
use super::saved::{LIST, assemble_listed, assemble_saved, choose_saved, saved_images};
use crate::images::content::Sinks;
use crate::images::fault::ImageFault;
use crate::images::kept::KeptBytes;
use crate::images::tree::ImageTree;
use crate::sys::Dir;

/// An image whose layers lie on top of each other.
#[derive(Debug)]
pub struct AssembledImage {
    pub tree: ImageTree,
    /// Its name in the layout, where it has one.
    pub name: Option<String>,
    /// The digest of its manifest, or of its configuration where there is no manifest.
    pub digest: String,
}

const INDEX: &str = "index.json";

/// The image of a layout in a directory.
pub fn from_layout(
    directory: &Dir,
    wanted: &WantedImage,
    sinks: &Sinks<'_>,
) -> Result<AssembledImage, ImageFault> {
    small_file(directory, "oci-layout")?;
    let index: ImageIndex = read(&small_file(directory, INDEX)?, INDEX)?;
    let mut blobs = LayoutBlobs::of(directory, sinks);
    let (image, manifest) = listed(&index, wanted, &mut blobs)?;
    let tree = assemble(&manifest.config, &manifest.layers, &mut blobs)?;
    Ok(image.with(tree))
}

fn listed(
    index: &ImageIndex,
    wanted: &WantedImage,
    blobs: &mut dyn Blobs,
) -> Result<(ListedImage, ImageManifest), ImageFault> {
    let all = list(index, &mut |blob| blobs.json(blob))?;
    let image = choose(all, wanted)?;
    let text = blobs.json(&image.descriptor)?;
    Ok((image, read(&text, "the manifest of the image")?))
}

impl ListedImage {
    fn with(self, tree: ImageTree) -> AssembledImage {
        AssembledImage {
            tree,
            name: self.name,
            digest: self.descriptor.digest,
        }
    }
}

/// The image of an archive that was read to its end; `prefers_saved` where the list of `docker save` shall count.
pub fn from_archive(
    tree: &ImageTree,
    members: &Members,
    kept: &KeptBytes,
    wanted: &WantedImage,
    prefers_saved: bool,
) -> Result<AssembledImage, ImageFault> {
    let mut blobs = ArchiveBlobs {
        members,
        tree,
        kept,
    };
    let index = blobs.json_at(INDEX)?;
    let saved = blobs.json_at(LIST)?;
    let saved = saved.map(|(text, _)| saved_images(&text)).transpose()?;
    match (index, saved) {
        (Some((text, _)), saved) if !prefers_saved || saved.is_none() => {
            let index: ImageIndex = read(&text, INDEX)?;
            let (image, manifest) = listed(&index, wanted, &mut blobs)?;
            let tree = assemble_listed(&manifest, saved.as_deref(), &mut blobs)?;
            Ok(image.with(tree))
        }
        (_, Some(saved)) => {
            let image = choose_saved(&saved, wanted)?;
            let (tree, digest) = assemble_saved(image, &mut blobs)?;
            Ok(AssembledImage {
                tree,
                name: image.repo_tags.iter().flatten().next().cloned(),
                digest: digest.to_string(),
            })
        }
        (_, None) => Err(ImageFault::Image(format!(
            "it has neither {INDEX} nor {LIST}"
        ))),
    }
}
