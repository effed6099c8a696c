//! A look at the whole source: what there is to copy, what it takes, and what a person should know before.

use std::collections::HashSet;

use super::known::KnownFiles;
use super::tree::{MetEntry, Original, Visitor};
use crate::engine::EngineError;
use crate::model::{
    Blocks, CloneRemarks, CloneTotals, Event, FileId, FileKind, GuestPath, LeftOut, Observer,
};
use crate::rules::identity::{Becomes, IdentityRule};
use crate::rules::secrets::Secrets;
use crate::sys::guest::SpecialNode;
use crate::sys::{Dir, SysResult, View};

/// What an inode, its names and its place in the tables of a file system take at most, where its blocks are shared.
const AN_INODE: u64 = 2_048;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct CloneCensus {
    pub totals: CloneTotals,
    pub left_out: Vec<LeftOut>,
    pub remarks: CloneRemarks,
    /// A file with blocks, by which sharing them is tried.
    sample: Option<GuestPath>,
}

/// Looks.
pub(super) fn look(
    original: &Original<'_>,
    known: &KnownFiles,
    secrets: Secrets,
    observer: &dyn Observer,
) -> Result<CloneCensus, EngineError> {
    let mut look = CloneCounter {
        known,
        secrets,
        seen: HashSet::new(),
        looked: CloneCensus::default(),
        observer,
        met: 0,
    };
    original.walk(&mut look)?;
    Ok(look.looked)
}

impl CloneCensus {
    /// Bytes that a clone takes at most.
    pub fn needed(&self, blocks: Blocks) -> u64 {
        let data = match blocks {
            Blocks::Copied => self.totals.allocated,
            Blocks::Shared => 0,
        };
        data.saturating_add(self.inodes().saturating_mul(AN_INODE))
    }

    /// Inodes that a clone has at most.
    pub fn inodes(&self) -> u64 {
        let totals = &self.totals;
        totals.directories + totals.files + totals.symlinks + totals.special
    }

    /// Can a file there share the blocks of one of the source's? It is tried on a file without a name.
    pub fn reflinks_to(&self, view: &View, place: &Dir) -> SysResult<bool> {
        let Some(sample) = &self.sample else {
            return Ok(false);
        };
        let Ok(Some(file)) = view.open(sample.relative()) else {
            return Ok(false);
        };
        file.reflink_into(&place.nameless()?)
    }
}

struct CloneCounter<'a> {
    known: &'a KnownFiles,
    secrets: Secrets,
    /// Inodes with several names that were met.
    seen: HashSet<(FileId, Option<u32>)>,
    looked: CloneCensus,
    observer: &'a dyn Observer,
    /// Names in the current directory.
    met: u64,
}

impl CloneCounter<'_> {
    fn file(&mut self, met: &MetEntry<'_>) {
        if self.secrets.holds(met.path.as_bytes()) && met.state.size > 0 {
            self.looked.remarks.secrets.push(&met.path);
        }
        let totals = &mut self.looked.totals;
        let object = self.known.object(met.state.id);
        let file = object.and_then(|_| self.known.file(&met.path));
        // Names of one object are files of their own, unless they are known as one.
        let is_one = object.is_none() || file.is_some();
        if met.state.nlink > 1 && is_one && !self.seen.insert((met.state.id, file)) {
            totals.more_names += 1;
            return;
        }
        totals.files += 1;
        totals.bytes = totals.bytes.saturating_add(met.state.size);
        let allocated = met.state.allocated();
        totals.allocated = totals.allocated.saturating_add(allocated);
        if object.is_some() {
            totals.shared_files += 1;
            totals.shared_bytes = totals.shared_bytes.saturating_add(allocated);
        }
        let is_sample = allocated > 0 && self.looked.sample.is_none();
        if is_sample && met.state.size >= 4096 {
            self.looked.sample = Some(met.path.clone());
        }
    }
}

impl Visitor for CloneCounter<'_> {
    fn enter(&mut self, _: &[u8], _: &Dir) -> Result<(), EngineError> {
        self.looked.totals.directories += 1;
        Ok(())
    }

    fn directory(&mut self, met: &MetEntry<'_>, is_foreign: bool) -> Result<(), EngineError> {
        self.met += 1;
        if is_foreign {
            self.looked.totals.directories += 1;
            self.looked.remarks.foreign.push(&met.path);
        }
        Ok(())
    }

    fn other(&mut self, met: &MetEntry<'_>) -> Result<(), EngineError> {
        self.met += 1;
        let kind = met.state.kind;
        if kind != FileKind::Regular
            && met.state.nlink > 1
            && !self.seen.insert((met.state.id, None))
        {
            self.looked.totals.more_names += 1;
            return Ok(());
        }
        match kind {
            FileKind::Symlink => self.looked.totals.symlinks += 1,
            FileKind::Regular => self.file(met),
            FileKind::Directory => {}
            FileKind::Special => match met.dir.entry(met.name)?.node()? {
                Some(SpecialNode::Socket) => self.looked.remarks.sockets.push(&met.path),
                _ => self.looked.totals.special += 1,
            },
        }
        Ok(())
    }

    fn identity(&mut self, met: &MetEntry<'_>, rule: &IdentityRule) -> Result<(), EngineError> {
        self.looked.left_out.extend(left_out(met, rule));
        self.looked.totals.files += u64::from(rule.becomes == Becomes::Empty);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), EngineError> {
        self.observer
            .notice(&Event::Advance(std::mem::take(&mut self.met)));
        Ok(())
    }

    fn vanished(&mut self, _: &GuestPath) -> Result<(), EngineError> {
        // What is there is asked again when it is copied.
        Ok(())
    }
}

/// What is told of something that is left out; nothing of a file that is empty already.
pub(super) fn left_out(met: &MetEntry<'_>, rule: &IdentityRule) -> Option<LeftOut> {
    let emptied = rule.becomes == Becomes::Empty;
    let told = !emptied || met.state.size > 0;
    told.then(|| LeftOut {
        path: met.path.clone(),
        code: rule.code,
        why: rule.why,
        emptied,
    })
}
