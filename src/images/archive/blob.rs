//! Blobs: the files that a layout names by their digests, checked while they pass.

use std::io::{self, Read};
use std::rc::Rc;

use super::json::{Descriptor, ImageConfig, read};
use crate::images::content::Sinks;
use crate::images::fault::{ImageFault, unreadable};
use crate::images::layers::{Layer, LayerStack};
use crate::images::stream::{Packing, unpacked};
use crate::images::tar::TarReader;
use crate::images::tree::ImageTree;
use crate::model::Digest;
use crate::sys::hash::ContentHasher;

/// A stream that is hashed while it passes.
pub struct HashedStream<R> {
    input: R,
    hasher: ContentHasher,
}

impl<R: Read> HashedStream<R> {
    /// From here on.
    pub fn new(input: R) -> HashedStream<R> {
        HashedStream {
            input,
            hasher: ContentHasher::new(),
        }
    }

    /// The digest of all, read to its end.
    pub fn finish(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hasher.finish())
    }
}

impl<R: Read> Read for HashedStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// A layer, and the digest of what it was before it was packed; `None` where it is not packed.
#[derive(Debug)]
pub struct ReadLayer {
    pub layer: Layer,
    pub unpacked: Option<Digest>,
}

/// Reads a layer that stands in a blob of this name.
pub fn read_layer(
    input: impl Read,
    name: &str,
    sinks: &Sinks<'_>,
) -> Result<ReadLayer, ImageFault> {
    let failed = |error: io::Error| {
        ImageFault::Image(format!("{name} cannot be read: {}", unreadable(&error)))
    };
    let (packing, stream) = unpacked(input).map_err(failed)?;
    if packing == Packing::Plain {
        let mut archive = TarReader::new(stream, name.to_owned(), sinks.budget);
        return Ok(ReadLayer {
            layer: Layer::read(name, &mut archive, sinks)?,
            unpacked: None,
        });
    }
    let mut hashed = HashedStream::new(stream);
    let mut archive = TarReader::new(Box::new(&mut hashed), name.to_owned(), sinks.budget);
    let layer = Layer::read(name, &mut archive, sinks)?;
    drop(archive);
    let unpacked = Some(hashed.finish().map_err(failed)?);
    Ok(ReadLayer { layer, unpacked })
}

/// Where the blobs of an image are.
pub trait Blobs {
    /// A file of JSON, whose digest is the one that is given.
    fn json(&mut self, blob: &Descriptor) -> Result<Vec<u8>, ImageFault>;

    /// A layer with the digest of its blob.
    fn layer(&mut self, blob: &Descriptor) -> Result<(Rc<ReadLayer>, Digest), ImageFault>;
}

/// Puts the layers of an image on top of each other; each must be what the configuration says.
pub fn assemble(
    config: &Descriptor,
    layers: &[Descriptor],
    blobs: &mut dyn Blobs,
) -> Result<ImageTree, ImageFault> {
    let text = blobs.json(config)?;
    let config: ImageConfig = read(&text, "the configuration of the image")?;
    let listed = (layers.len(), "its manifest");
    stacked(&config, listed, &mut |number| {
        let blob = &layers[number];
        is_read(blob)?;
        let (read, packed) = blobs.layer(blob)?;
        Ok((read, packed, format!("layer {}", number + 1)))
    })
}

/// A layer, the digest of its blob, and how messages call it.
type NamedLayer = (Rc<ReadLayer>, Digest, String);

/// Puts so many layers on top of each other as somebody has listed, one for each digest of the configuration.
pub(super) fn stacked(
    config: &ImageConfig,
    (listed, by): (usize, &str),
    layer: &mut dyn FnMut(usize) -> Result<NamedLayer, ImageFault>,
) -> Result<ImageTree, ImageFault> {
    let ids = &config.rootfs.diff_ids;
    if ids.len() != listed {
        let ids = ids.len();
        return Err(ImageFault::Image(format!(
            "its configuration tells of {ids} layers, and {by} of {listed}"
        )));
    }
    let (mut tree, mut stack) = (ImageTree::new(), LayerStack::default());
    for (number, id) in (0..).zip(ids) {
        let (read, packed, name) = layer(number as usize)?;
        let unpacked = read.unpacked.unwrap_or(packed);
        if unpacked.to_string() != *id {
            let id: String = id.escape_default().take(100).collect();
            return Err(ImageFault::Image(format!(
                "{name} is {unpacked} when it is unpacked, and the configuration says {id}"
            )));
        }
        stack.put(&read.layer, &mut tree, number)?;
    }
    Ok(tree)
}

/// Layers that lie elsewhere, or that only their owner can read, leave holes in the image.
fn is_read(blob: &Descriptor) -> Result<(), ImageFault> {
    let media = &blob.media_type;
    let is_foreign = ["nondistributable", "foreign"]
        .iter()
        .any(|word| media.contains(word));
    let why = match () {
        () if is_foreign || blob.urls.as_ref().is_some_and(|urls| !urls.is_empty()) => {
            "lies elsewhere (a foreign layer)"
        }
        () if media.contains("encrypted") => "is encrypted",
        () => return Ok(()),
    };
    let digest: String = blob.digest.escape_default().take(100).collect();
    Err(ImageFault::Image(format!(
        "its layer {digest} {why}: it cannot be read"
    )))
}

/// Is the digest of a blob the one by which it is called?
pub fn checked(digest: Digest, blob: &Descriptor) -> Result<(), ImageFault> {
    match digest.to_string() == blob.digest {
        true => Ok(()),
        false => Err(ImageFault::Image(format!(
            "the blob {} is {digest}: it was changed or cut",
            blob.digest.escape_default().take(100).collect::<String>()
        ))),
    }
}
