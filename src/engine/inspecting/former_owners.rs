//! Whose files were that a guest had before it was known as it is now: a guest that was renamed, moved, or brought here
//! with its names is taught to the base by the disk, and the plan by which that was done has no line about them. An
//! earlier plan has: that of a guest with this root, or this name, or of one that is not there any more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::executed_plans::{ExecutedPlans, Who, root_of};
use crate::model::{Digest, FileId, GuestName, GuestPath, Link, MetadataDigest, ObjectId, Owner};
use crate::model::{PlannedGuest, RunId};

/// A name and what it refers to, whichever generation.
type NamedContent = (GuestPath, Digest, MetadataDigest);

/// Files of guests that no package owns now.
pub(super) struct FormerOwners<F> {
    files: Vec<(Who, F)>,
    wanted: HashMap<NamedContent, Vec<usize>>,
}

/// How well a plan's guest fits, the best first; of two that fit as well, the later plan tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Root,
    Name,
    Gone,
}

/// What is known of a file: the plan's word, which may be that no package had it.
type Told = Option<(Fit, Option<Owner>)>;

impl<F> FormerOwners<F> {
    pub fn new() -> FormerOwners<F> {
        FormerOwners {
            files: Vec::new(),
            wanted: HashMap::new(),
        }
    }

    /// One more file, by a name of it.
    pub fn want(&mut self, who: Who, name: GuestPath, object: &ObjectId, file: F) {
        let known = (name, object.content, object.metadata);
        self.wanted.entry(known).or_default().push(self.files.len());
        self.files.push((who, file));
    }

    /// Asks plans, the last first. `standing` are the roots of all guests that are there. Hands out each file with what
    /// a plan said of it; nothing where none did.
    pub fn ask(
        self,
        plans: &mut ExecutedPlans<'_>,
        standing: &BTreeSet<FileId>,
    ) -> Vec<(GuestName, F, Option<Option<Owner>>)> {
        let mut told: Vec<Told> = vec![None; self.files.len()];
        for run in plans.runs() {
            let best = |told: &Told| told.as_ref().is_some_and(|(fit, _)| *fit == Fit::Root);
            if told.iter().all(best) {
                break;
            }
            self.ask_one(plans, &run, standing, &mut told);
        }
        let files = self.files.into_iter().zip(told);
        files
            .map(|((who, file), told)| (who.name, file, told.map(|(_, owner)| owner)))
            .collect()
    }

    /// A plan that cannot be read tells nothing.
    fn ask_one(
        &self,
        plans: &mut ExecutedPlans<'_>,
        run: &RunId,
        standing: &BTreeSet<FileId>,
        told: &mut [Told],
    ) {
        let planned = plans.guests(run).unwrap_or_default();
        let planned: BTreeMap<GuestName, PlannedGuest> = planned
            .iter()
            .filter(|planned| self.may_be(planned, standing))
            .map(|planned| (planned.name.clone(), planned.clone()))
            .collect();
        if planned.is_empty() {
            return;
        }
        let mut said: BTreeMap<usize, (Fit, Option<Owner>)> = BTreeMap::new();
        let read = plans.links(run, |link| {
            if let Some(planned) = planned.get(&link.guest) {
                self.take(link, planned, standing, &mut said);
            }
        });
        if read.is_ok() {
            for (at, new) in said {
                let is_better = told[at].as_ref().is_none_or(|(fit, _)| new.0 < *fit);
                if is_better {
                    told[at] = Some(new);
                }
            }
        }
    }

    fn may_be(&self, planned: &PlannedGuest, standing: &BTreeSet<FileId>) -> bool {
        let fits = |(who, _): &(Who, F)| fit(who, planned, standing).is_some();
        self.files.iter().any(fits)
    }

    fn take(
        &self,
        link: &Link,
        planned: &PlannedGuest,
        standing: &BTreeSet<FileId>,
        said: &mut BTreeMap<usize, (Fit, Option<Owner>)>,
    ) {
        for name in link.names() {
            let known = (name.clone(), link.object.content, link.object.metadata);
            for at in self.wanted.get(&known).into_iter().flatten() {
                if let Some(fit) = fit(&self.files[*at].0, planned, standing) {
                    let new = (fit, link.owner.clone());
                    let old = said.entry(*at).or_insert_with(|| new.clone());
                    if fit < old.0 {
                        *old = new;
                    }
                }
            }
        }
    }
}

fn fit(who: &Who, planned: &PlannedGuest, standing: &BTreeSet<FileId>) -> Option<Fit> {
    if who.has_root_of(planned) {
        Some(Fit::Root)
    } else if who.is(planned) {
        Some(Fit::Name)
    } else {
        (!standing.contains(&root_of(planned))).then_some(Fit::Gone)
    }
}
