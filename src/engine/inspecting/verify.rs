//! `verify`: proves from the disk that every applied action of a plan holds.
//!
//! The receipts are asked only for one thing: whether a line that does not hold was ever applied. A line that was
//! refused is no difference; a line that was done and does not hold is one.
//!
//! A name that holds and that no package owns any more is told as well, and is no difference: what the plan promised,
//! one inode and its protection, is there, and what a package manager did since is the guest's own affair. A plan that
//! did not hold for it would send people to `apply`, which has nothing to mend.
//!
//! Some lines are taken at a time: their objects are read in parallel, each once a run, then their names are
//! looked up in parallel; what was found is reported in the order of the lines, whichever thread found it first.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;

use super::proof::{Generation, ProofWorld, Proven, first};
use super::{owners, shared_blocks};
use crate::base::Base;
use crate::engine::paths::selected::select;
use crate::engine::plan_file::applicable;
use crate::engine::read_ahead::stretches;
use crate::engine::records::{History, receipts};
use crate::engine::threads::{Readers, Threads, reading_in};
use crate::engine::{EngineError, PlanFile, protection};
use crate::model::{
    Action, Before, Difference, Event, Flag, GuestName, GuestPath, Link, ObjectId, Observer,
    PlannedGuest, Reflink, Sign, Stage, Unit, Verification, Wrong,
};
use crate::packages::Owners;
use crate::rules::selectors::{SelectedLines, Selection};
use crate::sys::SysResult;

/// Checks names, objects, flags and staging against the lines of the plan that are selected. Where there is no base,
/// nothing of the plan is applied.
pub fn verify(
    plan: &mut PlanFile,
    selection: &Selection,
    readers: Readers,
    observer: &dyn Observer,
) -> Result<Verification, EngineError> {
    let path = plan.path().to_owned();
    let mut found = || -> Result<Verification, EngineError> {
        let base = applicable(plan.reader()?.header())?.base.path.clone();
        let found = check(plan, &base, selection, readers, observer)?;
        Ok(Verification { base, ..found })
    };
    found().map_err(|error| error.in_file(&path))
}

fn check(
    plan: &mut PlanFile,
    place: &Path,
    selection: &Selection,
    readers: Readers,
    observer: &dyn Observer,
) -> Result<Verification, EngineError> {
    let selected = select(plan, selection)?;
    let Some(base) = Base::open(place)? else {
        return not_applied(plan, &selected);
    };
    let mut reader = plan.reader()?;
    let threads = Threads::start(reading_in(Some(base.dir()), readers.jobs)?)?;
    let history = History::read(&base)?;
    receipts::tell(&history.damaged, &base, observer);
    let mut check = LineProofs {
        world: ProofWorld::open(&base, reader.header(), reader.guests(), readers.cache)?,
        history,
        threads,
        sign: protection::sign(&base),
        generations: HashMap::new(),
        owners: HashMap::new(),
        found: Verification::default(),
    };
    check.ask_owners(reader.guests())?;
    observer.notice(&Event::Begin(Stage::Verify, Unit::Lines, None));
    stretches(&mut reader, &mut |mut lines| {
        let read = lines.len() as u64;
        lines.retain(|line| selected.has(line));
        check.lines(&lines)?;
        observer.notice(&Event::Advance(read));
        Ok(ControlFlow::Continue(()))
    })?;
    reader.finish()?;
    check.staging(&base)?;
    observer.notice(&Event::End);
    Ok(check.found)
}

/// What a plan comes to where nothing of it can be applied.
fn not_applied(plan: &mut PlanFile, selected: &SelectedLines) -> Result<Verification, EngineError> {
    let mut found = Verification::default();
    plan.read(&mut |action| {
        if selected.has(action) && !matches!(action, Action::Skip(_)) {
            found.not_applied += 1;
            found.links += u64::from(!matches!(action, Action::Flag(_)));
        }
        Ok(())
    })?;
    Ok(found)
}

/// The object that a line is about.
fn object_of(line: &Action) -> Option<&ObjectId> {
    match line {
        Action::Link(link) => Some(&link.object),
        Action::Flag(flag) => Some(&flag.object),
        Action::Reflink(_) | Action::Skip(_) => None,
    }
}

/// What the files were that objects have the metadata of.
fn evidence(lines: &[Action]) -> HashMap<ObjectId, Before> {
    let told = lines.iter().filter_map(|line| match line {
        Action::Link(link) => Some((first(&link.object), link.before?)),
        _ => None,
    });
    told.collect()
}

struct LineProofs<'a> {
    world: ProofWorld<'a>,
    history: History,
    threads: Threads,
    /// What objects have while they are protected.
    sign: Sign,
    /// Of every object so far, each proven once.
    generations: HashMap<ObjectId, Vec<Generation>>,
    /// Whose the files of each guest are, where that is known.
    owners: HashMap<GuestName, Owners>,
    found: Verification,
}

impl LineProofs<'_> {
    /// Asks the databases of guests that are there and had some when they were planned.
    fn ask_owners(&mut self, planned: &[PlannedGuest]) -> SysResult<()> {
        for planned in planned {
            let managers: BTreeSet<String> = owners::managers(planned).map(str::to_owned).collect();
            let guest = self.world.guest(&planned.name);
            let Some(guest) = guest.filter(|_| !managers.is_empty()) else {
                continue;
            };
            match owners::ask(&*guest.files()?, &managers, &|_| false) {
                Ok(owners) => drop(self.owners.insert(planned.name.clone(), owners)),
                Err(why) => self.found.owners_unknown.push((planned.name.clone(), why)),
            }
        }
        Ok(())
    }

    fn lines(&mut self, lines: &[Action]) -> SysResult<()> {
        let mut news = self.prove(lines);
        let (world, known) = (&self.world, &self.generations);
        let wrong: Vec<Vec<_>> = self.threads.work(|| {
            lines
                .par_iter()
                .map(|line| look(line, world, known))
                .collect::<Vec<_>>()
        });
        for (line, wrong) in lines.iter().zip(wrong) {
            if let Some(proven) = object_of(line).and_then(|id| news.remove(&first(id))) {
                self.tell(proven?);
            }
            match line {
                Action::Link(link) => self.link(link, wrong)?,
                Action::Flag(flag) => self.flag(flag),
                Action::Reflink(line) => self.reflink(line, wrong)?,
                Action::Skip(_) => {}
            }
        }
        Ok(())
    }

    /// Reads the objects of these lines that were not read yet. Returns what is to be reported of each.
    fn prove(&mut self, lines: &[Action]) -> HashMap<ObjectId, SysResult<Proven>> {
        let mut fresh: Vec<ObjectId> = lines.iter().filter_map(object_of).map(first).collect();
        fresh.retain(|id| !self.generations.contains_key(id));
        fresh.sort_unstable();
        fresh.dedup();
        let (world, told) = (&self.world, evidence(lines));
        let prove = |id: ObjectId| (id, world.prove(&id, told.get(&id)));
        let mut news: HashMap<ObjectId, SysResult<Proven>> = self
            .threads
            .read(|| fresh.into_par_iter().map(prove).collect());
        for (id, proven) in &mut news {
            let all = proven
                .as_mut()
                .map(|it| std::mem::take(&mut it.generations));
            self.generations.insert(*id, all.unwrap_or_default());
        }
        news
    }

    fn tell(&mut self, proven: Proven) {
        self.found.objects += proven.read;
        for (id, wrong) in proven.wrong {
            self.differ(None, None, Some(id), wrong);
        }
    }

    fn link(&mut self, link: &Link, wrong: Vec<(&GuestPath, Wrong)>) -> SysResult<()> {
        self.found.links += 1;
        if wrong.is_empty() {
            self.found.holds += 1;
            self.found.links_hold += 1;
            self.orphans(link);
        } else if !self.history.has(&link.guest, &link.path)? {
            self.found.not_applied += 1;
        } else {
            for (path, what) in wrong {
                self.differ(Some(&link.guest), Some(path), Some(link.object), what);
            }
        }
        Ok(())
    }

    /// What its guest did since is told, and is no difference.
    fn reflink(&mut self, line: &Reflink, wrong: Vec<(&GuestPath, Wrong)>) -> SysResult<()> {
        self.found.links += 1;
        if wrong.is_empty() {
            self.found.holds += 1;
            self.found.links_hold += 1;
            return Ok(());
        }
        if !self.history.has_blocks_of(&line.guest, &line.path)? {
            self.found.not_applied += 1;
            return Ok(());
        }
        for (path, what) in wrong {
            match shared_blocks::is_of_guest(&what) {
                true => self.found.changed_since.push(Difference {
                    guest: Some(line.guest.clone()),
                    path: Some(path.clone()),
                    object: None,
                    what,
                }),
                false => self.differ(Some(&line.guest), Some(path), None, what),
            }
        }
        Ok(())
    }

    /// Names of a file that a package had, where none has its first name now.
    fn orphans(&mut self, link: &Link) {
        let (Some(owner), Some(now)) = (&link.owner, self.owners.get(&link.guest)) else {
            return;
        };
        let owned = |name: &GuestPath| owners::owned(now, name.as_bytes());
        if owned(&link.path) {
            return;
        }
        let orphan = |name: &GuestPath| Difference {
            guest: Some(link.guest.clone()),
            path: Some(name.clone()),
            object: Some(link.object),
            what: Wrong::Orphaned(owner.package.clone()),
        };
        let names = link.names().filter(|name| !owned(name));
        self.found.orphans.extend(names.map(orphan));
    }

    fn flag(&mut self, flag: &Flag) {
        let Verification {
            holds,
            not_applied,
            differences,
            ..
        } = &mut self.found;
        let generations = of(&self.generations, &flag.object);
        if generations.is_empty() {
            // Its links show: they hold nothing, or were never applied.
            *not_applied += 1;
        }
        for generation in generations {
            if generation.flagged {
                *holds += 1;
            } else {
                differences.push(about(generation.id, Wrong::NotFlagged(self.sign)));
            }
        }
    }

    fn staging(&mut self, base: &Base) -> SysResult<()> {
        for run in base.staging().list()? {
            let shown = String::from_utf8_lossy(&run).into_owned();
            self.differ(None, None, None, Wrong::LeftInStaging(shown));
        }
        Ok(())
    }

    fn differ(
        &mut self,
        guest: Option<&GuestName>,
        path: Option<&GuestPath>,
        object: Option<ObjectId>,
        what: Wrong,
    ) {
        self.found.differences.push(Difference {
            guest: guest.cloned(),
            path: path.cloned(),
            object,
            what,
        });
    }
}

fn about(object: ObjectId, what: Wrong) -> Difference {
    Difference {
        guest: None,
        path: None,
        object: Some(object),
        what,
    }
}

fn look<'l>(
    line: &'l Action,
    world: &ProofWorld<'_>,
    known: &HashMap<ObjectId, Vec<Generation>>,
) -> Vec<(&'l GuestPath, Wrong)> {
    match line {
        Action::Link(link) => world.wrong_names(link, of(known, &link.object)),
        Action::Reflink(line) => shared_blocks::look(line, world),
        _ => Vec::new(),
    }
}

/// All generations of an object that are in the base.
fn of<'k>(known: &'k HashMap<ObjectId, Vec<Generation>>, id: &ObjectId) -> &'k [Generation] {
    known.get(&first(id)).map_or(&[], Vec::as_slice)
}
