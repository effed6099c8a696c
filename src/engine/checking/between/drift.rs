//! What is not as in the golden guest: files below the directories of the policy, by content, owner and mode. Times do
//! not count.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::engine::EngineError;
use crate::engine::checking::sight::{Unseen, is_beneath, lower_bound, same_content};
use crate::engine::error::BadUse;
use crate::engine::planning::purposes::seen::SeenGuests;
use crate::engine::planning::survey::Survey;
use crate::model::{CheckPolicy, Finding, Tree};
use crate::rules::findings::drift::{DriftPackage, Drifted, GuestDrift};

/// Everything about the golden guest and each other.
pub(in crate::engine::checking) fn drift(
    seen: &SeenGuests<'_>,
    policy: &CheckPolicy,
    unseen: &Unseen,
) -> Result<Vec<Finding>, EngineError> {
    let Some(golden) = &policy.golden else {
        return Ok(Vec::new());
    };
    let guests = seen.surveys.iter().enumerate();
    let Some((number, golden)) = guests.clone().find(|(_, one)| one.guest.name == *golden) else {
        let known = seen.surveys.iter().map(|one| one.guest.name.to_string());
        return Err(BadUse::NoSuchGuest {
            name: golden.to_string(),
            known: known.collect(),
        }
        .into());
    };
    let mut found = Vec::new();
    for (other, survey) in guests.filter(|(other, _)| *other != number) {
        let pair = ComparedGuests {
            seen,
            golden: (number, golden),
            other: (other, survey),
            beneath: &policy.beneath,
            unseen,
        };
        found.extend(pair.drift().findings(&survey.guest.name));
    }
    Ok(found)
}

struct ComparedGuests<'a> {
    seen: &'a SeenGuests<'a>,
    golden: (usize, &'a Survey),
    other: (usize, &'a Survey),
    beneath: &'a [String],
    unseen: &'a Unseen,
}

/// A path, and its name in each of the two guests.
type PathPair = (Option<usize>, Option<usize>);

impl ComparedGuests<'_> {
    fn drift(&self) -> GuestDrift {
        let pairs = self.pairs();
        let judge = |pair: &PathPair| Some((*pair, self.judge(*pair)?));
        let read = || pairs.par_iter().filter_map(judge).collect();
        let drifted: Vec<(PathPair, Drifted)> = self.seen.threads.read(read);
        let mut drift = GuestDrift::default();
        for (pair, what) in drifted {
            let path = match pair {
                (Some(name), _) => self.golden.1.scan.tree.guest_path(name),
                (None, name) => self.other.1.scan.tree.guest_path(name.unwrap_or(0)),
            };
            drift.take(&path, what, self.package(path.as_bytes()));
        }
        drift
    }

    /// All paths of both, in order.
    fn pairs(&self) -> Vec<PathPair> {
        let mut all = Vec::new();
        let trees = [&self.golden.1.scan.tree, &self.other.1.scan.tree];
        for top in self.beneath {
            let [mut a, mut b] = trees.map(|tree| names_beneath(tree, top).into_iter().peekable());
            loop {
                let order = match (a.peek(), b.peek()) {
                    (None, None) => break,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(one), Some(other)) => trees[0].path(*one).cmp(&trees[1].path(*other)),
                };
                all.push(match order {
                    Ordering::Less => (a.next(), None),
                    Ordering::Equal => (a.next(), b.next()),
                    Ordering::Greater => (None, b.next()),
                });
            }
        }
        all
    }

    fn judge(&self, pair: PathPair) -> Option<Drifted> {
        let (one, other) = match pair {
            (Some(_), None) => return Some(Drifted::Removed),
            (None, _) => return Some(Drifted::Added),
            (Some(one), Some(other)) => (one, other),
        };
        let (trees, surveys) = (
            [&self.golden.1.scan.tree, &self.other.1.scan.tree],
            [self.golden.1, self.other.1],
        );
        let files = (trees[0].file_of(one), trees[1].file_of(other));
        let (a, b) = (trees[0].state(files.0), trees[1].state(files.1));
        let facts =
            |state: &crate::model::FileState| (state.mode, state.uid, state.gid, state.size);
        if facts(&a) != facts(&b) {
            return Some(Drifted::Changed);
        }
        let group = self.seen.group(self.golden.0, files.0);
        if a.id == b.id || group.is_some() && group == self.seen.group(self.other.0, files.1) {
            return None;
        }
        let read = same_content((surveys[0], one), (surveys[1], other));
        let same = self.unseen.or_note(surveys[1], other, read)?;
        (!same).then_some(Drifted::Changed)
    }

    /// The package of the path in either guest, and its version in both.
    fn package(&self, path: &[u8]) -> Option<DriftPackage> {
        let surveys = [self.golden.1, self.other.1];
        let owner = surveys.iter().find_map(|survey| survey.owner(path))?;
        let [golden, here] = surveys.map(|survey| version(survey, &owner.package));
        Some(DriftPackage {
            name: owner.package,
            golden,
            here,
        })
    }
}

fn version(survey: &Survey, name: &str) -> Option<String> {
    let mut packages = survey.answer.owners.packages().iter();
    let package = packages.find(|package| package.owns() && &*package.name == name)?;
    Some(package.version.as_deref().unwrap_or("unknown").to_owned())
}

fn names_beneath(tree: &Tree, top: &str) -> Vec<usize> {
    let top = top.trim_end_matches('/');
    let tops = [top.to_owned()];
    let names = lower_bound(tree, top.as_bytes())..tree.names();
    let inside = names.take_while(|name| tree.path(*name).starts_with(top.as_bytes()));
    inside
        .filter(|name| is_beneath(&tree.path(*name), &tops))
        .collect()
}
