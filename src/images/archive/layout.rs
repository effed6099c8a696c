//! An OCI image layout in a directory (OCI image specification, "Image Layout"): blobs are opened one by one, beneath
//! the directory and without following any link.

use std::collections::HashMap;
use std::io::{self, Read};
use std::rc::Rc;

use super::blob::{Blobs, HashedStream, ReadLayer, checked, read_layer};
use super::json::{Descriptor, MOST_JSON};
use crate::images::content::Sinks;
use crate::images::fault::ImageFault;
use crate::model::{Digest, FileKind};
use crate::sys::hash::sha256;
use crate::sys::{Dir, Regular};

/// The blobs of such a directory.
pub struct LayoutBlobs<'s> {
    directory: &'s Dir,
    sinks: &'s Sinks<'s>,
    /// Layers that were read: some images have one several times.
    read: HashMap<String, (Rc<ReadLayer>, Digest)>,
}

impl<'s> LayoutBlobs<'s> {
    /// Of a layout that is open.
    pub fn of(directory: &'s Dir, sinks: &'s Sinks<'s>) -> LayoutBlobs<'s> {
        LayoutBlobs {
            directory,
            sinks,
            read: HashMap::new(),
        }
    }
}

/// A small file of the layout.
pub fn small_file(directory: &Dir, name: &str) -> Result<Vec<u8>, ImageFault> {
    let (file, size) = open(directory, name)?;
    let length = usize::try_from(size).ok().filter(|size| *size <= MOST_JSON);
    let length = length.ok_or_else(|| {
        ImageFault::Image(format!(
            "{name} has {size} bytes, at most {MOST_JSON} are read"
        ))
    })?;
    let text = file.beginning(size, length);
    text.map_err(|error| ImageFault::Image(error.to_string()))
}

fn open(directory: &Dir, name: &str) -> Result<(Regular, u64), ImageFault> {
    let failed = |error: crate::sys::SysError| ImageFault::Image(error.to_string());
    let file = directory.open_regular(name.as_bytes()).map_err(failed)?;
    let file = file.ok_or_else(|| ImageFault::Image(format!("{name} is no file")))?;
    let state = file.state().map_err(failed)?;
    match state.kind {
        FileKind::Regular => Ok((file, state.size)),
        _ => Err(ImageFault::Image(format!("{name} is no file"))),
    }
}

impl Blobs for LayoutBlobs<'_> {
    fn json(&mut self, blob: &Descriptor) -> Result<Vec<u8>, ImageFault> {
        let text = small_file(self.directory, &place(blob)?)?;
        checked(sha256(&text), blob)?;
        Ok(text)
    }

    fn layer(&mut self, blob: &Descriptor) -> Result<(Rc<ReadLayer>, Digest), ImageFault> {
        let place = place(blob)?;
        if let Some((layer, digest)) = self.read.get(&place) {
            return Ok((Rc::clone(layer), *digest));
        }
        let (file, size) = open(self.directory, &place)?;
        file.expect_sequential();
        let mut stream = HashedStream::new(FileStream { file, at: 0, size });
        let layer = read_layer(&mut stream, &place, self.sinks);
        let digest = stream.finish();
        let digest = digest.map_err(|error| ImageFault::Image(format!("{place}: {error}")))?;
        // A blob that is not what it should be is that first of all.
        checked(digest, blob)?;
        let layer = Rc::new(layer?);
        self.read.insert(place, (Rc::clone(&layer), digest));
        Ok((layer, digest))
    }
}

fn place(blob: &Descriptor) -> Result<String, ImageFault> {
    Ok(format!("blobs/sha256/{}", blob.hex()?))
}

/// A file of the layout as a stream.
struct FileStream {
    file: Regular,
    at: u64,
    size: u64,
}

impl Read for FileStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let read = self.file.piece(self.at, &mut buffer[..length]);
        read.map_err(|error| error.source)?;
        self.at += length as u64;
        Ok(length)
    }
}
