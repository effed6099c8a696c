//! Files that no package has brought.

use std::collections::BTreeMap;

use super::blind::{DAMAGED, NONE_HERE};
use super::sight::{name_at, place};
use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::engine::planning::survey::Survey;
use crate::model::{
    CheckPolicy, CheckRule, Database, DatabaseState, Finding, FindingFacts, FindingPlace,
};
use crate::packages::{Package, lists_files};
use crate::rules::findings::judge::FoundAll;
use crate::rules::findings::unowned::{NoPackageNeeded, python_source};

/// Said once of a guest some of whose packages list no files.
const PARTIAL: &str =
    "the files of some packages are not known, so it cannot be told which files have no package";

const NO_DATABASE: &str = "no guest has a package database that lists files";
const NO_LISTS: &str = "its package database lists no files";

/// Everything of all guests.
pub(super) fn unowned(
    surveys: &[Survey],
    policy: &CheckPolicy,
    found: &mut FoundAll,
) -> Result<(), EngineError> {
    let owned = policy.owned.iter().map(|owned| owned.path.as_str());
    let exempt = NoPackageNeeded::new(owned);
    let exempt =
        exempt.map_err(|why| EngineError::from(BadUse::Policy(format!("[[owned]]: {why}"))))?;
    let mut not_asked = Vec::new();
    for survey in surveys {
        match lack(survey) {
            None => found.findings.extend(of_guest(survey, &exempt)),
            Some(why) => not_asked.push((survey.guest.name.clone(), why)),
        }
    }
    found.not_asked_of(CheckRule::FileUnowned, not_asked, NO_DATABASE);
    Ok(())
}

/// Why it is not known which files packages have, or not to be believed, if that is so.
fn lack(survey: &Survey) -> Option<&'static str> {
    let databases = &survey.answer.databases;
    let is_damaged = |one: &Database| one.state == DatabaseState::Damaged;
    let lists = |one: &Database| lists_files(&one.manager);
    match () {
        () if databases.iter().any(is_damaged) => Some(DAMAGED),
        () if databases.iter().any(lists) => None,
        () if databases.is_empty() => Some(NONE_HERE),
        () => Some(NO_LISTS),
    }
}

fn of_guest(survey: &Survey, exempt: &NoPackageNeeded) -> Vec<Finding> {
    if !survey.answer.owners.are_whole() {
        let whole = FindingPlace {
            guest: survey.guest.name.clone(),
            path: None,
        };
        let facts = FindingFacts::Unread {
            why: PARTIAL.to_owned(),
        };
        return vec![Finding::at(CheckRule::InputUnread, [whole], facts)];
    }
    let tree = &survey.scan.tree;
    let mut owners_of = Neighbours::of(survey);
    let mut found = Vec::new();
    for name in 0..tree.names() {
        let path = tree.path(name);
        let is_owned = |path: &[u8]| survey.answer.owners.of(path).is_some_and(Package::owns);
        let has_source = || {
            let source = python_source(&path);
            source.is_some_and(|source| is_owned(&source) && name_at(tree, &source).is_some())
        };
        if is_owned(&path) || exempt.covers(&path) || has_source() {
            continue;
        }
        let facts = FindingFacts::Unowned {
            bytes: tree.size(tree.file_of(name)),
            near: owners_of.near(&path),
        };
        found.push(Finding::at(
            CheckRule::FileUnowned,
            [place(survey, name)],
            facts,
        ));
    }
    found
}

/// Which package has files in a directory: the first that is met there.
struct Neighbours<'a> {
    survey: &'a Survey,
    of: Option<BTreeMap<Vec<u8>, String>>,
}

impl<'a> Neighbours<'a> {
    fn of(survey: &'a Survey) -> Neighbours<'a> {
        Neighbours { survey, of: None }
    }

    fn near(&mut self, path: &[u8]) -> Option<String> {
        let survey = self.survey;
        let of = self.of.get_or_insert_with(|| all_of(survey));
        of.get(directory(path)).cloned()
    }
}

fn all_of(survey: &Survey) -> BTreeMap<Vec<u8>, String> {
    let tree = &survey.scan.tree;
    let mut all = BTreeMap::new();
    for name in 0..tree.names() {
        let path = tree.path(name);
        if all.contains_key(directory(&path)) {
            continue;
        }
        if let Some(package) = survey.answer.owners.of(&path) {
            all.insert(directory(&path).to_vec(), package.name.to_string());
        }
    }
    all
}

fn directory(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
    path.get(..slash).unwrap_or_default()
}
