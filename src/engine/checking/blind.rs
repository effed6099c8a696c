//! What could not be looked at, and databases that cannot be believed.

use crate::engine::planning::purposes::seen::SeenGuests;
use crate::model::{
    CheckRule, Database, DatabaseState, Finding, FindingFacts, FindingPlace, GuestName, GuestPath,
    Skip,
};

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
