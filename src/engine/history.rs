//! What the base remembers: every receipt, replayed in order. It says which names were linked to which object and not
//! undone since. It is a memory, not a fact: what a name refers to now is asked of the disk.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::{EngineError, Guest};
use crate::base::Base;
use crate::ledger::{ReceiptError, ReceiptReader};
use crate::model::{
    Digest, GuestName, GuestPath, ObjectId, Outcome, Protect, Receipt, ReceiptLine, Refusal,
    RunEnd, RunId, RunKind, RunStatus, Time,
};
use crate::sys::{SysError, SysResult, papers};

/// A guest that the base remembers. Its name says who it is, its root where it was last.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    pub root: PathBuf,
    /// What was linked and not undone, by first name.
    pub files: BTreeMap<GuestPath, Linked>,
    /// First names by the others.
    firsts: HashMap<GuestPath, GuestPath>,
}

impl Remembered {
    /// Its root, if a directory is there.
    pub fn open(&self, name: &GuestName) -> Option<Guest> {
        Guest::open(name.clone(), &self.root).ok()
    }

    /// Names that were another file's are this one's now; the other keeps the rest.
    fn link(&mut self, linked: Linked) {
        for name in &linked.paths {
            if let Some(mut other) = self.take_out(name) {
                other.paths.retain(|path| path != name);
                self.put_in(other);
            }
        }
        self.put_in(linked);
    }

    /// The file that has any of these names is nobody's but its guest's.
    fn forget(&mut self, names: &[GuestPath]) {
        names.iter().find_map(|name| self.take_out(name));
    }

    fn put_in(&mut self, linked: Linked) {
        if let Some(first) = linked.paths.first().cloned() {
            let others = linked.paths.iter().filter(|name| **name != first);
            self.firsts
                .extend(others.map(|name| (name.clone(), first.clone())));
            self.files.insert(first, linked);
        }
    }

    /// The file that has this name, no more among the others.
    fn take_out(&mut self, name: &GuestPath) -> Option<Linked> {
        let first = self.firsts.get(name).unwrap_or(name);
        let linked = self.files.remove(first)?;
        for name in &linked.paths {
            self.firsts.remove(name);
        }
        Some(linked)
    }
}

/// A file of a guest that was linked and not undone.
#[derive(Debug, Clone)]
pub(super) struct Linked {
    /// All its names.
    pub paths: Vec<GuestPath>,
    pub object: ObjectId,
    /// The run that linked it last.
    pub run: RunId,
    /// Its own time, where that is not the object's.
    pub mtime: Option<Time>,
    /// Did the run that linked it protect its objects?
    pub protected: bool,
}

/// All receipts of a base.
#[derive(Debug, Default)]
pub(super) struct History {
    pub guests: BTreeMap<GuestName, Remembered>,
    pub runs: Vec<RunStatus>,
    /// Runs by the content digest of their plan.
    pub plans: Vec<(Digest, RunId)>,
}

impl History {
    /// Replays all receipts, oldest first.
    pub fn read(base: &Base) -> Result<History, EngineError> {
        let mut history = History::default();
        for run in base.runs()? {
            for name in ["receipt.jsonl", "recovered.jsonl"] {
                history.replay(base, &run, name)?;
            }
        }
        Ok(history)
    }

    /// Guests that hold names and whose roots are still there, opened; without those in `open`.
    pub fn holders(&self, open: &[Guest]) -> Vec<Guest> {
        let held = self.guests.iter().filter(|(name, known)| {
            !known.files.is_empty() && !open.iter().any(|guest| guest.name == **name)
        });
        held.filter_map(|(name, known)| known.open(name)).collect()
    }

    /// Objects that names were linked to, and whether a run that did so protects them.
    pub fn protection(&self) -> HashMap<ObjectId, bool> {
        let mut all = HashMap::new();
        for file in self.guests.values().flat_map(|known| known.files.values()) {
            *all.entry(file.object).or_default() |= file.protected;
        }
        all
    }

    fn replay(&mut self, base: &Base, run: &RunId, name: &str) -> Result<(), EngineError> {
        let path = base.run_paper(run, name);
        let damaged =
            |e: ReceiptError| SysError::new("use", &path, std::io::Error::other(e.to_string()));
        let Some(file) = SysError::absent(papers::open_for_reading(&path))? else {
            return Ok(());
        };
        let mut reader = match ReceiptReader::open(file) {
            // A run that was killed before its first line was whole has done nothing.
            Err(ReceiptError::NotAReceipt) => return Ok(()),
            other => other.map_err(damaged)?,
        };
        let receipt = reader.receipt().clone();
        self.see(&receipt);
        while let Some(line) = reader.next_line().map_err(damaged)? {
            self.take(&receipt, line);
        }
        let totals = reader.finish().map_err(damaged)?.totals;
        if name == "receipt.jsonl" {
            self.plans
                .extend(receipt.plan.map(|plan| (plan, run.clone())));
            self.runs.push(RunStatus {
                end: end_of(base, run, totals.is_some())?,
                run: run.clone(),
                what: receipt.what,
                started: receipt.started,
                totals,
            });
        }
        Ok(())
    }

    /// A guest that is known may have been brought to another place.
    fn see(&mut self, receipt: &Receipt) {
        for guest in &receipt.guests {
            if let Some(known) = self.guests.get_mut(&guest.name) {
                known.root.clone_from(&guest.root);
            }
        }
    }

    fn take(&mut self, receipt: &Receipt, line: ReceiptLine) {
        let Some(guest) = receipt
            .guests
            .iter()
            .find(|g| Some(&g.name) == line.guest.as_ref())
        else {
            return;
        };
        let known = self.guests.entry(guest.name.clone()).or_default();
        known.root.clone_from(&guest.root);
        let Some(first) = line.paths.first().cloned() else {
            return;
        };
        // What healing finished may stand in the receipt already, and there with more facts.
        let in_receipt = known
            .files
            .get(&first)
            .is_some_and(|linked| linked.run == receipt.run);
        let mtime = match line.outcome {
            Outcome::Done { mtime, .. } if !in_receipt || mtime.is_some() => mtime,
            Outcome::AlreadyDone if !known.files.contains_key(&first) => None,
            // A name that undo found to be the guest's own, or gone, is ours no more.
            Outcome::Refused(Refusal::NotShared {} | Refusal::Gone {})
                if receipt.what == RunKind::Undo =>
            {
                None
            }
            _ => return,
        };
        match receipt.what {
            RunKind::Undo => known.forget(&line.paths),
            RunKind::Apply => {
                let linked = Linked {
                    paths: line.paths,
                    object: line.object,
                    run: receipt.run.clone(),
                    mtime,
                    protected: receipt.protect.is_some_and(|mode| mode != Protect::None),
                };
                known.link(linked);
            }
        }
    }
}

/// The directory of what is in flight goes with the end of a run, or of its healing.
fn end_of(base: &Base, run: &RunId, has_totals: bool) -> SysResult<RunEnd> {
    let in_flight = SysError::absent(base.staging().look(run.to_string().as_bytes()))?;
    Ok(match (in_flight, has_totals) {
        (Some(_), _) => RunEnd::Unfinished,
        (None, true) => RunEnd::Whole,
        (None, false) => RunEnd::Recovered,
    })
}
