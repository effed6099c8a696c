//! An image, read from front to back.

use std::cell::RefCell;
use std::io::Read;

use super::archive::{
    AssembledImage, Members, WantedImage, from_archive, from_layout, may_be_member, read_member,
};
use super::bounds::ReadingBudget;
use super::content::Sinks;
use super::fault::{ImageFault, unreadable};
use super::kept::KeptBytes;
use super::layers::new_entry;
use super::stream::unpacked;
use super::tar::{TarEntry, TarReader};
use super::tree::{ImageTree, NewEntry, NewHolds};
use crate::model::{Digest, DigestKind, FileKind, ImageFacts, ImageForm, ImageLack, Xattr};
use crate::rules::root::{Entry, RootLooks, looks};
use crate::sys::Dir;
use crate::sys::own::keep::ByteStore;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageRequest {
    /// Its form, where that is said.
    pub form: Option<ImageForm>,
    /// Which of several images.
    pub wanted: WantedImage,
    /// By which digests its files shall be known besides SHA-256: those that package databases name files by.
    pub digests: &'static [DigestKind],
}

/// An image that was read to its end.
#[derive(Debug)]
pub struct LoadedImage {
    pub tree: ImageTree,
    pub store: ByteStore,
    pub facts: ImageFacts,
}

/// Where an image comes from.
pub enum ImageInput<'i> {
    /// A stream, which is read once.
    Stream(Box<dyn Read + 'i>),
    /// A layout.
    Layout(&'i Dir),
}

/// Reads an image; what it keeps goes into the store.
pub fn load(
    input: ImageInput<'_>,
    request: &ImageRequest,
    store: ByteStore,
) -> Result<LoadedImage, ImageFault> {
    let kept = KeptBytes::new(store);
    let (form, image) = read_through(input, request, &kept)?;
    let AssembledImage { tree, name, digest } = image;
    let facts = ImageFacts {
        form,
        name,
        digest: Some(digest).filter(|digest| !digest.is_empty()),
        lacks: lacks(&tree),
        twice: tree.twice,
    };
    let store = kept.into_store();
    Ok(LoadedImage { tree, store, facts })
}

/// Reads an image once more, for one content of it that passed before; `None` where it is not there any more.
pub fn load_again(
    input: ImageInput<'_>,
    request: &ImageRequest,
    store: ByteStore,
    (size, content): (u64, Digest),
) -> Result<Option<Vec<u8>>, ImageFault> {
    let kept = KeptBytes::only(store, size, content);
    read_through(input, request, &kept)?;
    kept.met()
        .map_err(|error| ImageFault::Unreadable(error.to_string()))
}

fn read_through(
    input: ImageInput<'_>,
    request: &ImageRequest,
    kept: &KeptBytes,
) -> Result<(ImageForm, AssembledImage), ImageFault> {
    let budget = RefCell::new(ReadingBudget::new());
    let sinks = Sinks {
        budget: &budget,
        kept,
        digests: request.digests,
    };
    match input {
        ImageInput::Stream(stream) => from_stream(stream, request, &sinks),
        ImageInput::Layout(directory) => {
            let image = from_layout(directory, &request.wanted, &sinks)?;
            Ok((ImageForm::OciLayout, image))
        }
    }
}

/// What nothing in the image says. A form that could say it may have been written without.
fn lacks(tree: &ImageTree) -> Vec<ImageLack> {
    let any: Option<&Xattr> = tree.all_attributes().next();
    let time = (!tree.has_fractions).then_some(ImageLack::Nanoseconds);
    let attributes = any.is_none().then_some(ImageLack::Attributes);
    time.into_iter().chain(attributes).collect()
}

fn from_stream(
    input: impl Read,
    request: &ImageRequest,
    sinks: &Sinks<'_>,
) -> Result<(ImageForm, AssembledImage), ImageFault> {
    let opened = unpacked(input);
    let opened = opened.map_err(|error| ImageFault::Unreadable(unreadable(&error).to_string()));
    let mut archive = TarReader::new(opened?.1, String::new(), sinks.budget);
    let (mut tree, mut members) = (ImageTree::new(), Members::default());
    while let Some(entry) = archive.next()? {
        match request.form != Some(ImageForm::Tar) && may_be_member(&entry) {
            true => take_member(&mut archive, entry, sinks, &mut tree, &mut members)?,
            false => {
                let new = new_entry(&mut archive, entry, sinks)?;
                tree.put(new, 0).map_err(|why| archive.fault(why))?;
            }
        }
    }
    drop(archive);
    finish(tree, &members, request, sinks)
}

fn take_member(
    archive: &mut TarReader<'_>,
    entry: TarEntry,
    sinks: &Sinks<'_>,
    tree: &mut ImageTree,
    members: &mut Members,
) -> Result<(), ImageFault> {
    let (file, member) = read_member(archive, &entry, sinks)?;
    let TarEntry { path, owner, .. } = entry;
    let new = NewEntry {
        path: path.clone(),
        owner,
        holds: NewHolds::File(file),
    };
    tree.put(new, 0).map_err(|why| archive.fault(why))?;
    if let Some(node) = tree.find(&path) {
        members.add(node, member);
    }
    Ok(())
}

/// What the archive is, now that all of it is known.
fn finish(
    tree: ImageTree,
    members: &Members,
    request: &ImageRequest,
    sinks: &Sinks<'_>,
) -> Result<(ImageForm, AssembledImage), ImageFault> {
    let form = match request.form {
        Some(form) => form,
        None => form_of(&tree)?,
    };
    let layered = |saved| from_archive(&tree, members, sinks.kept, &request.wanted, saved);
    let image = match form {
        ImageForm::OciArchive | ImageForm::OciLayout => layered(false)?,
        ImageForm::DockerArchive => layered(true)?,
        ImageForm::Tar => plain(tree),
        ImageForm::IncusArchive => plain(tree.beneath(b"rootfs")),
        ImageForm::MountedImage => {
            let why = "it is mounted by the kernel, and not read here";
            return Err(ImageFault::Image(why.into()));
        }
    };
    let is_asked = request.wanted != WantedImage::default();
    if is_asked && matches!(form, ImageForm::Tar | ImageForm::IncusArchive) {
        let word = form.word();
        let why =
            format!("it is {word}, which holds one image without a name: leave the name away");
        return Err(ImageFault::Image(why));
    }
    Ok((form, image))
}

fn plain(tree: ImageTree) -> AssembledImage {
    AssembledImage {
        tree,
        name: None,
        digest: String::new(),
    }
}

fn form_of(tree: &ImageTree) -> Result<ImageForm, ImageFault> {
    let children = tree.children(super::tree::ROOT).into_iter().flatten();
    let entries: Vec<Entry> = children
        .map(|(name, child)| (name.to_vec(), tree.node(child.node).holds.kind()))
        .collect();
    let has = |name: &[u8], kind| entries.iter().any(|one| one.0 == name && one.1 == kind);
    let file = |name| has(name, FileKind::Regular);
    let is_root = looks(&entries) != RootLooks::NotAtAll;
    let form = match () {
        () if file(b"oci-layout") => ImageForm::OciArchive,
        () if file(b"manifest.json") => ImageForm::DockerArchive,
        () if is_root => ImageForm::Tar,
        () if !file(b"metadata.yaml") => ImageForm::Tar,
        () if has(b"rootfs", FileKind::Directory) => ImageForm::IncusArchive,
        () => {
            let why = "it is the first half of an Incus image, which says what is in the other: name that one, rootfs.tar or what `sqfs2tar rootfs.squashfs` writes";
            return Err(ImageFault::Image(why.into()));
        }
    };
    match form {
        ImageForm::OciArchive | ImageForm::DockerArchive if is_root => {
            let why = "it is the root of a guest and an image in layers at once: say which of the two is meant, with tar: or oci-archive: or docker-archive: in front of its path";
            Err(ImageFault::Image(why.into()))
        }
        form => Ok(form),
    }
}

/// Reads any bytes as an image, and says how many files and directories it holds. For fuzz targets.
#[cfg(any(test, feature = "internals"))]
pub fn read_bytes(bytes: &[u8]) -> Result<usize, ImageFault> {
    let store = ByteStore::new().map_err(|error| ImageFault::Unreadable(error.to_string()))?;
    let input = ImageInput::Stream(Box::new(bytes));
    load(input, &ImageRequest::default(), store).map(|image| image.tree.len())
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
