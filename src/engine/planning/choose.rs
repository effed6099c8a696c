//! From groups of equal files to a decision for every file, and what the lines about objects need to know.

mod block_groups;
mod sources;
mod unused_objects;

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use super::classify::{Classified, Decision};
use super::evidence::Evidence;
use super::matching::Matched;
use super::matching::file::FileRef;
use super::matching::groups::{Equal, Groups};
use super::matching::probe::Dropped;
use super::survey::Survey;
use crate::base::{Base, Held, Index};
use crate::engine::EngineError;
use crate::model::{Method, ObjectFlag, ObjectId, Skip, SkipReason};
use crate::protect;
use crate::rules::choose::{Choice, Member, Present, choose};
use crate::rules::totals::SummaryBuilder;
use crate::sys::Meaning;
use block_groups::BlockGroups;

/// What the writer of lines looks up.
pub struct Choices<'a> {
    /// What is in the base.
    index: &'a Index,
    /// The groups, without their members.
    groups: Groups,
    /// Objects that files get, by group and generation.
    uses: Vec<Use>,
    /// Flag lines of objects that no file gets, and that files refer to already; by their numbers in the base.
    shared: HashMap<u32, DueFlag>,
    /// What the flag lines set.
    pub flags: Vec<ObjectFlag>,
    /// Files that share blocks.
    blocks: BlockGroups,
    surveys: &'a [Survey],
}

/// An object that files of a group get.
#[derive(Debug, Clone, Copy)]
struct Use {
    group: u32,
    generation: u16,
    due: DueFlag,
    /// Does it get a flag line?
    flag: bool,
}

/// A flag line that is to be written.
#[derive(Debug, Clone, Copy)]
struct DueFlag {
    /// How many names of the plan refer to the object.
    names: u32,
    /// The file after whose first line it stands.
    behind: FileRef,
}

impl DueFlag {
    fn add(&mut self, names: u32, file: FileRef) {
        self.names = self.names.saturating_add(names);
        self.behind = file.min(self.behind);
    }
}

impl Choices<'_> {
    /// The object that a file of a group gets.
    pub fn object(&self, group: u32, generation: u16) -> Option<ObjectId> {
        let id = self.groups.id(group as usize)?;
        Some(ObjectId {
            generation: generation.into(),
            ..id
        })
    }

    /// The object of the base that a file refers to already.
    pub fn shared(&self, number: u32) -> ObjectId {
        self.index.get(number as usize).id
    }

    /// Is the object in the base already?
    pub fn was_there(&self, object: &ObjectId) -> bool {
        self.index.find(object).is_some()
    }

    /// The number of names, if the flag line of this file's object stands after its first line.
    pub fn flag_due(&self, decision: Decision, file: FileRef) -> Option<u64> {
        let due = match decision {
            Decision::Linked {
                group, generation, ..
            } => {
                let used = self.used(group, generation)?;
                used.flag.then_some(used.due)
            }
            Decision::Shared(number) => self.shared.get(&number).copied(),
            _ => None,
        };
        due.filter(|due| due.behind == file)
            .map(|due| u64::from(due.names))
    }

    fn used(&self, group: u32, generation: u16) -> Option<&Use> {
        let key = |used: &Use| (used.group, used.generation);
        let at = self.uses.binary_search_by_key(&(group, generation), key);
        self.uses.get(at.ok()?)
    }
}

/// Decides for every file that was looked at.
pub(super) fn choose_all<'a>(
    matched: Matched,
    found: &Evidence<'a>,
    classified: &mut [Classified],
    sum: &mut SummaryBuilder,
) -> Result<Choices<'a>, EngineError> {
    let surveys = found.surveys;
    let of_objects = found.care.method() == Method::Hardlink;
    let (groups, of_blocks) = match of_objects {
        true => (matched.groups, None),
        false => (Groups::default(), Some(matched.groups)),
    };
    let mut choices = Choices {
        index: found.index,
        groups,
        uses: Vec::new(),
        shared: HashMap::new(),
        flags: Vec::new(),
        blocks: BlockGroups::default(),
        surveys,
    };
    choices.flags.extend(protect::by(found.mode).flag());
    choices.groups.forget_beginnings();
    for (which, why) in &matched.dropped {
        drop_out(*which, why, surveys, classified, sum);
    }
    if let Some(groups) = of_blocks {
        choices.choose_sources(groups, found, classified, (sum, &HashSet::new()));
    }
    let mut next = 0;
    while next < choices.groups.len() {
        let some = next..choices.groups.behind(next, AT_ONCE);
        next = some.end;
        let each = some.clone().into_par_iter();
        let chosen: Vec<_> = each.map(|group| choices.choose(group, found)).collect();
        for (group, chosen) in some.zip(chosen) {
            choices.take(group, chosen, classified, sum, found);
        }
    }
    choices.groups.forget_members();
    found.shared.follow(surveys, classified, sum);
    sum.caveats(choices.unused_objects());
    choices.finish(surveys, classified, found.base)?;
    count_unique(surveys, classified, sum);
    Ok(choices)
}

/// Groups of about so many files together are chosen for in parallel.
const AT_ONCE: usize = 1 << 14;

/// A file, how many names it has, and what it gets.
type ChosenFile = (FileRef, u64, Choice);

impl Choices<'_> {
    /// What the files of a group get.
    fn choose(&self, group: usize, found: &Evidence<'_>) -> Vec<ChosenFile> {
        let id = self.groups.id(group).into_iter();
        let there = id.flat_map(|id| self.index.generations(id.content, id.metadata));
        let there: Vec<Present> = there.map(present).collect();
        let files = as_applied(self.groups.members(group), found.surveys);
        let members = files.iter().map(|equal| member(equal, found));
        let members: Vec<Member> = members.collect();
        let chosen = choose(&members, &there, found.max_links, found.policy().objects);
        let files = files.iter().zip(&members).zip(chosen);
        let chosen = files
            .filter_map(|((equal, member), choice)| Some((equal.which, member.names, choice?)));
        chosen.collect()
    }

    /// Notes what a group's files get: with each of them, and once for each object.
    fn take(
        &mut self,
        number: usize,
        files: Vec<ChosenFile>,
        classified: &mut [Classified],
        sum: &mut SummaryBuilder,
        found: &Evidence<'_>,
    ) {
        let group = u32::try_from(number).unwrap_or(u32::MAX);
        let mut guests: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        let from = self.uses.len();
        for (which, names, Choice { generation, makes }) in files {
            // Generations end far below that; a file beyond would stay as it is.
            let Ok(generation) = u16::try_from(generation) else {
                continue;
            };
            let holders = guests.entry(generation).or_default();
            holders.push(which.guest);
            holders.extend(found.shared.files_with(which).iter().map(|one| one.guest));
            let names = u32::try_from(names).unwrap_or(u32::MAX);
            let uses = &mut self.uses[from..];
            match uses.iter_mut().find(|used| used.generation == generation) {
                Some(used) => used.due.add(names, which),
                None => self.uses.push(Use {
                    group,
                    generation,
                    due: DueFlag {
                        names,
                        behind: which,
                    },
                    flag: false,
                }),
            }
            if let Some(decision) = decision_of(which, classified) {
                *decision = Decision::Linked {
                    group,
                    generation,
                    makes,
                };
            }
        }
        let first = self.groups.first(number);
        let tree = &found.surveys[first.guest as usize].scan.tree;
        for guests in guests.values() {
            sum.object(guests, tree.size(first.file as usize));
        }
    }

    /// Finds the objects that need a flag, also among those that names refer to already and that lost theirs.
    fn finish(
        &mut self,
        surveys: &[Survey],
        classified: &[Classified],
        base: Option<&Base>,
    ) -> Result<(), EngineError> {
        self.uses
            .sort_unstable_by_key(|used| (used.group, used.generation));
        if self.flags.is_empty() {
            return Ok(());
        }
        let mut shared = shared(surveys, classified);
        shared.retain(|number, _| !self.index.get(*number as usize).flagged.unwrap_or(false));
        let mut unflagged = HashMap::new();
        for (number, due) in shared {
            if !self.is_flagged(base, number)? {
                unflagged.insert(number, due);
            }
        }
        for at in 0..self.uses.len() {
            let Use {
                group,
                generation,
                mut due,
                ..
            } = self.uses[at];
            let id = self.object(group, generation);
            let number = id.and_then(|id| self.index.find(&id));
            let flag = match number {
                Some(number) => !self.is_flagged(base, number)?,
                None => true,
            };
            // Files that have it and files that get it are counted in one line.
            if let Some(one) = number.and_then(|number| unflagged.get_mut(&number)) {
                due.add(one.names, one.behind);
                *one = due;
            }
            self.uses[at] = Use {
                due,
                flag,
                ..self.uses[at]
            };
        }
        self.shared = unflagged;
        Ok(())
    }

    /// Asks the object itself where the look over the base did not show it.
    fn is_flagged(&self, base: Option<&Base>, number: u32) -> Result<bool, EngineError> {
        let held = self.index.get(number as usize);
        if let Some(told) = held.flagged {
            return Ok(told);
        }
        let file = match base.map(|base| base.object(&held.id)).transpose() {
            // Another process holds a lease on it: apply will see.
            Err(error) if error.meaning() == Meaning::Busy => return Ok(false),
            other => other?.flatten(),
        };
        Ok(file.map_or(Ok(false), |file| protect::on(&file).map(|on| on.is_some()))?)
    }
}

/// The objects of the base that files refer to already, and by how many names.
fn shared(surveys: &[Survey], classified: &[Classified]) -> HashMap<u32, DueFlag> {
    let mut shared: HashMap<u32, DueFlag> = HashMap::new();
    for ((guest, survey), judged) in (0u32..).zip(surveys).zip(classified) {
        for (file, decision) in (0u32..).zip(&judged.decisions) {
            if let Decision::Shared(number) = decision {
                let which = FileRef { guest, file };
                let due = shared.entry(*number).or_insert(DueFlag {
                    names: 0,
                    behind: which,
                });
                let names = survey.scan.tree.name_count(file as usize);
                due.add(u32::try_from(names).unwrap_or(u32::MAX), which);
            }
        }
    }
    shared
}

/// Counts the files that have no twin: those that are candidates still.
pub(super) fn count_unique(
    surveys: &[Survey],
    classified: &mut [Classified],
    sum: &mut SummaryBuilder,
) {
    for (survey, judged) in surveys.iter().zip(classified) {
        for (file, decision) in judged.decisions.iter_mut().enumerate() {
            if *decision == Decision::Candidate {
                sum.skipped(SkipReason::Unique, 1, survey.scan.tree.size(file));
                *decision = Decision::Counted(SkipReason::Unique);
            }
        }
    }
}

fn drop_out(
    which: FileRef,
    why: &Dropped,
    surveys: &[Survey],
    classified: &mut [Classified],
    sum: &mut SummaryBuilder,
) {
    let (Some(survey), Some(judged)) = (
        surveys.get(which.guest as usize),
        classified.get_mut(which.guest as usize),
    ) else {
        return;
    };
    let (tree, file) = (&survey.scan.tree, which.file as usize);
    let size = tree.size(file);
    sum.skipped(why.reason, 1, size);
    judged.decisions[file] = Decision::Listed;
    for name in tree.names_of(file) {
        let mut skip = Skip::new(survey.guest.name.clone(), tree.guest_path(name), why.reason);
        skip = skip.sized(size);
        skip.note.clone_from(&why.note);
        judged.lines.insert(name, skip);
    }
}

/// The files of a group in the order in which `apply` meets them: by path, and those of one path by guest.
fn as_applied(files: impl Iterator<Item = Equal>, surveys: &[Survey]) -> Vec<Equal> {
    let mut files: Vec<Equal> = files.collect();
    files.sort_by_cached_key(|equal| {
        let FileRef { guest, file } = equal.which;
        let tree = &surveys[guest as usize].scan.tree;
        tree.names_of(file as usize)
            .next()
            .map(|name| tree.path(name))
    });
    files
}

fn member(equal: &Equal, found: &Evidence<'_>) -> Member {
    let FileRef { guest, file } = equal.which;
    let survey = &found.surveys[guest as usize];
    let tree = &survey.scan.tree;
    let shared = found.shared.is_leader(equal.which);
    // Where a copy will not do, the plan waits for the guests to be stopped.
    let quiet = shared || survey.condition.running.is_none();
    Member {
        names: match shared {
            true => u64::from(tree.state(file as usize).nlink),
            false => tree.name_count(file as usize) as u64,
        },
        extents: equal.extents,
        adoptable: quiet && protect::by(found.mode).adopts(),
        shared,
    }
}

fn present(held: Held) -> Present {
    Present {
        generation: held.id.generation,
        nlink: u64::from(held.state.nlink),
    }
}

fn decision_of(which: FileRef, classified: &mut [Classified]) -> Option<&mut Decision> {
    classified
        .get_mut(which.guest as usize)?
        .decisions
        .get_mut(which.file as usize)
}
