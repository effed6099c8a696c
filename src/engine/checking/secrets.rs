//! Secrets: one that several guests have, and one that is part of an image.
//!
//! Only files where the rules expect secrets are opened. Nothing of their content is kept but whether two are equal.

use std::collections::{BTreeMap, BTreeSet};

use super::sight::{Unseen, content, place};
use crate::engine::planning::survey::Survey;
use crate::model::{
    CheckRule, Finding, FindingFacts, FindingLevel, FindingPlace, GuestName, SecretKind,
};
use crate::rules::findings::secret::{LONGEST, SecretPlaces};
use crate::sys::hash::sha256;

/// A secret that was seen.
struct SeenSecret {
    content: [u8; 32],
    kind: SecretKind,
    place: FindingPlace,
}

/// Everything about secrets.
pub(super) fn secrets(surveys: &[Survey], unseen: &Unseen) -> Vec<Finding> {
    let places = SecretPlaces::default();
    let all = surveys
        .iter()
        .flat_map(|survey| of_guest(survey, &places, unseen));
    let all: Vec<SeenSecret> = all.collect();
    let mut found: Vec<Finding> = all.iter().map(baked).collect();
    let mut equal: BTreeMap<[u8; 32], Vec<&SeenSecret>> = BTreeMap::new();
    for seen in &all {
        equal.entry(seen.content).or_default().push(seen);
    }
    found.extend(equal.into_values().filter_map(|same| shared(&same)));
    found
}

fn of_guest(survey: &Survey, places: &SecretPlaces, unseen: &Unseen) -> Vec<SeenSecret> {
    let tree = &survey.scan.tree;
    let may_hold = |name: &usize| places.may_hold(&tree.path(*name));
    let names = (0..tree.names()).filter(|name| tree.size(tree.file_of(*name)) > 0);
    let look = |name: usize| {
        let read = content(survey, name, LONGEST);
        let content = unseen.or_note(survey, name, read)??;
        let path = tree.path(name);
        Some(SeenSecret {
            content: sha256(&content).0,
            kind: places.kind(&path, &content)?,
            place: place(survey, name),
        })
    };
    names.filter(may_hold).filter_map(look).collect()
}

fn baked(seen: &SeenSecret) -> Finding {
    let facts = FindingFacts::Baked(seen.kind);
    let finding = Finding::at(CheckRule::BakedIdentity, [seen.place.clone()], facts);
    match seen.kind {
        SecretKind::HostKey => finding,
        _ => finding.weighing(FindingLevel::Warn),
    }
}

fn shared(same: &[&SeenSecret]) -> Option<Finding> {
    let guests: BTreeSet<&GuestName> = same.iter().map(|seen| &seen.place.guest).collect();
    let kind = same.iter().map(|seen| seen.kind).min()?;
    let places = same.iter().map(|seen| seen.place.clone());
    let facts = FindingFacts::SameSecret(kind);
    (guests.len() > 1).then(|| Finding::at(CheckRule::SharedSecret, places, facts))
}
