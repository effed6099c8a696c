//! From groups of equal files to a decision for every file, and what the lines about objects need to know.

use std::collections::HashMap;

use super::EngineError;
use super::classify::{Classified, Decision};
use super::equal::Read;
use super::matching::{Matched, Which};
use super::probe::Dropped;
use super::survey::Survey;
use crate::base::{Base, Index};
use crate::model::{
    BaseFacts, Digest, MetadataDigest, ObjectFlag, ObjectId, Policy, Protect, Protection, Skip,
    SkipReason,
};
use crate::rules::choose::{Choice, Member, Present, choose};
use crate::rules::totals::SummaryBuilder;
use crate::sys::Meaning;

/// What the writer of lines looks up.
#[derive(Debug, Default)]
pub(super) struct Choices {
    /// Content and metadata of each group, without a generation.
    groups: Vec<ObjectId>,
    /// How many names of the plan refer to each object.
    names: HashMap<ObjectId, u64>,
    /// Objects that get a flag line, each with the file behind whose first line it stands.
    to_flag: HashMap<ObjectId, Which>,
    /// What the flag lines set.
    pub flags: Vec<ObjectFlag>,
    /// Objects that are in the base, and whether they are flagged where that is known.
    there: HashMap<ObjectId, Option<bool>>,
}

impl Choices {
    /// The object that a file of a group gets.
    pub fn object(&self, group: u32, choice: Choice) -> Option<ObjectId> {
        self.groups.get(group as usize).map(|id| ObjectId {
            generation: choice.generation,
            ..*id
        })
    }

    /// Is the object in the base already?
    pub fn was_there(&self, group: u32, choice: Choice) -> bool {
        self.object(group, choice)
            .is_some_and(|id| self.there.contains_key(&id))
    }

    /// The number of names, if the flag line of this object stands behind the first line of this file.
    pub fn flag_due(&self, object: &ObjectId, file: Which) -> Option<u64> {
        let due = self.to_flag.get(object) == Some(&file);
        due.then(|| self.names.get(object).copied()).flatten()
    }

    fn flag_behind(&mut self, object: ObjectId, file: Which) {
        let first = self.to_flag.entry(object).or_insert(file);
        *first = file.min(*first);
    }
}

/// Decides for every file that was looked at.
#[expect(
    clippy::too_many_arguments,
    reason = "where the evidence of all earlier steps meets"
)]
pub(super) fn choose_all(
    matched: &Matched,
    surveys: &[Survey],
    classified: &mut [Classified],
    policy: &Policy,
    facts: &BaseFacts,
    base: Option<&Base>,
    index: &Index,
    protection: &Protection,
    sum: &mut SummaryBuilder,
) -> Result<Choices, EngineError> {
    let there = index.objects().iter();
    let there = there.map(|held| (held.id, held.flagged)).collect();
    let mut choices = Choices {
        there,
        ..Choices::default()
    };
    if protection.mode == Protect::Immutable {
        choices.flags.push(ObjectFlag::Immutable);
    }
    for (which, why) in &matched.dropped {
        drop_out(*which, why, surveys, classified, sum);
    }
    let present = present_objects(index);
    for group in &matched.groups {
        let Some(id) = group_id(group) else { continue };
        let there = present
            .get(&(id.content, id.metadata))
            .map_or(&[][..], Vec::as_slice);
        let members: Vec<Member> = group
            .iter()
            .map(|read| member(read, surveys, protection))
            .collect();
        let chosen = choose(&members, there, facts.max_links, policy.objects);
        choices.take(id, group, &chosen, surveys, classified);
    }
    choices.finish(matched, surveys, classified, base, sum)?;
    Ok(choices)
}

impl Choices {
    fn take(
        &mut self,
        id: ObjectId,
        group: &[Read],
        chosen: &[Option<Choice>],
        surveys: &[Survey],
        classified: &mut [Classified],
    ) {
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.groups.push(id);
        for (read, choice) in group.iter().zip(chosen) {
            let Some(choice) = *choice else { continue };
            let object = ObjectId {
                generation: choice.generation,
                ..id
            };
            *self.names.entry(object).or_default() += names_of(read.which, surveys);
            if let Some(decision) = decision_of(read.which, classified) {
                *decision = Decision::Linked {
                    group: number,
                    choice,
                };
            }
        }
    }

    /// Counts who shares what, finds the objects that need a flag, and counts what stays alone.
    fn finish(
        &mut self,
        matched: &Matched,
        surveys: &[Survey],
        classified: &mut [Classified],
        base: Option<&Base>,
        sum: &mut SummaryBuilder,
    ) -> Result<(), EngineError> {
        let mut sharers: HashMap<ObjectId, (Vec<u32>, u64, Which)> = HashMap::new();
        for read in matched.groups.iter().flatten() {
            let Some(Decision::Linked { group, choice }) =
                decision_of(read.which, classified).copied()
            else {
                continue;
            };
            let Some(object) = self.object(group, choice) else {
                continue;
            };
            let size = surveys[read.which.guest as usize]
                .scan
                .tree
                .state(read.which.file as usize)
                .size;
            let entry = sharers
                .entry(object)
                .or_insert_with(|| (Vec::new(), size, read.which));
            entry.0.push(read.which.guest);
            entry.2 = entry.2.min(read.which);
        }
        for (object, (guests, size, first)) in &sharers {
            sum.object(guests, *size);
            let flagged = self.is_flagged(base, object)?;
            if !self.flags.is_empty() && !flagged {
                self.flag_behind(*object, *first);
            }
        }
        if !self.flags.is_empty() {
            self.flag_shared(surveys, classified, base)?;
        }
        count_unique(surveys, classified, sum);
        Ok(())
    }

    /// Asked of the object itself where the look over the base did not tell.
    fn is_flagged(&self, base: Option<&Base>, object: &ObjectId) -> Result<bool, EngineError> {
        match self.there.get(object) {
            None => return Ok(false),
            Some(Some(told)) => return Ok(*told),
            Some(None) => {}
        }
        let file = match base.map(|base| base.object(object)).transpose() {
            // Somebody holds a lease on it: apply will see.
            Err(error) if error.meaning() == Meaning::Busy => return Ok(false),
            other => other?.flatten(),
        };
        Ok(file.map_or(Ok(false), |file| file.is_immutable())?)
    }

    /// Objects that names refer to already and that lost their flag, or never had it, get it now.
    fn flag_shared(
        &mut self,
        surveys: &[Survey],
        classified: &[Classified],
        base: Option<&Base>,
    ) -> Result<(), EngineError> {
        let mut shared: HashMap<ObjectId, (u64, Which)> = HashMap::new();
        for ((guest, survey), judged) in (0u32..).zip(surveys).zip(classified) {
            for (file, decision) in (0u32..).zip(&judged.decisions) {
                if let Decision::Shared(object) = decision {
                    let entry = shared.entry(*object);
                    let (names, _) = entry.or_insert((0, Which { guest, file }));
                    *names += survey.scan.tree.name_count(file as usize) as u64;
                }
            }
        }
        for (object, (names, first)) in shared {
            if !self.is_flagged(base, &object)? {
                *self.names.entry(object).or_default() += names;
                self.flag_behind(object, first);
            }
        }
        Ok(())
    }
}

/// What is still a candidate has no twin.
fn count_unique(surveys: &[Survey], classified: &mut [Classified], sum: &mut SummaryBuilder) {
    for (survey, judged) in surveys.iter().zip(classified) {
        for (file, decision) in judged.decisions.iter_mut().enumerate() {
            if *decision == Decision::Candidate {
                sum.skipped(SkipReason::Unique, 1, survey.scan.tree.state(file).size);
                *decision = Decision::Counted(SkipReason::Unique);
            }
        }
    }
}

fn drop_out(
    which: Which,
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
    let size = tree.state(file).size;
    sum.skipped(why.reason, 1, size);
    judged.decisions[file] = Decision::Listed;
    for name in tree.names_of(file) {
        let mut skip = Skip::new(survey.guest.name.clone(), tree.guest_path(name), why.reason);
        (skip.size, skip.note) = (Some(size), why.note.clone());
        judged.lines.insert(name, skip);
    }
}

fn group_id(group: &[Read]) -> Option<ObjectId> {
    let first = group.first()?;
    Some(ObjectId {
        content: first.content,
        metadata: first.probed.metadata,
        generation: 0,
    })
}

fn member(read: &Read, surveys: &[Survey], protection: &Protection) -> Member {
    let quiet = surveys[read.which.guest as usize]
        .condition
        .running
        .is_none();
    let adoptable = quiet && read.probed.plain_project && protection.mode == Protect::Immutable;
    Member {
        names: names_of(read.which, surveys),
        extents: read.extents,
        adoptable,
    }
}

fn names_of(which: Which, surveys: &[Survey]) -> u64 {
    surveys[which.guest as usize]
        .scan
        .tree
        .name_count(which.file as usize) as u64
}

fn decision_of(which: Which, classified: &mut [Classified]) -> Option<&mut Decision> {
    classified
        .get_mut(which.guest as usize)?
        .decisions
        .get_mut(which.file as usize)
}

/// Objects of the base by content and metadata, generations in order.
fn present_objects(index: &Index) -> HashMap<(Digest, MetadataDigest), Vec<Present>> {
    let mut all: HashMap<_, Vec<Present>> = HashMap::new();
    for held in index.objects() {
        let present = Present {
            generation: held.id.generation,
            nlink: u64::from(held.state.nlink),
        };
        all.entry((held.id.content, held.id.metadata))
            .or_default()
            .push(present);
    }
    all.values_mut()
        .for_each(|generations| generations.sort_by_key(|present| present.generation));
    all
}
