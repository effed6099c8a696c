//! What earlier plans have read, asked before a file is opened, and what this plan has read, kept for the next one.
//!
//! Only a base remembers; without one, and with `--no-cache`, every file is read. What is remembered decides nothing
//! that `apply` does not prove again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::equal::Read;
use super::matching::Which;
use super::probe::Probed;
use crate::base::{Base, Digests, Known};
use crate::model::{Event, FileState, Fingerprint, Ignored, Metadata, Observer};
use crate::sys::{SysResult, machine};

/// A file whose times are younger than this may change again without new times. Seconds.
const SETTLED: i64 = 2;

/// What is known before a file is opened.
#[derive(Default)]
pub(super) struct Memory<'a> {
    base: Option<&'a Base>,
    digests: Digests,
    seen: Mutex<Vec<(FileState, Known)>>,
    started: i64,
    /// What cannot be seen must not be remembered as not being there.
    sees_all: bool,
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

    /// Can files that look alike be told apart by what is known? Those that begin alike must be known to their ends.
    pub fn tells<'s>(&self, mut run: impl Iterator<Item = &'s FileState>) -> bool {
        let mut open: HashMap<Fingerprint, bool> = HashMap::new();
        run.all(|state| {
            let known = self.digests.of(state).filter(|known| known.plain.is_some());
            known.is_some_and(|known| {
                let unread = known.content.is_none();
                let before = open.insert(known.beginning, unread);
                before.is_none_or(|before| !before && !unread)
            })
        })
    }

    /// The fast hash of a file's beginning.
    pub fn beginning(&self, state: &FileState) -> Option<Fingerprint> {
        let known = self.digests.of(state)?;
        self.keep(state, *known);
        Some(known.beginning)
    }

    /// The metadata of a file that had no extended attributes, and the fast hash of its beginning.
    pub fn looked(&self, state: &FileState, ignore: &[Ignored]) -> Option<(Probed, Fingerprint)> {
        let known = self.digests.of(state)?;
        let probed = probed(known, state, ignore)?;
        self.keep(state, *known);
        Some((probed, known.beginning))
    }

    /// A file that was read to its end before, and had no extended attributes. Whoever asks has asked for its beginning
    /// or its metadata before, so that it is kept already.
    pub fn whole(&self, which: Which, state: &FileState, ignore: &[Ignored]) -> Option<Read> {
        let known = self.digests.of(state)?;
        Some(Read {
            which,
            probed: probed(known, state, ignore)?,
            content: known.content?,
            beginning: known.beginning,
            extents: known.extents,
        })
    }

    /// Keeps the beginning of a file that was read no further, and its metadata if somebody looked at them. Extended
    /// attributes are judged by rules that may change: they are looked at anew every time.
    pub fn begun(&self, state: &FileState, beginning: Fingerprint, probed: Option<&Probed>) {
        let plain = probed.and_then(|probed| probed.plain);
        let known = Known {
            beginning,
            plain,
            content: None,
            extents: None,
        };
        self.keep(state, known);
    }

    /// Keeps what a file holds.
    pub fn read(&self, state: &FileState, read: &Read) {
        let known = Known {
            beginning: read.beginning,
            plain: read.probed.plain,
            content: Some(read.content),
            extents: read.extents,
        };
        self.keep(state, known);
    }

    fn keep(&self, state: &FileState, mut known: Known) {
        known.plain = known.plain.filter(|_| self.sees_all);
        let settled = state.mtime.sec.max(state.ctime.sec) < self.started - SETTLED;
        if self.base.is_some() && settled {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            // The memory is bounded, and so is what is gathered for it.
            if seen.len() < Digests::MOST {
                seen.push((*state, known));
            }
        }
    }

    /// Hands all of it to the base. That it cannot be kept is no failure of the plan.
    pub fn hand_over(self, observer: &dyn Observer) {
        let seen = self.seen.into_inner();
        let seen = seen.unwrap_or_else(PoisonError::into_inner);
        let written: SysResult<()> = self
            .base
            .map_or(Ok(()), |base| self.digests.write(base, &seen));
        if let Err(error) = written {
            observer.notice(&Event::Warning(&format!(
                "{error}; the next plan will read again what this one read"
            )));
        }
    }
}

/// What opening the file would tell of its metadata, where it had no extended attributes.
fn probed(known: &Known, state: &FileState, ignore: &[Ignored]) -> Option<Probed> {
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
