//! The copy: every name of the source made anew in the stage, a directory at a time.

use std::collections::HashMap;

use super::contents::Contents;
use super::known::KnownFiles;
use super::look::left_out;
use super::tree::{MetEntry, Original, Visitor, still_there};
use crate::engine::EngineError;
use crate::model::{
    CloneRemarks, Event, FileId, FileKind, FileState, GuestPath, LeftOut, Metadata, ObjectId,
    Observer,
};
use crate::rules::identity::{Becomes, IdentityRule};
use crate::sys::guest::{SpecialNode, is_append_only};
use crate::sys::{Dir, Meaning, Regular, SysResult};

/// What was copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// Files whose blocks are shared with the source's.
    pub reflinked: u64,
    /// Files that shall refer to objects, as they came.
    pub shared: Vec<SharedCopy>,
    pub left_out: Vec<LeftOut>,
    pub remarks: CloneRemarks,
}

/// A file of the new guest that shall refer to an object.
#[derive(Debug)]
pub struct SharedCopy {
    /// All its names.
    pub names: Vec<GuestPath>,
    /// The object that the source's refers to.
    pub object: ObjectId,
}

/// By what further names of a file are known.
#[derive(Debug, PartialEq, Eq, Hash)]
enum ByNames {
    /// By its inode.
    Inode(FileId),
    /// By what receipts say of names that refer to this object.
    Receipts(u32, FileId),
}

/// A file with several names that was copied.
struct Copy {
    first: GuestPath,
    /// Names that are still to come, as far as the inode says.
    left: u32,
    /// Where it stands among the shared ones.
    shared: Option<usize>,
}

/// The directory that is being filled.
struct Filling {
    dir: Dir,
    path: GuestPath,
    like: Metadata,
    inherits: bool,
}

/// What is copied, and what is known of it.
pub(super) struct Copying<'a> {
    pub original: Original<'a>,
    pub known: &'a KnownFiles,
    /// Is somebody at work in it?
    pub is_running: bool,
    pub observer: &'a dyn Observer,
}

impl Copying<'_> {
    /// Copies everything to this empty directory. Nothing is durable yet.
    pub fn copy(&self, root: Dir, contents: Contents) -> Result<Copied, EngineError> {
        let mut copier = Copier {
            job: self,
            root,
            filling: None,
            contents,
            copies: HashMap::new(),
            append_only: Vec::new(),
            copied: Copied::default(),
        };
        self.original.walk(&mut copier)?;
        copier.finish()
    }
}

/// Makes the copy.
struct Copier<'a> {
    job: &'a Copying<'a>,
    root: Dir,
    filling: Option<Filling>,
    contents: Contents,
    copies: HashMap<ByNames, Copy>,
    /// What can only grow, once all of it is there.
    append_only: Vec<(GuestPath, FileKind)>,
    copied: Copied,
}

impl Copier<'_> {
    fn finish(mut self) -> Result<Copied, EngineError> {
        for (path, kind) in &self.append_only {
            match kind {
                FileKind::Directory => self.root.open_deep(path.relative())?.make_append_only()?,
                _ => {
                    let file = opened(&self.root, path)?;
                    file.iter().try_for_each(Regular::make_append_only)?;
                }
            }
        }
        self.copied.reflinked = self.contents.reflinked;
        Ok(self.copied)
    }

    /// The directory that names go to. There is one whenever a name is met.
    fn here(&self) -> Result<&Filling, EngineError> {
        self.filling.as_ref().ok_or(EngineError::Stopped)
    }

    fn regular(&mut self, met: &MetEntry<'_>) -> Result<(), EngineError> {
        let opened = still_there(met.dir.open_regular_seen(met.name))?;
        let Some((file, state)) = opened.flatten() else {
            return self.vanished(&met.path);
        };
        self.job.observer.notice(&Event::Advance(1));
        let object = self.job.known.object(state.id);
        let number = self.job.known.file(&met.path);
        let names = match (object, number) {
            (Some(_), Some(number)) => Some(ByNames::Receipts(number, state.id)),
            (None, _) if state.nlink > 1 => Some(ByNames::Inode(state.id)),
            _ => None,
        };
        if let Some(names) = &names
            && self.link(names, met)?
        {
            return Ok(());
        }
        let copy = self.whole(met, &file, state)?;
        self.here()?.dir.link(&copy, met.name)?;
        let shared = object.map(|object| {
            self.copied.shared.push(SharedCopy {
                names: vec![met.path.clone()],
                object,
            });
            self.copied.shared.len() - 1
        });
        self.remember(names, met, state.nlink, shared);
        Ok(())
    }

    /// Further names may come.
    fn remember(
        &mut self,
        names: Option<ByNames>,
        met: &MetEntry<'_>,
        nlink: u32,
        shared: Option<usize>,
    ) {
        let copy = Copy {
            first: met.path.clone(),
            left: nlink.saturating_sub(1),
            shared,
        };
        let known = names.map(|names| (names, copy));
        self.copies.extend(known);
    }

    /// Makes the name one more of a file that was copied; false where there is none, or it can have no more names.
    fn link(&mut self, names: &ByNames, met: &MetEntry<'_>) -> Result<bool, EngineError> {
        let Some(copy) = self.copies.get(names) else {
            return Ok(false);
        };
        let parent = self.root.open_deep(copy.first.parent().relative())?;
        let first = parent.entry(copy.first.file_name())?;
        match self.here()?.dir.link_again(&first, met.name) {
            Err(error) if error.meaning() == Meaning::TooManyLinks => return Ok(false),
            other => other?,
        }
        if let Some(copy) = self.copies.get_mut(names) {
            copy.left = copy.left.saturating_sub(1);
            let shared = copy.shared.and_then(|at| self.copied.shared.get_mut(at));
            if let Some(shared) = shared {
                shared.names.push(met.path.clone());
            }
            if copy.left == 0 {
                self.copies.remove(names);
            }
        }
        Ok(true)
    }

    /// A copy that was not overtaken by a change.
    fn whole(
        &mut self,
        met: &MetEntry<'_>,
        file: &Regular,
        state: FileState,
    ) -> Result<Regular, EngineError> {
        let filling = self.filling.as_ref().ok_or(EngineError::Stopped)?;
        // A name that refers to another file by now has the time of that file.
        let known = &self.job.known;
        let time = known.object(state.id).and_then(|_| known.time(&met.path));
        let made = self.contents.copy(&filling.dir, file, state, time)?;
        let guest = || self.job.original.guest.name.clone();
        if let Some(what) = made.lost {
            return Err(EngineError::NotCopiedWhole {
                guest: guest(),
                path: met.path.clone(),
                what,
            });
        }
        if made.changed {
            self.changed(&met.path)?;
        }
        if made.not_kept {
            self.copied.remarks.not_kept.push(&met.path);
        }
        if made.was_immutable && self.job.known.object(state.id).is_none() {
            self.copied.remarks.were_immutable.push(&met.path);
        }
        if made.append_only {
            let path = met.path.clone();
            self.append_only.push((path, FileKind::Regular));
        }
        Ok(made.file)
    }

    /// A change in a guest that seemed to be stopped ends all; one that runs was known to change.
    fn changed(&mut self, path: &GuestPath) -> Result<(), EngineError> {
        if !self.job.is_running {
            return Err(EngineError::ChangedMeanwhile {
                guest: self.job.original.guest.name.clone(),
                path: path.clone(),
            });
        }
        self.copied.remarks.changed.push(path);
        Ok(())
    }

    fn special(&mut self, met: &MetEntry<'_>) -> Result<(), EngineError> {
        let Some(handle) = still_there(met.dir.entry(met.name))? else {
            return self.vanished(&met.path);
        };
        let (Some(node), like) = (handle.node()?, handle.metadata()?) else {
            return self.vanished(&met.path);
        };
        if node == SpecialNode::Socket {
            self.copied.remarks.sockets.push(&met.path);
            return Ok(());
        }
        let state = handle.state()?;
        let names = (state.nlink > 1).then_some(ByNames::Inode(state.id));
        if let Some(names) = &names
            && self.link(names, met)?
        {
            return Ok(());
        }
        let is_link = matches!(node, SpecialNode::Link(_));
        let fresh = self.here()?.dir.make_node(met.name, &node)?;
        fresh.dress(&like, is_link, like.mtime.unwrap_or(state.mtime))?;
        self.remember(names, met, state.nlink, None);
        Ok(())
    }
}

impl Visitor for Copier<'_> {
    fn enter(&mut self, path: &[u8], dir: &Dir) -> Result<(), EngineError> {
        let (mut like, mut inherits) = dir.metadata()?;
        if let Some(project) = self.contents.project {
            (like.project, inherits) = (project, true);
        }
        let target = self.root.open_deep(path)?;
        target.begin_like(&like)?;
        let path = GuestPath::new(&[b"/", path].concat()).unwrap_or_else(|_| GuestPath::root());
        if dir.is_immutable() {
            self.copied.remarks.were_immutable.push(&path);
        }
        if is_append_only(&like) {
            self.append_only.push((path.clone(), FileKind::Directory));
        }
        self.filling = Some(Filling {
            dir: target,
            path,
            like,
            inherits,
        });
        Ok(())
    }

    fn directory(&mut self, met: &MetEntry<'_>, is_foreign: bool) -> Result<(), EngineError> {
        let here = &self.here()?.dir;
        here.make_dir(met.name)?;
        if is_foreign {
            let state = &met.state;
            let like = Metadata {
                mode: state.mode,
                uid: state.uid,
                gid: state.gid,
                mtime: Some(state.mtime),
                xattrs: Vec::new(),
                flags: 0,
                project: self.contents.project.unwrap_or(0),
            };
            let inherits = self.contents.project.is_some();
            here.open_dir(met.name)?.dress(&like, inherits)?;
            self.copied.remarks.foreign.push(&met.path);
        }
        Ok(())
    }

    fn other(&mut self, met: &MetEntry<'_>) -> Result<(), EngineError> {
        match met.state.kind {
            FileKind::Regular => self.regular(met),
            _ => self.special(met),
        }
    }

    fn identity(&mut self, met: &MetEntry<'_>, rule: &IdentityRule) -> Result<(), EngineError> {
        self.copied.left_out.extend(left_out(met, rule));
        if rule.becomes != Becomes::Empty {
            return Ok(());
        }
        let opened = still_there(met.dir.open_regular_seen(met.name))?;
        let Some((file, state)) = opened.flatten() else {
            return self.vanished(&met.path);
        };
        let here = &self.filling.as_ref().ok_or(EngineError::Stopped)?.dir;
        let empty = FileState { size: 0, ..state };
        let made = self.contents.once(here, &file, &empty, state.mtime)?;
        Ok(here.link(&made.file, met.name)?)
    }

    fn leave(&mut self) -> Result<(), EngineError> {
        let Some(filled) = self.filling.take() else {
            return Ok(());
        };
        if !filled.dir.dress(&filled.like, filled.inherits)? {
            self.copied.remarks.not_kept.push(&filled.path);
        }
        Ok(())
    }

    fn vanished(&mut self, path: &GuestPath) -> Result<(), EngineError> {
        self.changed(path)
    }
}

/// A file of the stage by its path.
fn opened(root: &Dir, path: &GuestPath) -> SysResult<Option<Regular>> {
    let parent = root.open_deep(path.parent().relative())?;
    Ok(parent.open_own(path.file_name())?.map(|(file, _)| file))
}
