//! Which lines of a new plan give back what a thaw took. Receipts of undo runs since the maintenance began say which
//! names were shared before; all else may be what a reviewer cut out of the plan, or what nobody has looked at yet.
//!
//! The paper of the maintenance names its first run, and runs are counted: no clock decides. A paper of an earlier
//! version knows but the second in which it began. Where the guest was undone more than once in that second, the thaw
//! may be the last of these alone, and it is said that the others are not shared again.

use std::collections::{HashMap, HashSet};

use crate::base::{Base, Index, MaintainedPaper, RECEIPT, RECOVERED};
use crate::engine::EngineError;
use crate::engine::plan_file::PlanFile;
use crate::engine::records::{History, receipts};
use crate::model::{
    About, Action, Event, FileId, FileLine, GuestName, GuestPath, MaintainedGuest, ObjectId,
    Observer, Outcome, ReceiptLine, RunId, RunKind, RunStatus,
};

/// The names of the guest that were shared before it was thawed, and the objects that are there.
pub(super) struct SharedBefore<'g> {
    guest: &'g GuestName,
    names: HashSet<GuestPath>,
    index: Index,
}

impl<'g> SharedBefore<'g> {
    /// What the receipts say. A guest that is not being maintained was not thawed.
    pub fn read(
        base: &Base,
        history: &History,
        guest: &'g GuestName,
        observer: &dyn Observer,
    ) -> Result<SharedBefore<'g>, EngineError> {
        let names = match MaintainedPaper::of(base, guest)? {
            Some(paper) => UndoneNames { base, guest }.since(&paper, history, observer)?,
            None => HashSet::new(),
        };
        Ok(SharedBefore {
            guest,
            names,
            index: Index::read(base)?,
        })
    }

    /// Was the file shared under all its names, or is it an object still?
    fn had(&self, file: FileLine<'_>) -> bool {
        let is_object = file.before.is_some_and(|before| {
            let (dev, ino) = (before.dev, before.ino);
            self.index.of_inode(FileId { dev, ino }).is_some()
        });
        is_object
            || (file.guest == self.guest && file.names().all(|name| self.names.contains(name)))
    }

    /// Reads the plan, and finds out what of it is to be done.
    pub fn lines_of(self, plan: &mut PlanFile) -> Result<LinesAgain<'g>, EngineError> {
        let mut objects: HashMap<ObjectId, LinksOfObject> = HashMap::new();
        plan.read(&mut |action| {
            if let Action::Link(link) = action {
                let links = objects.entry(link.object).or_default();
                links.of_guest |= link.guest == *self.guest;
                links.again += u64::from(self.had(link.into()));
            }
            Ok(())
        })?;
        objects.retain(|_, links| links.of_guest);
        Ok(LinesAgain {
            before: self,
            objects,
            left_out: 0,
        })
    }
}

/// Reads names of the guest out of receipts of undo runs.
struct UndoneNames<'a> {
    base: &'a Base,
    guest: &'a GuestName,
}

impl UndoneNames<'_> {
    /// Those that were shared when the maintenance began.
    fn since(
        &self,
        paper: &MaintainedGuest,
        history: &History,
        observer: &dyn Observer,
    ) -> Result<HashSet<GuestPath>, EngineError> {
        let undone = history.runs.iter().filter(|run| run.what == RunKind::Undo);
        if let Some(first) = &paper.run {
            return self.of_all(undone.filter(|run| run.run >= *first));
        }
        let (in_second, later): (Vec<_>, Vec<_>) = undone
            .filter(|run| run.started >= paper.since)
            .partition(|run| run.started == paper.since);
        let mut names = self.of_all(later.into_iter())?;
        let mut doubtful = Vec::new();
        for run in in_second {
            let of_run = self.of_run(&run.run)?;
            doubtful.extend((!of_run.is_empty()).then_some(of_run));
        }
        names.extend(doubtful.pop().unwrap_or_default());
        if !doubtful.is_empty() {
            observer.notice(&Event::Warning(&format!(
                "{}: an earlier version thawed it, and it was undone more than once in the second of {}: of that second only what the last of these runs parted is shared again; `unify plan` shows the rest",
                self.guest, paper.since
            )));
        }
        Ok(names)
    }

    fn of_all<'r>(
        &self,
        mut runs: impl Iterator<Item = &'r RunStatus>,
    ) -> Result<HashSet<GuestPath>, EngineError> {
        runs.try_fold(HashSet::new(), |mut names, run| {
            names.extend(self.of_run(&run.run)?);
            Ok(names)
        })
    }

    fn of_run(&self, run: &RunId) -> Result<HashSet<GuestPath>, EngineError> {
        let mut names = HashSet::new();
        for paper in [RECEIPT, RECOVERED] {
            let Some(mut reader) = receipts::open(self.base, run, paper)? else {
                continue;
            };
            while let Some(line) = reader.next_line() {
                names.extend(self.parted_by(line));
            }
        }
        Ok(names)
    }

    fn parted_by(&self, line: ReceiptLine) -> Vec<GuestPath> {
        let was_parted = matches!(line.outcome, Outcome::Done { .. } | Outcome::AlreadyDone);
        if !was_parted || line.guest() != Some(self.guest) {
            return Vec::new();
        }
        match line.about {
            About::Names { paths, .. } => paths,
            About::Blocks(blocks) => blocks.paths,
            About::Flag { .. } => Vec::new(),
        }
    }
}

/// The link lines of an object.
#[derive(Default)]
struct LinksOfObject {
    /// Is one of them about the guest?
    of_guest: bool,
    /// How many share what was shared.
    again: u64,
}

/// Chooses the lines that share again what was shared.
pub(super) struct LinesAgain<'g> {
    before: SharedBefore<'g>,
    objects: HashMap<ObjectId, LinksOfObject>,
    /// Files of lines that the guest has a part in, and that are left out.
    pub left_out: u64,
}

impl LinesAgain<'_> {
    /// Is the line kept?
    pub fn keep(&mut self, action: &Action) -> bool {
        let (kept, has_part) = match action {
            Action::Link(link) => (
                self.is_shared(&link.object) && self.before.had(link.into()),
                self.objects.contains_key(&link.object),
            ),
            Action::Reflink(line) => {
                let guest = self.before.guest;
                (
                    line.guest == *guest && self.before.had(line.into()),
                    line.guest == *guest || line.source.guest == *guest,
                )
            }
            Action::Flag(flag) => return self.is_shared(&flag.object),
            Action::Skip(_) => return true,
        };
        self.left_out += u64::from(has_part && !kept);
        kept
    }

    /// An object that is not there yet, and that one file alone would be, shares nothing.
    fn is_shared(&self, object: &ObjectId) -> bool {
        let least = match self.before.index.find(object) {
            Some(_) => 1,
            None => 2,
        };
        let links = self.objects.get(object);
        links.is_some_and(|links| links.again >= least)
    }
}
