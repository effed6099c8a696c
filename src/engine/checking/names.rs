//! Names that other systems and people cannot use.

use crate::engine::planning::survey::Survey;
use crate::model::{CheckRule, Finding, FindingFacts, FindingLevel, FindingPlace};
use crate::rules::findings::names::NameCheck;

/// Everything of all guests.
pub(super) fn names(surveys: &[Survey]) -> Vec<Finding> {
    surveys.iter().flat_map(of_guest).collect()
}

fn of_guest(survey: &Survey) -> Vec<Finding> {
    let tree = &survey.scan.tree;
    let mut check = NameCheck::default();
    let mut found = Vec::new();
    for name in 0..tree.names() {
        for (path, fault) in check.take(&tree.path(name)) {
            let package = survey.owner(path.as_bytes());
            let is_owned = package.is_some();
            let place = FindingPlace {
                guest: survey.guest.name.clone(),
                path: Some(path),
            };
            let facts = FindingFacts::Name { fault, package };
            let finding = Finding::at(CheckRule::NameUnusable, [place], facts);
            found.push(match is_owned {
                true => finding.weighing(FindingLevel::Info),
                false => finding,
            });
        }
    }
    found
}
