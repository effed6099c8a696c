//! Files of an archive that may hold an image: an archive can be read only once, and in any order its parts may come.
//! So each that could be a layer is read as one when it passes, and what is JSON is kept; which of them count is known
//! at the end.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::rc::Rc;

use super::blob::{Blobs, HashedStream, ReadLayer, checked, read_layer};
use super::json::{Descriptor, MOST_JSON};
use crate::images::content::Sinks;
use crate::images::fault::{ImageFault, unreadable};
use crate::images::kept::{KeptBytes, KeptPart};
use crate::images::tar::{TarEntry, TarKind, TarReader};
use crate::images::tree::{FileHolds, ImageTree, NodeHolds, NodeId, PathWay};
use crate::model::Digest;
use crate::sys::guest::BEGINNING;
use crate::sys::hash::fingerprint;

/// A file that may be part of an image.
#[derive(Debug)]
pub struct ArchiveMember {
    pub digest: Digest,
    pub holds: MemberHolds,
}

/// What it is.
#[derive(Debug)]
pub enum MemberHolds {
    Json(KeptPart),
    Layer(Rc<ReadLayer>),
    /// Something else, or a layer that is refused: that matters only if it is used.
    NoLayer(ImageFault),
}

/// All of them, by their nodes.
#[derive(Debug, Default)]
pub struct Members(HashMap<NodeId, ArchiveMember>);

/// May a file of this name be part of an image in an archive?
pub fn may_be_member(entry: &TarEntry) -> bool {
    let TarKind::File { map: None, .. } = entry.kind else {
        return false;
    };
    let is_id = |id: &[u8]| id.len() == 64 && id.iter().all(u8::is_ascii_hexdigit);
    let path = entry.path.as_slice();
    let stem = |end: &[u8]| path.strip_suffix(end).is_some_and(is_id);
    let is_list = [&b"oci-layout"[..], b"index.json", b"manifest.json"].contains(&path);
    let is_blob = path.strip_prefix(b"blobs/sha256/").is_some_and(is_id);
    is_list || is_blob || stem(b".json") || stem(b".tar") || stem(b"/layer.tar")
}

/// Reads such a file, which is the current entry, as a file and as what it may be.
pub fn read_member(
    archive: &mut TarReader<'_>,
    entry: &TarEntry,
    sinks: &Sinks<'_>,
) -> Result<(Box<FileHolds>, ArchiveMember), ImageFault> {
    let TarKind::File { size, .. } = entry.kind else {
        return Err(ImageFault::Image("no file".into()));
    };
    let charged = sinks.budget.borrow_mut().content(size, 0);
    charged.map_err(|why| archive.fault(why))?;
    let mut stream = HashedStream::new(archive.stored());
    let begun = usize::try_from(size).unwrap_or(BEGINNING).min(BEGINNING);
    let mut head = vec![0; begun];
    let read = stream
        .read_exact(&mut head)
        .map_err(|error| unreadable(&error));
    let holds = match read {
        Ok(()) => member(&mut stream, &head, entry, size, sinks),
        Err(why) => Err(ImageFault::Image(why.to_string())),
    };
    let digest = stream.finish().map_err(|error| unreadable(&error));
    let content = digest.map_err(|why| archive.fault(why))?;
    let file = FileHolds {
        size,
        stored: size,
        content,
        beginning: fingerprint(&head),
        others: Box::default(),
        kept: None,
    };
    let holds = holds.unwrap_or_else(MemberHolds::NoLayer);
    let digest = content;
    Ok((Box::new(file), ArchiveMember { digest, holds }))
}

fn member(
    stream: &mut impl Read,
    head: &[u8],
    entry: &TarEntry,
    size: u64,
    sinks: &Sinks<'_>,
) -> Result<MemberHolds, ImageFault> {
    let first = head.trim_ascii_start().first();
    let is_json = matches!(first, Some(b'{' | b'[')) && size <= MOST_JSON as u64;
    let name = String::from_utf8_lossy(&entry.path).into_owned();
    let whole = Cursor::new(head).chain(stream);
    match is_json {
        true => keep_json(whole, size, sinks).map(MemberHolds::Json),
        false => {
            let layer = read_layer(whole, &name, sinks)?;
            Ok(MemberHolds::Layer(Rc::new(layer)))
        }
    }
}

fn keep_json(mut input: impl Read, size: u64, sinks: &Sinks<'_>) -> Result<KeptPart, ImageFault> {
    let failed = |why: crate::images::fault::BadEntry| ImageFault::Image(why.to_string());
    let part = sinks.kept.room(size, &mut sinks.budget.borrow_mut());
    let part = part.map_err(failed)?;
    let mut text = Vec::new();
    let read = input.read_to_end(&mut text);
    read.map_err(|error| failed(unreadable(&error)))?;
    sinks.kept.put(part, 0, &text).map_err(failed)?;
    Ok(part)
}

impl Members {
    /// One more.
    pub fn add(&mut self, node: NodeId, member: ArchiveMember) {
        self.0.insert(node, member);
    }

    /// What stands at a path of the archive, links followed within it.
    fn at(&self, tree: &ImageTree, path: &str) -> Option<&ArchiveMember> {
        let node = tree.follow(path.as_bytes(), &mut PathWay::default()).ok()?;
        matches!(tree.node(node).holds, NodeHolds::File(_)).then(|| self.0.get(&node))?
    }
}

/// The parts of an archive, for who puts an image together.
pub struct ArchiveBlobs<'s> {
    pub members: &'s Members,
    pub tree: &'s ImageTree,
    pub kept: &'s KeptBytes,
}

impl ArchiveBlobs<'_> {
    /// A file of JSON at a path, if it is there.
    pub fn json_at(&self, path: &str) -> Result<Option<(Vec<u8>, Digest)>, ImageFault> {
        match self.members.at(self.tree, path) {
            Some(ArchiveMember {
                digest,
                holds: MemberHolds::Json(part),
            }) => {
                let text = self.kept.get(*part);
                let text = text.map_err(|error| ImageFault::Image(error.to_string()))?;
                Ok(Some((text, *digest)))
            }
            Some(_) => Err(ImageFault::Image(format!(
                "{} is no JSON",
                path.escape_default()
            ))),
            None => Ok(None),
        }
    }

    /// A layer at a path.
    pub fn layer_at(&self, path: &str) -> Result<(Rc<ReadLayer>, Digest), ImageFault> {
        let shown = path.escape_default();
        match self.members.at(self.tree, path) {
            Some(ArchiveMember {
                digest,
                holds: MemberHolds::Layer(layer),
            }) => Ok((Rc::clone(layer), *digest)),
            Some(ArchiveMember {
                holds: MemberHolds::NoLayer(fault),
                ..
            }) => Err(fault.clone()),
            Some(_) => Err(ImageFault::Image(format!("{shown} is no layer"))),
            None => Err(ImageFault::Image(format!("{shown} is not in the archive"))),
        }
    }
}

impl Blobs for ArchiveBlobs<'_> {
    fn json(&mut self, blob: &Descriptor) -> Result<Vec<u8>, ImageFault> {
        let place = format!("blobs/sha256/{}", blob.hex()?);
        let found = self.json_at(&place)?;
        let missing = || ImageFault::Image(format!("{place} is not in the archive"));
        let (text, digest) = found.ok_or_else(missing)?;
        checked(digest, blob)?;
        Ok(text)
    }

    fn layer(&mut self, blob: &Descriptor) -> Result<(Rc<ReadLayer>, Digest), ImageFault> {
        let found = self.layer_at(&format!("blobs/sha256/{}", blob.hex()?))?;
        checked(found.1, blob)?;
        Ok(found)
    }
}
