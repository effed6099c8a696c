//! What runs of others have written since the base was read: what is known stays true for all that they say nothing of.
//!
//! A run announces each name and each inode in its journal before it touches it, in its turn, and writes into its
//! receipt what came of that before the turn is over (`exchange`); a healing writes a receipt of its own. So in a turn
//! of ours nothing stands on the disk that no paper says. One that was cut short has written its last, and may lie so
//! for weeks: that alone is no reason to read anything anew.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::base::{Base, JOURNAL, RECEIPT, RECOVERED};
use crate::engine::records::receipts;
use crate::engine::records::writers::object_names::ObjectNames;
use crate::ledger::ReceiptReader;
use crate::ledger::journal::{self, Record};
use crate::model::{FileId, GuestName, ObjectId, Receipt, RunId};
use crate::sys::own::papers;
use crate::sys::own::tail::PaperTail;
use crate::sys::{SysError, SysResult};

/// A writer waits while so many bytes are read. Where more came, all is read anew beside the answers.
const MOST: u64 = 8 << 20;

/// So many inodes, and guests of objects, are told apart; beyond, all is read anew.
const MOST_TOLD: usize = 1 << 18;

/// Runs of others that were not over when the base was read, and those since.
#[derive(Debug)]
pub(super) struct OtherRuns {
    /// The last of them then.
    last: Option<RunId>,
    runs: BTreeMap<RunId, OtherRun>,
    /// Did nobody else move names then? What is announced may not have been on the disk yet.
    is_settled: bool,
    /// Objects that they have named since, with the guests.
    objects: HashMap<ObjectId, HashSet<GuestName>>,
    /// How many guests of objects these are.
    told: usize,
    /// Inodes that may have become objects since.
    inodes: HashSet<FileId>,
    /// Have they written what cannot be told apart?
    is_lost: bool,
}

/// What they have said of an object since.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine::breaking) enum ToldSince<'a> {
    Nothing,
    /// Names of these guests.
    Names(&'a HashSet<GuestName>),
    /// Nobody knows.
    Anything,
}

impl OtherRuns {
    /// How far they are now, as the base is about to be read.
    pub fn look(base: &Base, own: &[RunId]) -> SysResult<OtherRuns> {
        // The name of one of our own is another's next, if it is called off.
        let mut all = base.runs()?;
        all.retain(|run| !own.contains(run));
        let last = all.last().cloned();
        // One that begins has papers first, then its place in flight, and then a receipt: it is missed by neither look.
        let mut unfinished = Vec::new();
        for run in &all {
            let receipt = papers::allocated(&base.run_paper(run, RECEIPT));
            if SysError::absent(receipt)?.is_none() {
                unfinished.push(run.clone());
            }
        }
        let in_flight = base.staging().list()?;
        let in_flight = in_flight
            .iter()
            .filter_map(|name| String::from_utf8_lossy(name).parse::<RunId>().ok());
        unfinished.extend(in_flight.filter(|run| all.binary_search(run).is_ok()));
        let papers = |run: RunId| Ok((run.clone(), OtherRun::unfinished(base, &run)?));
        let runs = unfinished
            .into_iter()
            .map(papers)
            .collect::<SysResult<_>>()?;
        Ok(OtherRuns {
            last,
            runs,
            // What began before this is in the papers as they were seen, or over.
            is_settled: !base.is_in_turn(),
            objects: HashMap::new(),
            told: 0,
            inodes: HashSet::new(),
            is_lost: false,
        })
    }

    /// Did it know of this run?
    pub fn knows_of(&self, run: &RunId) -> bool {
        Some(run) <= self.last.as_ref()
    }

    /// Those that were not over.
    pub fn unfinished(&self) -> impl Iterator<Item = &RunId> {
        self.runs.keys().filter(|run| self.knows_of(run))
    }

    /// Reads what they have written by now.
    pub fn follow(&mut self, base: &Base, own: &[RunId], names: &ObjectNames) -> SysResult<()> {
        if self.is_lost {
            return Ok(());
        }
        let all = base.runs()?;
        // One that was called off gives its name to the next one.
        self.runs.retain(|run, _| all.binary_search(run).is_ok());
        let is_new = |run: &RunId| !self.knows_of(run) && !own.contains(run);
        let new: Vec<RunId> = all.into_iter().filter(is_new).collect();
        let mut runs = std::mem::take(&mut self.runs);
        for run in new {
            let begun = || OtherRun::begun(base, &run);
            runs.entry(run.clone()).or_insert_with(begun);
        }
        let read = self.read_on(&mut runs, base, names);
        self.runs = runs;
        // What cannot be read on is read anew beside the answers, where it is told why that fails.
        self.is_lost |= read.is_err() || self.told.max(self.inodes.len()) > MOST_TOLD;
        if self.is_lost {
            (self.objects, self.inodes) = (HashMap::new(), HashSet::new());
        }
        Ok(())
    }

    fn read_on(
        &mut self,
        runs: &mut BTreeMap<RunId, OtherRun>,
        base: &Base,
        names: &ObjectNames,
    ) -> SysResult<()> {
        for (run, papers) in runs.iter_mut().filter(|(_, papers)| !papers.is_over) {
            if self.is_lost {
                break;
            }
            let in_flight = base.staging().look(run.to_string().as_bytes());
            let is_ended = SysError::absent(in_flight)?.is_none();
            self.is_lost = !self.take(papers, base, names)?;
            papers.is_over = is_ended && papers.is_complete;
        }
        Ok(())
    }

    /// May this inode have become an object since?
    pub fn may_have_added(&self, inode: FileId) -> bool {
        self.is_lost || !self.is_settled || self.inodes.contains(&inode)
    }

    /// What they have said of it since.
    pub fn told_of(&self, object: &ObjectId) -> ToldSince<'_> {
        match self.objects.get(object) {
            _ if self.is_lost => ToldSince::Anything,
            Some(guests) => ToldSince::Names(guests),
            None => ToldSince::Nothing,
        }
    }

    /// What this one has written since. False where that cannot be told.
    fn take(&mut self, run: &mut OtherRun, base: &Base, names: &ObjectNames) -> SysResult<bool> {
        let recovered = run.recovered.grown(MOST)?;
        let (journal, receipt) = (run.journal.grown(MOST)?, run.receipt.grown(MOST)?);
        let (Some([]), Some(journal), Some(receipt)) = (recovered.as_deref(), journal, receipt)
        else {
            return Ok(false);
        };
        Ok(self.take_journal(&journal, base)? && self.take_receipt(run, &receipt, names))
    }

    fn take_journal(&mut self, lines: &[u8], base: &Base) -> SysResult<bool> {
        let read = journal::read(lines);
        let read = read.map_err(|e| SysError::new("read", base.path(), e))?;
        for record in read.records {
            match record {
                Record::Intent(intent) => {
                    self.inodes.insert(intent.becomes);
                    self.names(intent.object, intent.guest);
                }
                Record::Lift { inode, .. } => drop(self.inodes.insert(inode)),
                Record::Begin { .. }
                | Record::Blocks { .. }
                | Record::Commit { .. }
                | Record::Done { .. } => {}
            }
        }
        Ok(read.damaged_at.is_none())
    }

    fn take_receipt(&mut self, run: &mut OtherRun, lines: &[u8], names: &ObjectNames) -> bool {
        if lines.is_empty() {
            return true;
        }
        let reader = match &run.head {
            Some(head) => Ok(ReceiptReader::behind(lines, head.clone())),
            None => ReceiptReader::open(lines),
        };
        let Ok(mut reader) = reader else {
            return false;
        };
        let is_elsewhere = moves_guests(reader.receipt(), names);
        run.head.get_or_insert_with(|| reader.receipt().clone());
        while let Some(line) = reader.next_line() {
            if let (Some(object), Some(guest)) = (line.object(), line.guest()) {
                self.names(*object, guest.clone());
            }
        }
        let end = reader.finish();
        run.is_complete |= end.complete;
        end.damaged.is_empty() && !is_elsewhere
    }

    fn names(&mut self, object: ObjectId, guest: GuestName) {
        let is_new = self.objects.entry(object).or_default().insert(guest);
        self.told += usize::from(is_new);
    }
}

/// Does it have a guest elsewhere than it is known to be? One that is not known has names only where lines say so.
fn moves_guests(receipt: &Receipt, names: &ObjectNames) -> bool {
    let mut guests = receipt.guests.iter();
    receipt.what.finds_guests()
        && guests.any(|guest| {
            let known = names.root_of(&guest.name);
            known.is_some_and(|root| root != guest.root)
        })
}

/// How much of the papers of a run is known.
#[derive(Debug)]
struct OtherRun {
    journal: PaperTail,
    receipt: PaperTail,
    recovered: PaperTail,
    /// The first line of its receipt, where that is known.
    head: Option<Receipt>,
    /// Has its receipt an end?
    is_complete: bool,
    /// It writes nothing more.
    is_over: bool,
}

impl OtherRun {
    /// Nothing of it is known.
    fn begun(base: &Base, run: &RunId) -> OtherRun {
        let unread = |name| PaperTail::unread(base.run_paper(run, name));
        OtherRun {
            journal: unread(JOURNAL),
            receipt: unread(RECEIPT),
            recovered: unread(RECOVERED),
            head: None,
            is_complete: false,
            is_over: false,
        }
    }

    /// All that it has written is about to be read.
    fn unfinished(base: &Base, run: &RunId) -> SysResult<OtherRun> {
        let known = |name| PaperTail::known(base.run_paper(run, name));
        let receipt = known(RECEIPT)?;
        let head = match receipt.is_unread() {
            true => None,
            false => receipts::open(base, run, RECEIPT)?.map(|reader| reader.receipt().clone()),
        };
        Ok(OtherRun {
            journal: known(JOURNAL)?,
            recovered: known(RECOVERED)?,
            receipt,
            head,
            ..OtherRun::begun(base, run)
        })
    }
}
