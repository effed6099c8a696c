//! Directories that are immutable or append-only: no name in them can be exchanged, so nothing is planned there.

use std::collections::HashSet;

use rayon::prelude::*;

use super::matching::Which;
use super::probe::Dropped;
use super::survey::Survey;
use crate::model::SkipReason;

/// A directory of a guest, by the number that its tree gives it.
type Directory = (u32, u32);

/// Takes out of `files` those with a name in such a directory; each directory is asked once.
pub(super) fn take_out_fixed(
    surveys: &[Survey],
    files: &mut Vec<Which>,
    dropped: &mut Vec<(Which, Dropped)>,
) {
    let all: HashSet<Directory> = files
        .iter()
        .flat_map(|which| directories(surveys, *which))
        .collect();
    let fixed: HashSet<Directory> = all
        .into_par_iter()
        .filter(|directory| is_fixed(surveys, *directory))
        .collect();
    if fixed.is_empty() {
        return;
    }
    files.retain(|which| {
        let free = !directories(surveys, *which).any(|directory| fixed.contains(&directory));
        if !free {
            let (reason, note) = (SkipReason::FixedDirectory, None);
            dropped.push((*which, Dropped { reason, note }));
        }
        free
    });
}

fn directories(surveys: &[Survey], which: Which) -> impl Iterator<Item = Directory> + '_ {
    let tree = &surveys[which.guest as usize].scan.tree;
    let names = tree.names_of(which.file as usize);
    names.map(move |name| (which.guest, tree.directory_of(name)))
}

/// What cannot be asked is not known to be fixed; its file will tell why it cannot be read.
fn is_fixed(surveys: &[Survey], (guest, number): Directory) -> bool {
    let survey = &surveys[guest as usize];
    let path = survey.scan.tree.directory(number);
    let relative = path.get(1..).unwrap_or_default();
    survey.view.dir().is_fixed(relative).unwrap_or(false)
}
