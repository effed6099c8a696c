//! What guests share and what each has alone, where the policy gives bounds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::hardlinks::between;
use crate::engine::checking::sight::shown_path;
use crate::engine::planning::purposes::seen::SeenGuests;
use crate::engine::planning::survey::Survey;
use crate::model::{
    CheckPolicy, CheckRule, Finding, FindingFacts, FindingPlace, GuestName, SharedPath,
};

/// Most files that one finding names.
const MOST_FILES: usize = 20;

/// Everything about bounds.
pub(in crate::engine::checking) fn sharing(
    seen: &SeenGuests<'_>,
    policy: &CheckPolicy,
) -> Vec<Finding> {
    let asked = [CheckRule::SharingBelow, CheckRule::BudgetExceeded];
    if asked.iter().all(|rule| policy.level(*rule).is_none()) {
        return Vec::new();
    }
    let sharers = Sharers::of(seen);
    let guests = seen.surveys.iter().map(|survey| &survey.guest.name);
    let guests: Vec<&GuestName> = guests.collect();
    let totals = |guest: usize| sharers.bytes(guest, &|_| true);
    let mut found = Vec::new();
    for (number, guest) in guests.iter().enumerate() {
        let alone = |set: &BTreeSet<usize>| set.len() < 2;
        let unique = sharers.bytes(number, &alone);
        found.extend(budget(policy, guest, unique, || {
            sharers.largest(number, &alone)
        }));
        for (behind, other) in guests.iter().enumerate().skip(number + 1) {
            let shared = sharers.bytes(number, &|set| set.contains(&behind));
            let of = totals(number).min(totals(behind));
            let smaller = if totals(number) <= totals(behind) {
                number
            } else {
                behind
            };
            let larger = number + behind - smaller;
            let lacks = |set: &BTreeSet<usize>| !set.contains(&larger);
            let pair = (*guest, *other, shared, of);
            found.extend(below(policy, pair, || sharers.largest(smaller, &lacks)));
        }
    }
    found
}

/// The finding about a guest's own bytes.
pub(in crate::engine::checking) fn budget(
    policy: &CheckPolicy,
    guest: &GuestName,
    unique: u64,
    largest: impl FnOnce() -> Vec<SharedPath>,
) -> Option<Finding> {
    let most = policy.budget(guest).filter(|most| unique > *most)?;
    let place = FindingPlace {
        guest: guest.clone(),
        path: None,
    };
    let facts = FindingFacts::Budget {
        unique,
        most,
        largest: largest(),
    };
    Some(Finding::at(CheckRule::BudgetExceeded, [place], facts))
}

/// The finding about two guests that share so many bytes, of so many of the smaller one.
pub(in crate::engine::checking) fn below(
    policy: &CheckPolicy,
    (one, other, shared, of): (&GuestName, &GuestName, u64, u64),
    largest: impl FnOnce() -> Vec<SharedPath>,
) -> Option<Finding> {
    let least = policy.least_share?;
    let wanted = u128::from(of) * u128::from(least.thousandths) / 1000;
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let missing = wanted.checked_sub(shared).filter(|missing| *missing > 0)?;
    if missing < least.bytes {
        return None;
    }
    let whole = |guest: &GuestName| FindingPlace {
        guest: guest.clone(),
        path: None,
    };
    let facts = FindingFacts::Sharing {
        shared,
        of,
        least: least.thousandths,
        largest: largest(),
    };
    Some(Finding::at(
        CheckRule::SharingBelow,
        [whole(one), whole(other)],
        facts,
    ))
}

/// Which guests have each file, as its content and all metadata go.
struct Sharers<'a> {
    surveys: &'a [Survey],
    /// For each guest, the set of each file.
    sets: Vec<Vec<u32>>,
    all: Vec<BTreeSet<usize>>,
}

impl<'a> Sharers<'a> {
    fn of(seen: &SeenGuests<'a>) -> Sharers<'a> {
        let mut groups: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
        for (guest, survey) in seen.surveys.iter().enumerate() {
            for file in 0..survey.scan.tree.files() {
                if let Some(group) = seen.group(guest, file) {
                    groups.entry(group).or_default().insert(guest);
                }
            }
        }
        let mut linked: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
        for files in between(seen.surveys).into_values() {
            let set: BTreeSet<usize> = files.iter().map(|(guest, _)| *guest).collect();
            linked.extend(files.into_iter().map(|at| (at, set.clone())));
        }
        let mut sharers = Sharers {
            surveys: seen.surveys,
            sets: Vec::new(),
            all: Vec::new(),
        };
        let mut numbers: BTreeMap<BTreeSet<usize>, u32> = BTreeMap::new();
        for (guest, survey) in seen.surveys.iter().enumerate() {
            let set = |file: usize| {
                let group = seen.group(guest, file).and_then(|group| groups.get(&group));
                let set = linked.get(&(guest, file)).or(group);
                set.cloned().unwrap_or_else(|| BTreeSet::from([guest]))
            };
            let numbered = (0..survey.scan.tree.files()).map(|file| {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                *numbers.entry(set(file)).or_insert(next)
            });
            sharers.sets.push(numbered.collect());
        }
        let mut all: Vec<(u32, BTreeSet<usize>)> = numbers
            .into_iter()
            .map(|(set, number)| (number, set))
            .collect();
        all.sort();
        sharers.all = all.into_iter().map(|(_, set)| set).collect();
        sharers
    }

    fn files(
        &self,
        guest: usize,
        wanted: &dyn Fn(&BTreeSet<usize>) -> bool,
    ) -> impl Iterator<Item = usize> {
        let wanted: Vec<bool> = self.all.iter().map(wanted).collect();
        let sets = self.sets[guest].iter().enumerate();
        sets.filter(move |(_, set)| wanted.get(**set as usize) == Some(&true))
            .map(|(file, _)| file)
    }

    fn bytes(&self, guest: usize, wanted: &dyn Fn(&BTreeSet<usize>) -> bool) -> u64 {
        let tree = &self.surveys[guest].scan.tree;
        let sizes = self.files(guest, wanted).map(|file| tree.size(file));
        sizes.fold(0, u64::saturating_add)
    }

    fn largest(&self, guest: usize, wanted: &dyn Fn(&BTreeSet<usize>) -> bool) -> Vec<SharedPath> {
        let survey = &self.surveys[guest];
        let mut files: Vec<usize> = self.files(guest, wanted).collect();
        files.sort_by_key(|file| (Reverse(survey.scan.tree.size(*file)), *file));
        let shown = files.into_iter().take(MOST_FILES).map(|file| SharedPath {
            path: shown_path(survey, file),
            bytes: survey.scan.tree.size(file),
        });
        shown.collect()
    }
}
