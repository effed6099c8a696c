//! What the base remembers: every receipt, replayed in order. It says which names were linked to which object and not
//! undone since. It is a memory, not a fact: what a name refers to now is asked of the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{EngineError, Guest};
use crate::base::Base;
use crate::ledger::{ReceiptError, ReceiptReader};
use crate::model::{
    Digest, GuestName, GuestPath, ObjectId, Outcome, Receipt, ReceiptLine, Refusal, RunId, RunKind,
    RunStatus, Time,
};
use crate::sys::{SysError, papers};

/// A guest as receipts name it: two roots of one name are two guests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    pub name: GuestName,
    pub root: PathBuf,
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
}

/// All receipts of a base.
#[derive(Debug, Default)]
pub(super) struct History {
    pub linked: BTreeMap<Holder, BTreeMap<GuestPath, Linked>>,
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

    /// Guests that hold names and whose roots are still there, opened.
    pub fn holders(&self) -> Vec<Guest> {
        let held = self.linked.iter().filter(|(_, names)| !names.is_empty());
        held.filter_map(|(holder, _)| Guest::open(holder.name.clone(), &holder.root).ok())
            .collect()
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
        while let Some(line) = reader.next_line().map_err(damaged)? {
            self.take(&receipt, line);
        }
        let totals = reader.finish().map_err(damaged)?.totals;
        if name == "receipt.jsonl" {
            self.plans
                .extend(receipt.plan.map(|plan| (plan, run.clone())));
            self.runs.push(RunStatus {
                run: run.clone(),
                what: receipt.what,
                started: receipt.started,
                totals,
            });
        }
        Ok(())
    }

    fn take(&mut self, receipt: &Receipt, line: ReceiptLine) {
        let Some(guest) = receipt
            .guests
            .iter()
            .find(|g| Some(&g.name) == line.guest.as_ref())
        else {
            return;
        };
        let holder = Holder {
            name: guest.name.clone(),
            root: guest.root.clone(),
        };
        let names = self.linked.entry(holder).or_default();
        let Some(first) = line.paths.first().cloned() else {
            return;
        };
        // What healing finished may stand in the receipt already, and there with more facts.
        let known = names
            .get(&first)
            .is_some_and(|linked| linked.run == receipt.run);
        let mtime = match line.outcome {
            Outcome::Done { mtime, .. } if !known || mtime.is_some() => mtime,
            Outcome::AlreadyDone if !names.contains_key(&first) => None,
            // A name that undo found to be the guest's own, or gone, is ours no more.
            Outcome::Refused(Refusal::NotShared {} | Refusal::Gone {})
                if receipt.what == RunKind::Undo =>
            {
                None
            }
            Outcome::Done { .. } if receipt.what == RunKind::Undo => None,
            _ => return,
        };
        match receipt.what {
            RunKind::Undo => drop(names.remove(&first)),
            RunKind::Apply => {
                let linked = Linked {
                    paths: line.paths,
                    object: line.object,
                    run: receipt.run.clone(),
                    mtime,
                };
                names.insert(first, linked);
            }
        }
    }
}
