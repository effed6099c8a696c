//! What earlier plans have read, asked before a file is opened, and what this plan has read, kept for the next one.
//!
//! Only a base remembers; without one, and with `--no-cache`, every file is read. What is remembered decides nothing
//! that `apply` does not prove again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::file::FileRef;
use super::file::ReadFile;
use super::groups::Groups;
use super::inode_attributes::Plains;
use super::probe::{Plain, Probed};
use crate::base::{Base, Digests, KnownContent};
use crate::engine::planning::survey::Survey;
use crate::model::{Digest, Event, FileState, Fingerprint, Ignored, Metadata, Observer};
use crate::sys::SysResult;
use crate::sys::host::machine;

/// A file whose times are younger than this may change again without new times. Seconds.
const SETTLED: i64 = 2;

/// What is known before a file is opened.
#[derive(Default)]
pub struct Memory<'a> {
    base: Option<&'a Base>,
    digests: Digests,
    seen: Mutex<SeenFiles>,
    started: i64,
    /// What cannot be seen must not be remembered as not being there.
    sees_all: bool,
}

/// Files that were looked at and are in no group; those keep what is to be remembered themselves.
#[derive(Default)]
struct SeenFiles {
    files: Vec<Looked>,
    contents: Vec<Digest>,
    plains: Plains,
}

/// 36 bytes for what takes 80 as [`KnownContent`]: most were read no further than their beginnings.
struct Looked {
    which: FileRef,
    beginning: [u8; 16],
    extents: Option<u32>,
    /// Number among the contents, from 1 on.
    content: u32,
    plain: u32,
}

impl<'a> Memory<'a> {
    /// What the base remembers, and room for what it shall.
    pub fn of(base: &'a Base) -> Memory<'a> {
        Memory {
            base: Some(base),
            digests: Digests::read(base),
            seen: Mutex::default(),
            started: machine::seconds(),
            sees_all: machine::sees_all_attributes(),
        }
    }

    /// Can files that look alike be distinguished by what is known? Those that begin alike must be known to their
    /// ends.
    pub fn tells(&self, mut run: impl Iterator<Item = FileState>) -> bool {
        let mut open: HashMap<Fingerprint, bool> = HashMap::new();
        run.all(|state| {
            let known = self
                .digests
                .of(&state)
                .filter(|known| known.plain.is_some());
            known.is_some_and(|known| {
                let unread = known.content.is_none();
                let before = open.insert(known.beginning, unread);
                before.is_none_or(|before| !before && !unread)
            })
        })
    }

    /// The fast hash of a file's beginning.
    pub fn beginning(&self, state: &FileState) -> Option<Fingerprint> {
        Some(self.digests.of(state)?.beginning)
    }

    /// The metadata of a file that had no extended attributes, and the fast hash of its beginning.
    pub fn looked(&self, state: &FileState, ignore: &[Ignored]) -> Option<(Probed, Fingerprint)> {
        let known = self.digests.of(state)?;
        Some((probed(&known, state, ignore)?, known.beginning))
    }

    /// A file that was read to its end before, and had no extended attributes.
    pub fn whole(&self, which: FileRef, state: &FileState, ignore: &[Ignored]) -> Option<ReadFile> {
        let known = self.digests.of(state)?;
        Some(ReadFile {
            which,
            probed: probed(&known, state, ignore)?,
            content: known.content?,
            beginning: known.beginning,
            extents: known.extents,
        })
    }

    /// Keeps the beginning of a file that was read no further, or what is known already. Extended attributes are
    /// judged by rules that may change: they are looked at anew every time.
    pub fn begun(
        &self,
        which: FileRef,
        state: &FileState,
        (beginning, plain): (Fingerprint, Plain),
    ) {
        let mut known = self.digests.of(state).unwrap_or(KnownContent {
            beginning,
            plain,
            content: None,
            extents: None,
        });
        known.plain = known.plain.or(plain);
        self.keep(which, state, &known);
    }

    /// Keeps what a file holds that is in no group.
    pub fn read(&self, state: &FileState, read: &ReadFile) {
        let known = KnownContent {
            beginning: read.beginning,
            plain: read.probed.plain,
            content: Some(read.content),
            extents: read.extents,
        };
        self.keep(read.which, state, &known);
    }

    fn keep(&self, which: FileRef, state: &FileState, known: &KnownContent) {
        if self.base.is_some() && self.is_settled(state) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.keep(which, known);
        }
    }

    fn is_settled(&self, state: &FileState) -> bool {
        state.mtime.sec.max(state.ctime.sec) < self.started - SETTLED
    }

    /// Hands all of it to the base. That it cannot be kept is no failure of the plan.
    pub fn hand_over(&self, surveys: &[Survey], groups: &Groups, observer: &dyn Observer) {
        let Some(base) = self.base else { return };
        let written: SysResult<()> = self.write(base, surveys, groups);
        if let Err(error) = written {
            observer.notice(&Event::Warning(&format!(
                "{error}; the next plan will read again what this one read"
            )));
        }
    }

    fn write(&self, base: &Base, surveys: &[Survey], groups: &Groups) -> SysResult<()> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let state = |which: FileRef| {
            let tree = &surveys[which.guest as usize].scan.tree;
            tree.state(which.file as usize)
        };
        let whole = seen.files.len() + groups.files();
        let mut all: Vec<ContentSource> = Vec::with_capacity(whole.min(Digests::MOST));
        let grouped = groups
            .all()
            .filter(|one| self.is_settled(&state(one.2.which)));
        let grouped = grouped.map(|(group, at, _)| ContentSource { group, at });
        all.extend(seen.sources().chain(grouped).take(Digests::MOST));
        let which = |source: ContentSource| match source.group {
            SEEN => seen.files[source.at as usize].which,
            group => groups.member(group as usize, source.at).which,
        };
        let inode = |source: ContentSource| {
            let which = which(source);
            let tree = &surveys[which.guest as usize].scan.tree;
            tree.inode(which.file as usize)
        };
        all.sort_unstable_by_key(|source| (inode(*source), *source));
        let known = |source: ContentSource| match source.group {
            SEEN => seen.known(source.at as usize),
            group => groups.known(group as usize, source.at),
        };
        let all = all.into_iter().map(|source| {
            let mut known = known(source);
            known.plain = known.plain.filter(|_| self.sees_all);
            (state(which(source)), known)
        });
        self.digests.write(base, all)
    }
}

/// Where the facts that are known of a file stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ContentSource {
    /// A group's number, or [`SEEN`].
    group: u32,
    /// Which of the files there.
    at: u32,
}

const SEEN: u32 = u32::MAX;

impl SeenFiles {
    fn sources(&self) -> impl Iterator<Item = ContentSource> {
        let files = (0u32..).take(self.files.len());
        files.map(|at| ContentSource { group: SEEN, at })
    }

    fn keep(&mut self, which: FileRef, known: &KnownContent) {
        // What will be remembered is bounded, and so is what is gathered for it.
        if self.files.len() >= Digests::MOST {
            return;
        }
        let content = known.content.map(|content| {
            self.contents.push(content);
            number(self.contents.len())
        });
        let plain = self.plains.number(known.plain);
        self.files.push(Looked {
            which,
            beginning: known.beginning.0.to_le_bytes(),
            extents: known.extents,
            content: content.unwrap_or(0),
            plain,
        });
    }

    fn known(&self, at: usize) -> KnownContent {
        let looked = &self.files[at];
        let content = looked.content.checked_sub(1);
        KnownContent {
            beginning: Fingerprint(u128::from_le_bytes(looked.beginning)),
            plain: self.plains.get(looked.plain),
            content: content.map(|at| self.contents[at as usize]),
            extents: looked.extents,
        }
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What opening the file would show of its metadata, where it had no extended attributes.
fn probed(known: &KnownContent, state: &FileState, ignore: &[Ignored]) -> Option<Probed> {
    let (flags, project) = known.plain?;
    Some(Probed::of(&Metadata {
        mode: state.mode,
        uid: state.uid,
        gid: state.gid,
        mtime: (!ignore.contains(&Ignored::Mtime)).then_some(state.mtime),
        xattrs: Vec::new(),
        flags,
        project,
    }))
}
