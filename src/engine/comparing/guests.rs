//! Two guests, whichever form they have: names that only one has, names that differ and in what, packages.

use std::io;

use super::entry::{ComparedSide, Comparison, NameResult, SeenName};
use super::packages::{Packages, differences};
use super::places::GuestPlace;
use super::walk::{MetPair, WalkInStep};
use crate::engine::paths::links::GuestLinks;
use crate::engine::paths::selected::selected_among;
use crate::engine::{EngineError, in_parallel};
use crate::model::{
    ComparedGuest, EntrySide, EntryVerdict, Event, FileKind, GuestPath, GuestsCompared,
    NameDifference, Observer, SideOf, Stage, Unit,
};
use crate::rules::selectors::{FollowedPaths, Selection};

/// Names that are compared at once, by all cores.
const AT_ONCE: usize = 512;

/// Takes a name that is not the same.
type TellName<'t> = dyn FnMut(&NameDifference) -> io::Result<()> + 't;

/// Two guests that are compared.
pub struct TwoGuests {
    both: Comparison,
    found: GuestsCompared,
    paths: FollowedPaths,
}

impl TwoGuests {
    /// Opens both, and asks their package databases.
    pub fn open(
        old: &GuestPlace,
        new: &GuestPlace,
        selection: &Selection,
        mtime: bool,
    ) -> Result<TwoGuests, EngineError> {
        let known = [&old.name, &new.name];
        let selection = selected_among(selection, &known.into_iter())?;
        let (old_side, new_side) = (opened(old)?, opened(new)?);
        let mut paths = FollowedPaths::of(&selection);
        if selection.has_paths() {
            paths.follow(&old.name, &GuestLinks::of(&*old_side.files))?;
            paths.follow(&new.name, &GuestLinks::of(&*new_side.files))?;
        }
        let both = Comparison::of(old_side, new_side, mtime);
        Ok(TwoGuests {
            found: nothing_yet(old, new, &both),
            both,
            paths,
        })
    }

    /// What is known before the names are compared: the guests and their packages.
    pub fn known(&self) -> &GuestsCompared {
        &self.found
    }

    /// Compares all names, and hands out those that are not the same.
    pub fn compare(
        mut self,
        tell: &mut TellName<'_>,
        observer: &dyn Observer,
    ) -> Result<GuestsCompared, EngineError> {
        observer.notice(&Event::Begin(Stage::Compare, Unit::Names, None));
        let TwoGuests { both, found, paths } = &mut self;
        let (mut walk, mut met) = WalkInStep::new(&*both.old.files, &*both.new.files);
        let mut told_top = TopOfOne::default();
        loop {
            let more = walk.next_names();
            let is_over = more.is_none();
            met.extend(more.into_iter().flatten());
            if met.len() >= AT_ONCE || is_over {
                observer.notice(&Event::Advance(met.len() as u64));
                let names = (found.old.name.clone(), found.new.name.clone());
                let is_wanted = |path: &GuestPath| {
                    let path = || std::iter::once(path);
                    paths.has_names(&names.0, path()) || paths.has_names(&names.1, path())
                };
                met.retain(|met| is_wanted(met.path()));
                for result in in_parallel::each(&met, |met| both.judge(met)) {
                    count(found, &mut told_top, result, tell).map_err(EngineError::Output)?;
                }
                met.clear();
            }
            if is_over {
                break;
            }
        }
        observer.notice(&Event::End);
        Ok(self.found)
    }
}

impl MetPair {
    fn path(&self) -> &GuestPath {
        match self {
            MetPair::Name(SeenName { path, .. }) | MetPair::Unread(path, _) => path,
        }
    }
}

impl Comparison {
    fn judge(&self, met: &MetPair) -> NameResult {
        match met {
            MetPair::Name(seen) => self.compare(seen),
            MetPair::Unread(path, why) => NameResult::Different(Box::new(NameDifference {
                path: path.clone(),
                verdict: EntryVerdict::Unknown(why.clone()),
                old: None,
                new: None,
                beneath: false,
            })),
        }
    }
}

/// The directory that was told of last and that only one guest has.
#[derive(Default)]
struct TopOfOne(Option<GuestPath>);

impl TopOfOne {
    /// A directory of one guest is something else in the other.
    fn replaces(&mut self, path: &GuestPath, fields: &[&'static str]) {
        if fields.contains(&"type") {
            self.0 = Some(path.clone());
        }
    }

    /// Does the name lie beneath one that was told of?
    fn covers(&mut self, difference: &NameDifference, side: &EntrySide) -> bool {
        let path = &difference.path;
        if self.0.as_ref().is_some_and(|top| path.is_within(top)) {
            return true;
        }
        if side.state.kind == FileKind::Directory {
            self.0 = Some(path.clone());
        }
        false
    }
}

fn count(
    found: &mut GuestsCompared,
    top: &mut TopOfOne,
    result: NameResult,
    tell: &mut TellName<'_>,
) -> io::Result<()> {
    let mut difference = match result {
        NameResult::Same => {
            found.equal += 1;
            return Ok(());
        }
        NameResult::MtimeOnly => {
            found.mtime_only += 1;
            return Ok(());
        }
        NameResult::Different(difference) => difference,
    };
    let only = difference.old.as_ref().or(difference.new.as_ref());
    match (&difference.verdict, only) {
        (EntryVerdict::Only(side), Some(entry)) => {
            add_only(found, *side, entry);
            difference.beneath = top.covers(&difference, entry);
        }
        (EntryVerdict::Differs(fields), _) => {
            found.differing += 1;
            top.replaces(&difference.path, fields);
            for field in fields {
                *found.by.entry(field).or_default() += 1;
            }
        }
        (EntryVerdict::Unknown(_) | EntryVerdict::Only(_), _) => found.unread += 1,
    }
    found.privileged += u64::from(difference.rights_differ());
    tell(&difference)
}

fn add_only(found: &mut GuestsCompared, side: SideOf, entry: &EntrySide) {
    let (files, others) = match side {
        SideOf::Old => (&mut found.only_old, &mut found.others_only.0),
        SideOf::New => (&mut found.only_new, &mut found.others_only.1),
    };
    match entry.state.kind {
        FileKind::Regular => files.add(1, entry.state.size),
        FileKind::Directory | FileKind::Symlink | FileKind::Special => *others += 1,
    }
}

fn opened(place: &GuestPlace) -> Result<ComparedSide, EngineError> {
    let files = place.files()?;
    Ok(ComparedSide {
        packages: Packages::of(&*files),
        files,
    })
}

fn nothing_yet(old: &GuestPlace, new: &GuestPlace, both: &Comparison) -> GuestsCompared {
    let problem = |place: &GuestPlace, side: &ComparedSide| {
        let problem = side.packages.problem()?;
        Some(format!("{}: {problem}", place.name))
    };
    let unknown = problem(old, &both.old).or_else(|| problem(new, &both.new));
    let packages = match unknown {
        None => differences(&both.old.packages, &both.new.packages),
        Some(_) => Vec::new(),
    };
    let guest = |place: &GuestPlace, side: &ComparedSide| ComparedGuest {
        name: place.name.clone(),
        place: place.shown(),
        packages: side.packages.count(),
    };
    GuestsCompared {
        old: guest(old, &both.old),
        new: guest(new, &both.new),
        packages,
        packages_unknown: unknown,
        not_held: both.measure.not_held(),
        only_old: Default::default(),
        only_new: Default::default(),
        others_only: (0, 0),
        differing: 0,
        by: Default::default(),
        equal: 0,
        mtime_only: 0,
        privileged: 0,
        unread: 0,
    }
}
