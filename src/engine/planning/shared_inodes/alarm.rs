//! What guests share without protection, in numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::SharedInodes;
use super::standing::Standing;
use crate::engine::planning::classify::{Classified, Decision};
use crate::engine::planning::matching::file::FileRef;
use crate::engine::planning::survey::Survey;
use crate::model::{Count, Escaped, SharedBy, UnprotectedSharing};

impl SharedInodes {
    /// What a person must know of it, once every file has its decision.
    pub fn unprotected(
        &self,
        surveys: &[Survey],
        classified: &[Classified],
        other_bases: &[PathBuf],
    ) -> UnprotectedSharing {
        let mut said = UnprotectedSharing::default();
        let mut sets: BTreeMap<Vec<u32>, Count> = BTreeMap::new();
        for number in 0..self.inodes.len() {
            let files = self.files_of(number);
            let (Some(leader), standing) = (files.first(), self.inodes[number].standing) else {
                continue;
            };
            let survey = &surveys[leader.guest as usize];
            let size = survey.scan.tree.size(leader.file as usize);
            if !standing.is_open() {
                said.immutable.add(1, size);
                continue;
            }
            said.all.add(1, size);
            let guests = files.iter().map(|which| which.guest).collect();
            sets.entry(guests).or_default().add(1, size);
            if standing == Standing::Outside {
                said.outside.add(1, size);
            }
            if is_taken(*leader, classified) {
                said.taken.add(1, size);
            } else if said.staying.len() < UnprotectedSharing::MOST_NAMES {
                said.staying.push(survey.shown(leader.file as usize));
            }
        }
        let mut sets: Vec<_> = sets.into_iter().collect();
        sets.sort_by_key(|(_, count)| Reverse(count.bytes));
        said.more_guests = sets.len().saturating_sub(UnprotectedSharing::MOST_SETS) as u64;
        sets.truncate(UnprotectedSharing::MOST_SETS);
        let name = |guest: u32| surveys[guest as usize].guest.name.clone();
        let by = sets.into_iter().map(|(guests, count)| SharedBy {
            guests: guests.into_iter().map(name).collect(),
            files: count.files,
            bytes: count.bytes,
        });
        said.guests = by.collect();
        if said.immutable.files > 0 {
            let shown = other_bases.iter().take(UnprotectedSharing::MOST_NAMES);
            said.bases = shown.map(|base| Escaped::of(base).to_string()).collect();
        }
        said
    }
}

fn is_taken(which: FileRef, classified: &[Classified]) -> bool {
    let decision = classified[which.guest as usize].decision(which.file);
    matches!(decision, Some(Decision::Linked { .. }))
}
