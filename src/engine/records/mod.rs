//! What the base remembers: every receipt, replayed in order. It says which names were linked to which object and not
//! undone since. It is a memory, not a fact: what a name refers to now is asked of the disk.

pub(super) mod bases;
pub(super) mod holders;
pub(super) mod known_roots;
mod linked_files;
pub(super) mod named;
pub(super) mod object_set;
pub(super) mod receipts;
pub(super) mod rediscover;
mod reflinked_files;
pub(super) mod replayed;
pub(super) mod retention;
pub(super) mod shared_lines;
mod table;
pub(super) mod unprotected;
pub(super) mod walked;
pub(super) mod writers;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::{EngineError, Guest};
use crate::base::{Base, RECEIPT, RECOVERED};
use crate::model::{
    About, CommonBlocks, DamagedLine, Digest, GuestName, GuestPath, ObjectId, Outcome, Receipt,
    ReceiptGuest, ReceiptLine, Refusal, RunEnd, RunId, RunKind, RunStatus, RunTotals, StoppedBy,
};
use crate::protect;
use crate::sys::{HostMounts, SysError, SysResult};
use linked_files::Remembered;
use reflinked_files::RememberedBlocks;

pub(super) use linked_files::Linked;
pub(super) use reflinked_files::Reflinked;

/// What is called as a reading gets on.
type ReadingWatch<'a> = &'a dyn Fn() -> SysResult<()>;

/// A guest that the base remembers: it is known by its name, and its root is where it was last.
#[derive(Debug, Clone)]
pub(super) struct KnownGuest {
    pub root: PathBuf,
    /// The run whose receipt says so.
    said_by: RunId,
    number: u32,
    /// The device of the base, and where that is.
    dev: u64,
    base: PathBuf,
}

impl KnownGuest {
    /// Its root, if a directory is there that may hold names.
    pub fn open(&self, name: &GuestName) -> Option<Guest> {
        self.find(name).ok().flatten()
    }

    /// The same; `None` where there is no such directory, or one on another file system, as where a disk was cloned and
    /// the original stands at the old place.
    pub fn find(&self, name: &GuestName) -> SysResult<Option<Guest>> {
        let guest = SysError::absent(Guest::open(name.clone(), &self.root))?;
        Ok(guest.filter(|guest| self.may_be(guest)))
    }

    /// The same for files that have blocks in common with others: they may be in another subvolume of one file system.
    pub fn find_beside(&self, name: &GuestName) -> SysResult<Option<Guest>> {
        let Some(guest) = SysError::absent(Guest::open(name.clone(), &self.root))? else {
            return Ok(None);
        };
        let is_beside = self.may_be(&guest)
            || HostMounts::read()?.are_of_one_filesystem(&guest.path, &self.base);
        Ok(is_beside.then_some(guest))
    }

    /// Hard links do not cross file systems.
    pub fn may_be(&self, guest: &Guest) -> bool {
        guest.id.dev == self.dev
    }
}

/// All receipts of a base. Files are in a table that goes on in the base, so that memory does not grow with them; where
/// nothing may be written, as in `status` and `verify`, all are held.
#[derive(Debug)]
pub(super) struct History {
    pub guests: BTreeMap<GuestName, KnownGuest>,
    pub runs: Vec<RunStatus>,
    /// Runs by the content digest of their plan.
    pub plans: Vec<(Digest, RunId)>,
    /// Lines of receipts that are damaged. What they said is not known.
    pub damaged: Vec<DamagedLine>,
    dev: u64,
    base: PathBuf,
    files: Remembered,
    blocks: RememberedBlocks,
}

impl History {
    /// Replays all receipts, oldest first.
    pub fn read(base: &Base) -> Result<History, EngineError> {
        History::read_watched(base, &|| Ok(()))
    }

    /// The same, and `watch` is called for each line; its error ends the reading.
    pub fn read_watched(base: &Base, watch: ReadingWatch<'_>) -> Result<History, EngineError> {
        let mut history = History {
            guests: BTreeMap::new(),
            runs: Vec::new(),
            plans: Vec::new(),
            damaged: Vec::new(),
            dev: base.dir().state()?.id.dev,
            base: base.path().to_owned(),
            files: Remembered::new(base.spill_place()),
            blocks: RememberedBlocks::new(base.spill_place()),
        };
        for run in base.runs()? {
            for name in [RECEIPT, RECOVERED] {
                history.replay(base, &run, name, watch)?;
            }
        }
        Ok(history)
    }

    /// Are there files of the guest that were linked and not undone?
    pub fn has_files(&self, known: &KnownGuest) -> bool {
        self.files.count(known.number) > 0
    }

    /// The same, or files that have blocks in common with others?
    pub fn has_any(&self, known: &KnownGuest) -> bool {
        self.has_files(known) || self.has_blocks(known)
    }

    /// Are there files of the guest that got blocks of others?
    pub fn has_blocks(&self, known: &KnownGuest) -> bool {
        self.blocks.count(known.number) > 0
    }

    /// Every file that got blocks of another, with its guest; in no order that means anything.
    pub fn blocks(&self) -> impl Iterator<Item = SysResult<Reflinked>> {
        self.blocks.all().map(|file| Ok(file?.1))
    }

    /// The same, guest by guest and by first name, as far as `wanted` says. All of them are in memory then.
    pub fn blocks_by_guest(
        &self,
        wanted: impl Fn(&Reflinked) -> bool,
    ) -> SysResult<BTreeMap<GuestName, Vec<Reflinked>>> {
        let mut all: BTreeMap<GuestName, Vec<Reflinked>> = BTreeMap::new();
        for file in self.blocks() {
            let file = file?;
            if wanted(&file) {
                all.entry(file.blocks.guest.clone()).or_default().push(file);
            }
        }
        for files in all.values_mut() {
            files.sort_by(|a, b| a.paths().cmp(b.paths()));
        }
        Ok(all)
    }

    /// Is this the first name of a file that got blocks of another?
    pub fn has_blocks_of(&self, guest: &GuestName, first: &GuestPath) -> SysResult<bool> {
        match self.guests.get(guest) {
            Some(known) => self.blocks.has(known.number, first),
            None => Ok(false),
        }
    }

    /// Was this guest there by the word of a run that was no break?
    pub fn is_root_of(&self, guest: &GuestName, root: &Path) -> bool {
        let known = self.guests.get(guest).filter(|known| known.root == root);
        let is_of_break = |said_by: &RunId| {
            let mut runs = self.runs.iter();
            runs.any(|run| run.run == *said_by && run.what == RunKind::Break)
        };
        known.is_some_and(|known| !is_of_break(&known.said_by))
    }

    /// Guests that hold names and whose roots are still there, opened; without those in `open`.
    pub fn holders(&self, open: &[Guest]) -> Vec<Guest> {
        let held = self.guests.iter().filter(|(name, known)| {
            self.has_files(known) && !open.iter().any(|guest| guest.name == **name)
        });
        held.filter_map(|(name, known)| known.open(name)).collect()
    }

    /// Every file that was linked and not undone, with its guest; in no order that means anything.
    pub fn files(&self) -> impl Iterator<Item = SysResult<(&GuestName, Linked)>> {
        let numbers = self.guests.iter().map(|(name, known)| (known.number, name));
        let names: HashMap<u32, &GuestName> = numbers.collect();
        self.files.all().filter_map(move |file| match file {
            Ok((guest, linked)) => Some(Ok((*names.get(&guest)?, linked))),
            Err(error) => Some(Err(error)),
        })
    }

    /// The same, guest by guest and by first name, as far as `wanted` says. All of them are in memory then.
    pub fn by_guest(
        &self,
        wanted: impl Fn(&GuestName, &Linked) -> bool,
    ) -> SysResult<BTreeMap<&GuestName, Vec<Linked>>> {
        let mut all: BTreeMap<&GuestName, Vec<Linked>> = BTreeMap::new();
        for file in self.files() {
            let (guest, linked) = file?;
            if wanted(guest, &linked) {
                all.entry(guest).or_default().push(linked);
            }
        }
        for files in all.values_mut() {
            files.sort_by(|a, b| a.paths.cmp(&b.paths));
        }
        Ok(all)
    }

    /// Is this the first name of a file that was linked and not undone?
    pub fn has(&self, guest: &GuestName, first: &GuestPath) -> SysResult<bool> {
        match self.guests.get(guest) {
            Some(known) => Ok(self.files.run_of(known.number, first)?.is_some()),
            None => Ok(false),
        }
    }

    /// Objects that names were linked to, and whether a run that did so protects them.
    pub fn protection(&self) -> SysResult<HashMap<ObjectId, bool>> {
        let mut all = HashMap::new();
        for file in self.files() {
            let (_, file) = file?;
            *all.entry(file.object).or_default() |= file.protected;
        }
        Ok(all)
    }

    fn replay(
        &mut self,
        base: &Base,
        run: &RunId,
        name: &str,
        watch: ReadingWatch<'_>,
    ) -> Result<(), EngineError> {
        let Some(mut reader) = receipts::open(base, run, name)? else {
            return Ok(());
        };
        let receipt = reader.receipt().clone();
        self.see(&receipt);
        while let Some(line) = reader.next_line() {
            watch()?;
            self.take(&receipt, line)?;
        }
        let end = reader.finish();
        self.damaged
            .extend(receipts::damaged(run, name, end.damaged));
        if name == RECEIPT {
            self.plans
                .extend(receipt.plan.map(|plan| (plan, run.clone())));
            self.runs.push(RunStatus {
                end: end_of(base, run, end.totals.as_ref())?,
                run: run.clone(),
                what: receipt.what,
                started: receipt.started,
                totals: end.totals,
            });
        }
        Ok(())
    }

    /// A guest that is known may have been brought to another place.
    fn see(&mut self, receipt: &Receipt) {
        if !receipt.what.finds_guests() {
            return;
        }
        for guest in &receipt.guests {
            let known = self.guests.get_mut(&guest.name);
            if let Some(known) = known.filter(|known| known.root != guest.root) {
                known.root.clone_from(&guest.root);
                known.said_by.clone_from(&receipt.run);
            }
        }
    }

    fn take(&mut self, receipt: &Receipt, line: ReceiptLine) -> SysResult<()> {
        let Some(number) = line.guest().and_then(|guest| self.number(receipt, guest)) else {
            return Ok(());
        };
        let (paths, object) = match line.about {
            About::Names { paths, object, .. } => (paths, object),
            About::Blocks(blocks) => {
                return self.take_blocks(receipt, number, &blocks, &line.outcome);
            }
            About::Flag { .. } => return Ok(()),
        };
        let Some(first) = paths.first() else {
            return Ok(());
        };
        let before = self.files.run_of(number, first)?;
        // What healing finished may stand in the receipt already, and there with more facts.
        let in_receipt = before == Some(&receipt.run);
        let mtime = match line.outcome {
            Outcome::Done { mtime, .. } if !in_receipt || mtime.is_some() => mtime,
            Outcome::AlreadyDone if receipt.what == RunKind::Forget => None,
            // A name that was found on the disk may have been another object's by what was remembered.
            Outcome::AlreadyDone if !self.files.is_first_of(number, first, &object)? => None,
            // A name that was found to be the guest's own is ours no more, nor one that undo found gone.
            Outcome::Refused(Refusal::NotShared {}) if receipt.what != RunKind::Apply => None,
            Outcome::Refused(Refusal::Gone {}) if receipt.what.parts() => None,
            _ => return Ok(()),
        };
        match receipt.what {
            RunKind::Undo | RunKind::Break => self.files.forget(number, &paths),
            // A guest may have linked several of its files to one object, and the disk does not tell which is which.
            RunKind::Forget => {
                let mut names = paths.chunks(1);
                names.try_for_each(|name| self.files.forget(number, name))
            }
            RunKind::Apply => {
                let linked = Linked {
                    paths,
                    object,
                    run: receipt.run.clone(),
                    mtime,
                    protected: receipt
                        .protect
                        .is_some_and(|mode| protect::by(mode).protects()),
                };
                self.files.link(number, &linked)
            }
        }
    }

    /// What a run shared is remembered, however its line ended: a part may be shared that was the same. What was shared
    /// before it is no work of ours.
    fn take_blocks(
        &mut self,
        receipt: &Receipt,
        number: u32,
        blocks: &CommonBlocks,
        outcome: &Outcome,
    ) -> SysResult<()> {
        let Some(first) = blocks.paths.first() else {
            return Ok(());
        };
        let is_own = match outcome {
            Outcome::Done { .. } | Outcome::AlreadyDone => true,
            Outcome::Refused(why) => matches!(why, Refusal::OwnBlocks {} | Refusal::Gone {}),
            Outcome::Failed(_) => false,
        };
        match receipt.what {
            RunKind::Apply if blocks.shared > 0 && *outcome != Outcome::AlreadyDone => {
                // Where it is will be asked, though it may have got nothing.
                self.number(receipt, &blocks.source.guest);
                self.blocks.put(number, blocks, &receipt.run)
            }
            RunKind::Undo | RunKind::Forget if is_own && blocks.left == 0 => {
                self.blocks.forget(number, first)
            }
            RunKind::Apply | RunKind::Undo | RunKind::Forget | RunKind::Break => Ok(()),
        }
    }

    /// Where the first line of the receipt is damaged, other runs say where the guest is.
    fn number(&mut self, receipt: &Receipt, guest: &GuestName) -> Option<u32> {
        let named = receipt.guests.iter().find(|named| named.name == *guest);
        let known = self.guests.get(guest).map(|known| known.number);
        named.map(|guest| self.number_of(guest, receipt)).or(known)
    }

    /// The number of a guest that is known from here on, and where it is.
    fn number_of(&mut self, guest: &ReceiptGuest, receipt: &Receipt) -> u32 {
        let next = self.guests.len() as u32;
        let known = self.guests.entry(guest.name.clone());
        let known = known.or_insert_with(|| KnownGuest {
            root: guest.root.clone(),
            said_by: receipt.run.clone(),
            number: next,
            dev: self.dev,
            base: self.base.clone(),
        });
        if known.root != guest.root && receipt.what.finds_guests() {
            known.root.clone_from(&guest.root);
            known.said_by.clone_from(&receipt.run);
        }
        known.number
    }
}

/// The directory of what is in flight goes with the end of a run, or of its healing.
fn end_of(base: &Base, run: &RunId, totals: Option<&RunTotals>) -> SysResult<RunEnd> {
    let in_flight = SysError::absent(base.staging().look(run.to_string().as_bytes()))?;
    let stopped = totals.map(|totals| totals.stopped);
    Ok(match (in_flight, stopped) {
        (Some(_), _) => RunEnd::Unfinished,
        (None, Some(None)) => RunEnd::Whole,
        (None, Some(Some(StoppedBy::Signal))) => RunEnd::Signal,
        (None, Some(Some(StoppedBy::Limit))) => RunEnd::Limit,
        (None, None) => RunEnd::Recovered,
    })
}
