//! Files that are left alone: how they are counted, and the lines of their names.

use super::classify::{Classified, Decision};
use super::survey::Survey;
use crate::model::{GuestPath, Left, Skip, SkipReason};

impl Classified {
    /// Counts a file that is left alone; to be called once for each.
    pub fn count(&mut self, reason: SkipReason, size: u64) {
        let count = self.skipped.entry(reason).or_default();
        count.add(1, size);
    }

    /// Takes the line of a name, with the package that the name belongs to.
    pub fn list(&mut self, survey: &Survey, name: usize, mut skip: Skip) {
        let path = survey.scan.tree.path(name);
        if let Some(owner) = survey.answer.owners.of(&path) {
            // The database that called it configuration has named its package; if that is this one, the version
            // is known.
            let package = skip.package.get_or_insert_with(|| owner.name.to_string());
            if **package == *owner.name {
                skip.version = owner.version.as_deref().map(str::to_owned);
            }
        }
        self.lines.insert(name, skip);
    }

    /// Takes a line for each place that was not entered. How many files there are nobody has looked at: each counts as
    /// one.
    pub fn list_beyond(&mut self, survey: &Survey) {
        for (paths, reason) in [
            (&survey.scan.foreign, SkipReason::OtherFilesystem),
            (&survey.scan.subvolumes, SkipReason::Subvolume),
        ] {
            for path in paths {
                let skip = Skip::new(survey.guest.name.clone(), path.clone(), reason);
                self.extra.push(skip);
                self.count(reason, 0);
            }
        }
    }

    /// Leaves a file alone, with a line for each of its names.
    pub fn leave(&mut self, survey: &Survey, file: usize, reason: SkipReason, note: Option<&str>) {
        let tree = &survey.scan.tree;
        let size = tree.size(file);
        for name in tree.names_of(file) {
            let path = tree.guest_path(name);
            let mut skip = Skip::new(survey.guest.name.clone(), path, reason).sized(size);
            skip.note = note.map(str::to_owned);
            self.list(survey, name, skip);
        }
        self.decisions[file] = Decision::Listed;
    }

    /// By path; at one path first what is about the path itself, then what stands for all beneath it, by reason.
    pub fn sort_extra(&mut self) {
        self.extra.sort_by(|a, b| order(a).cmp(&order(b)));
        self.extra.dedup_by(|a, b| order(a) == order(b));
    }
}

fn order(skip: &Skip) -> (Option<&GuestPath>, Option<SkipReason>) {
    let beneath = matches!(skip.left, Left::Beneath { .. });
    (skip.path(), beneath.then_some(skip.reason))
}
