//! Files that several guests share by hard links and that nothing protects, be they no objects of a base or such that
//! have lost their protection: what one guest writes the others read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::base::{Base, Index};
use crate::engine::EngineError;
use crate::engine::checking::sight::place;
use crate::engine::planning::survey::Survey;
use crate::engine::records::History;
use crate::engine::records::unprotected::left_unprotected;
use crate::model::{CheckRule, Event, FileId, Finding, FindingFacts, FindingPlace, Observer};
use crate::sys::guest::Precision;

/// What a base is called where no other name is given.
const USUAL: &str = ".unify";

/// The objects of bases: those that were named, and those beside the roots of guests.
#[derive(Debug, Default)]
pub(in crate::engine::checking) struct KnownObjects {
    all: BTreeSet<FileId>,
    /// Those that have lost their protection.
    bare: BTreeSet<FileId>,
}

impl KnownObjects {
    /// Reads them. A base that cannot be read is told: its objects are then called shared by nobody.
    pub fn near(roots: &[&Path], named: Option<&Path>, observer: &dyn Observer) -> KnownObjects {
        let above = |root: &&Path| {
            root.ancestors()
                .skip(1)
                .take(2)
                .map(|up| up.join(USUAL))
                .collect::<Vec<_>>()
        };
        let mut places: BTreeSet<_> = roots.iter().flat_map(above).collect();
        places.extend(named.map(Path::to_owned));
        let mut known = KnownObjects::default();
        for place in places.iter().filter(|place| Base::is_at(place)) {
            match known.take(place, observer) {
                Ok(()) => {}
                Err(why) => observer.notice(&Event::Unread(&format!(
                    "{why}; files that guests share by that base are called unprotected"
                ))),
            }
        }
        known
    }

    fn take(&mut self, place: &Path, observer: &dyn Observer) -> Result<(), EngineError> {
        let base = Base::existing(place)?;
        let index = Index::read(&base)?;
        let protection = || Ok(History::read(&base)?.protection()?);
        let bare = left_unprotected(&base, &index, protection, observer)?;
        self.all.extend(index.objects().map(|held| held.state.id));
        self.bare.extend(bare.iter().map(|held| held.state.id));
        Ok(())
    }

    /// Is it protected?
    fn protects(&self, id: &FileId) -> bool {
        self.all.contains(id) && !self.bare.contains(id)
    }
}

/// Files of the guests that have names in several of them, by their inodes.
pub(in crate::engine::checking) fn between(
    surveys: &[Survey],
) -> BTreeMap<FileId, Vec<(usize, usize)>> {
    let mut all: BTreeMap<FileId, Vec<(usize, usize)>> = BTreeMap::new();
    for (guest, survey) in surveys.iter().enumerate() {
        // The inodes of other forms are numbers of their own.
        if survey.files.precision() != Precision::DISK {
            continue;
        }
        let tree = &survey.scan.tree;
        for file in 0..tree.files() {
            let state = tree.state(file);
            if tree.name_count(file) as u64 != u64::from(state.nlink) {
                all.entry(state.id).or_default().push((guest, file));
            }
        }
    }
    all.retain(|_, files| files.len() > 1);
    all
}

/// Everything about at least two guests.
pub(in crate::engine::checking) fn hardlinks(
    surveys: &[Survey],
    known: &KnownObjects,
) -> Vec<Finding> {
    let between = between(surveys);
    let strange = between.iter().filter(|(id, _)| !known.protects(id));
    let finding = |(id, files): (&FileId, &Vec<(usize, usize)>)| {
        finding(surveys, files, known.bare.contains(id))
    };
    strange.map(finding).collect()
}

fn finding(surveys: &[Survey], files: &[(usize, usize)], is_bare_object: bool) -> Finding {
    let names = files.iter().flat_map(|(guest, file)| {
        let survey = &surveys[*guest];
        let names = survey.scan.tree.names_of(*file);
        names
            .map(|name| place(survey, name))
            .collect::<Vec<FindingPlace>>()
    });
    let first = files
        .first()
        .map(|(guest, file)| surveys[*guest].scan.tree.size(*file));
    let facts = FindingFacts::Linked {
        bytes: first.unwrap_or(0),
        is_bare_object,
    };
    Finding::at(CheckRule::HardlinkBetweenGuests, names, facts)
}
