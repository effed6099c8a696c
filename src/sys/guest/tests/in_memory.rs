//! `InMemory`: a guest that no file system holds, for tests of what is asked of guests.
//!
//! It answers as an image would. It is read once, from a directory; then it has no handle of it, no inode of this host,
//! and digests in place of bytes, except where [`GuestFiles::read`] needs them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{
    FileId, FileKind, FileState, GuestPath, LinkMet, Observer, Scan, TooLarge, TreeBuilder,
};
use crate::sys::guest::guest_file::KnownFile;
use crate::sys::guest::{
    BEGINNING, GuestError, GuestFile, GuestFiles, KnownBy, Precision, Resolved, Trail, TrailEnd,
    shown,
};
use crate::sys::hash::{fingerprint, sha256};
use crate::sys::{Dir, SysResult};

/// A device that no host has.
const ELSEWHERE: u64 = 1 << 32;

/// Links followed for one path.
const MAX_LINKS: usize = 40;

/// Every name of a guest, without a slash in front, and what is there. The root has the empty name.
#[derive(Debug, Default)]
pub struct InMemory(BTreeMap<Vec<u8>, Entry>);

#[derive(Debug)]
struct Entry {
    state: FileState,
    holds: Holds,
}

#[derive(Debug)]
enum Holds {
    File {
        known: Box<KnownFile>,
        bytes: Vec<u8>,
    },
    Link(Vec<u8>),
    /// Names are looked for among all.
    Directory,
    Nothing,
}

impl InMemory {
    /// Reads a directory of this host, once.
    pub fn copy_of(root: &Path) -> SysResult<InMemory> {
        let root = Dir::open(root)?;
        let mut copy = InMemory::default();
        copy.add(Vec::new(), elsewhere(root.state()?), Holds::Directory);
        copy.add_all_in(&root, b"")?;
        Ok(copy)
    }

    fn add(&mut self, name: Vec<u8>, state: FileState, holds: Holds) {
        self.0.insert(name, Entry { state, holds });
    }

    fn add_all_in(&mut self, dir: &Dir, at: &[u8]) -> SysResult<()> {
        for component in dir.list()? {
            let (name, state) = (below(at, &component), elsewhere(dir.glance(&component)?));
            let holds = match state.kind {
                FileKind::Regular => file(dir, &component, state)?,
                FileKind::Symlink => Holds::Link(link(dir, &component)),
                FileKind::Special => Holds::Nothing,
                FileKind::Directory => {
                    self.add_all_in(&dir.open_dir(&component)?, &name)?;
                    Holds::Directory
                }
            };
            self.add(name, state, holds);
        }
        Ok(())
    }

    /// What a directory holds, by its last component.
    fn children<'a>(&'a self, at: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a Entry)> {
        let top = if at.is_empty() {
            Vec::new()
        } else {
            below(at, b"")
        };
        self.0.iter().filter_map(move |(name, entry)| {
            let component = name.strip_prefix(&*top)?;
            let is_child = !component.is_empty() && !component.contains(&b'/');
            is_child.then_some((component, entry))
        })
    }

    /// In the order that the full paths have, in which a directory's name counts with its slash.
    fn meet_all_in(
        &self,
        at: &[u8],
        depth: usize,
        builder: &mut TreeBuilder,
    ) -> Result<(), TooLarge> {
        let mut children: Vec<_> = self.children(at).collect();
        children.sort_by_key(|(name, entry)| match entry.state.kind {
            FileKind::Directory => below(name, b""),
            _ => name.to_vec(),
        });
        for (name, Entry { state, .. }) in children {
            match state.kind {
                FileKind::Regular => builder.meet(depth, name, *state)?,
                FileKind::Directory => {
                    builder.enter(depth, name)?;
                    self.meet_all_in(&below(at, name), depth + 1, builder)?;
                }
                FileKind::Symlink | FileKind::Special => {}
            }
        }
        Ok(())
    }

    /// Follows a path to its end, link by link.
    fn follow(&self, path: &[u8]) -> Result<Option<(Vec<u8>, &Entry)>, GuestError> {
        self.follow_noting(path, &mut Vec::new())
    }

    fn follow_noting(
        &self,
        path: &[u8],
        links: &mut Vec<LinkMet>,
    ) -> Result<Option<(Vec<u8>, &Entry)>, GuestError> {
        let mut pending = components(path);
        let mut at = Vec::new();
        let mut found = self.0.get(&at);
        while let (Some(entry), Some(component)) = (found, pending.pop()) {
            let parent = match (&*component, entry.state.kind) {
                (_, kind) if kind != FileKind::Directory => return Ok(None),
                (b"" | b".", _) => continue,
                (b"..", _) => parent(&at),
                (name, _) => below(&at, name),
            };
            let before = std::mem::replace(&mut at, parent);
            found = self.0.get(&at);
            if let Some(Holds::Link(target)) = found.map(|entry| &entry.holds) {
                if links.len() == MAX_LINKS {
                    return Err(GuestError::Loop { path: shown(path) });
                }
                links.push(LinkMet {
                    at: GuestPath::new(&[b"/", &*at].concat()).unwrap(),
                    target: target.clone(),
                });
                at = if target.starts_with(b"/") {
                    Vec::new()
                } else {
                    before
                };
                found = self.0.get(&at);
                pending.extend(components(target));
            }
        }
        Ok(found.map(|entry| (at, entry)))
    }
}

impl GuestFiles for InMemory {
    fn precision(&self) -> Precision {
        Precision {
            content: KnownBy::Digest,
            ..Precision::DISK
        }
    }

    fn is_private(&self) -> bool {
        true
    }

    fn tree(&self, _: &dyn Observer) -> SysResult<Result<Scan, TooLarge>> {
        let mut builder = TreeBuilder::of_at_most(u32::MAX);
        let met = builder
            .enter(0, b"")
            .and_then(|()| self.meet_all_in(b"", 1, &mut builder));
        Ok(met.map(|()| Scan {
            tree: builder.finish(),
            ..Scan::default()
        }))
    }

    fn look(&self, name: &[u8]) -> SysResult<Option<FileState>> {
        Ok(self.0.get(name).map(|entry| entry.state))
    }

    fn open(&self, name: &[u8]) -> SysResult<Option<GuestFile>> {
        Ok(match self.0.get(name).map(|entry| &entry.holds) {
            Some(Holds::File { known, .. }) => Some(GuestFile::Known(known.clone())),
            _ => None,
        })
    }

    fn read(&self, path: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError> {
        let Some((_, entry)) = self.follow(path)? else {
            return Ok(None);
        };
        match &entry.holds {
            Holds::File { bytes, .. } if bytes.len() as u64 <= max => Ok(Some(bytes.clone())),
            Holds::File { bytes, .. } => Err(GuestError::TooLarge {
                path: shown(path),
                size: bytes.len() as u64,
                max,
            }),
            _ => Err(wrong_kind(path, FileKind::Regular, entry)),
        }
    }

    fn list(&self, directory: &[u8], max: usize) -> Result<Option<Vec<Vec<u8>>>, GuestError> {
        let Some((name, entry)) = self.follow(directory)? else {
            return Ok(None);
        };
        if entry.state.kind != FileKind::Directory {
            return Err(wrong_kind(directory, FileKind::Directory, entry));
        }
        let names: Vec<_> = self
            .children(&name)
            .map(|(name, _)| name.to_vec())
            .collect();
        if names.len() > max {
            let path = shown(directory);
            return Err(GuestError::TooMany { path, max });
        }
        Ok(Some(names))
    }

    fn resolve(&self, path: &[u8]) -> Result<Option<Resolved>, GuestError> {
        Ok(self.follow(path)?.map(resolved))
    }

    fn link(&self, name: &[u8]) -> Result<Option<Vec<u8>>, GuestError> {
        Ok(match self.0.get(name).map(|entry| &entry.holds) {
            Some(Holds::Link(target)) => Some(target.clone()),
            _ => None,
        })
    }

    /// Of what is missing it knows no more than the path that was asked for.
    fn trace(&self, path: &[u8]) -> Result<Trail, GuestError> {
        let mut links = Vec::new();
        let found = self.follow_noting(path, &mut links)?.map(resolved);
        let asked = GuestPath::new(path).unwrap_or_else(|_| GuestPath::root());
        let end = found.map_or(TrailEnd::Missing(asked), TrailEnd::Found);
        Ok(Trail { links, end })
    }
}

fn resolved((name, entry): (Vec<u8>, &Entry)) -> Resolved {
    Resolved {
        path: GuestPath::new(&[b"/", &*name].concat()).unwrap(),
        id: entry.state.id,
        kind: entry.state.kind,
    }
}

fn wrong_kind(path: &[u8], expected: FileKind, entry: &Entry) -> GuestError {
    GuestError::WrongKind {
        path: shown(path),
        expected,
        found: entry.state.kind,
    }
}

fn elsewhere(mut state: FileState) -> FileState {
    state.id = FileId {
        dev: ELSEWHERE,
        ..state.id
    };
    state
}

fn file(dir: &Dir, name: &[u8], state: FileState) -> SysResult<Holds> {
    let file = dir.open_regular(name)?.unwrap();
    let bytes = file.beginning(state.size, usize::MAX)?;
    let known = Box::new(KnownFile {
        path: file.path().to_owned(),
        state,
        metadata: file.metadata(&[])?,
        content: sha256(&bytes),
        packages: Vec::new(),
        beginning: fingerprint(&bytes[..bytes.len().min(BEGINNING)]),
    });
    Ok(Holds::File { known, bytes })
}

fn link(dir: &Dir, name: &[u8]) -> Vec<u8> {
    let target = rustix::fs::readlinkat(dir.fd(), name, Vec::new());
    target.unwrap().into_bytes()
}

/// The components of a path, the last one first.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    path.rsplit(|&byte| byte == b'/')
        .map(<[u8]>::to_vec)
        .collect()
}

fn below(at: &[u8], name: &[u8]) -> Vec<u8> {
    if at.is_empty() && !name.is_empty() {
        return name.to_vec();
    }
    [at, b"/", name].concat()
}

fn parent(at: &[u8]) -> Vec<u8> {
    let slash = at.iter().rposition(|&byte| byte == b'/');
    at[..slash.unwrap_or(0)].to_vec()
}
