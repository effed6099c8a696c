//! What could not be looked at, and databases that cannot be believed.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::planning::purposes::seen::SeenGuests;
use crate::model::{
    CheckRule, Database, DatabaseState, Finding, FindingFacts, FindingPlace, GuestName, GuestPath,
    Skip,
};
use crate::rules::findings::judge::FoundAll;

/// Everything of all guests.
pub(super) fn blind(seen: &SeenGuests<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, survey) in seen.surveys.iter().enumerate() {
        let guest = &survey.guest.name;
        let of_walk = survey.scan.unread.iter();
        found.extend(of_walk.map(|unread| unread_at(guest, Some(&unread.path), &unread.why)));
        let files = seen.unreadable(number).filter(|skip| skip.path().is_some());
        found.extend(files.map(|skip| unread_at(guest, skip.path(), why(skip))));
        let damaged = databases(guest, &survey.answer.databases);
        if let (true, Some(why)) = (damaged.is_empty(), &survey.left_out) {
            found.push(unread_at(guest, None, why));
        }
        found.extend(damaged);
    }
    found
}

/// Rules that packages answer, each with the guests of which they could not. Where some of several guests have a
/// database, nobody shall take the answer for that of all.
pub(super) fn not_asked(found: &FoundAll) -> Vec<Finding> {
    let damaged = found.findings.iter();
    let damaged = damaged.filter(|one| one.rule == CheckRule::DatabaseDamaged);
    let damaged: BTreeSet<&GuestName> = damaged
        .flat_map(|one| &one.places)
        .map(|place| &place.guest)
        .collect();
    let mut of: BTreeMap<&GuestName, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for rule in [CheckRule::FileModified, CheckRule::FileUnowned] {
        let guests = found.not_of.get(&rule).into_iter().flatten();
        for (guest, why) in guests.filter(|(guest, _)| !damaged.contains(guest)) {
            let by_why = of.entry(guest).or_default();
            by_why.entry(why).or_default().push(rule.code());
        }
    }
    let finding = |(guest, by_why): (&&GuestName, &BTreeMap<&str, Vec<&str>>)| {
        let said = by_why
            .iter()
            .map(|(why, rules)| format!("{} cannot be asked of it: {why}", rules.join(" and ")));
        unread_at(guest, None, &said.collect::<Vec<_>>().join("; "))
    };
    of.iter().map(finding).collect()
}

/// Of a guest without any.
pub(super) const NONE_HERE: &str = "it has no package database";

/// Of a guest whose database is damaged.
pub(super) const DAMAGED: &str = "its package database is damaged";

fn why(skip: &Skip) -> &str {
    skip.note.as_deref().unwrap_or("it could not be read")
}

/// A name that could not be read, or a whole guest.
pub(super) fn unread_at(guest: &GuestName, path: Option<&GuestPath>, why: &str) -> Finding {
    let place = FindingPlace {
        guest: guest.clone(),
        path: path.cloned(),
    };
    let why = why.to_owned();
    Finding::at(
        CheckRule::InputUnread,
        [place],
        FindingFacts::Unread { why },
    )
}

/// Databases of a guest that are damaged.
pub(super) fn databases(guest: &GuestName, all: &[Database]) -> Vec<Finding> {
    let damaged = all.iter().filter(|one| one.state == DatabaseState::Damaged);
    let finding = |database: &Database| {
        let place = FindingPlace {
            guest: guest.clone(),
            path: None,
        };
        let problem = database.problem.clone();
        let facts = FindingFacts::Damaged {
            manager: database.manager.clone(),
            problem: problem.unwrap_or_else(|| "it cannot be read".to_owned()),
        };
        Finding::at(CheckRule::DatabaseDamaged, [place], facts)
    };
    damaged.map(finding).collect()
}
