//! Files that are not what their packages brought, by the digests of the packages' own databases.
//!
//! Config files are left out, and so is what an administrator has diverted: they are meant to be changed. A file
//! that is missing is no finding: images are made smaller on purpose.

use rayon::prelude::*;

use super::blind::{DAMAGED, NONE_HERE, unread_at};
use super::sight::{Unseen, digest, name_at, place};
use crate::engine::planning::purposes::seen::SeenGuests;
use crate::engine::planning::survey::Survey;
use crate::model::{
    CheckRule, DatabaseState, Finding, FindingFacts, GuestName, NotVerified, Owner, PackageDigest,
    SkipReason,
};
use crate::packages::ask_digests;
use crate::rules::findings::judge::FoundAll;
use crate::sys::PageCache;

const NO_DATABASE: &str = "no guest has a package database that knows the content of files";
const NO_DIGESTS: &str = "its package database knows the content of no file that is there";
const UNKNOWN: &str = "their packages name them by digests of a kind that is not known";
const NO_BYTES: &str =
    "their packages name them by digests of a kind that is not made of the files of images";

/// Everything of all guests.
pub(super) fn modified(seen: &SeenGuests<'_>, unseen: &Unseen, found: &mut FoundAll) {
    let mut not_asked = Vec::new();
    for survey in seen.surveys {
        let guest = &survey.guest.name;
        let is_damaged = |one: &crate::model::Database| one.state == DatabaseState::Damaged;
        if survey.answer.databases.iter().any(is_damaged) {
            // That is a finding already.
            not_asked.push((guest.clone(), DAMAGED));
            continue;
        }
        let recorded = Recorded::of(survey);
        not_asked.extend(recorded.lack(survey).map(|why| (guest.clone(), why)));
        if let Err(why) = &recorded.read {
            found.findings.push(unread_at(guest, None, why));
        }
        let judged = seen
            .threads
            .read(|| recorded.judge(survey, unseen, seen.page_cache));
        let no_bytes = judged.iter().filter(|one| matches!(one, Verified::NoBytes));
        let no_bytes = no_bytes.count() as u64;
        for (files, why) in [(recorded.unknown, UNKNOWN), (no_bytes, NO_BYTES)] {
            not_verified(guest, files, why, found);
        }
        let differ = judged.into_iter().filter_map(|one| match one {
            Verified::Differs(finding) => Some(*finding),
            _ => None,
        });
        found.findings.extend(differ);
    }
    found.not_asked_of(CheckRule::FileModified, not_asked, NO_DATABASE);
}

/// Whoever changes a digest into one of an unknown kind shall not have the check pass.
fn not_verified(guest: &GuestName, files: u64, why: &'static str, found: &mut FoundAll) {
    if files == 0 {
        return;
    }
    let told = match files {
        1 => format!("1 file could not be verified: {why}"),
        _ => format!("{files} files could not be verified: {why}"),
    };
    found.findings.push(unread_at(guest, None, &told));
    found.not_verified.push(NotVerified {
        guest: guest.clone(),
        files,
        why,
    });
}

/// What the databases of a guest say of files that are there.
struct Recorded {
    /// Names and digests; of several packages that have a name, each.
    files: Vec<(usize, PackageDigest)>,
    unknown: u64,
    read: Result<(), String>,
}

enum Verified {
    Same,
    NoBytes,
    Differs(Box<Finding>),
}

impl Recorded {
    fn of(survey: &Survey) -> Recorded {
        let tree = &survey.scan.tree;
        let (mut files, mut unknown) = (Vec::new(), 0);
        let mut take = |path: &[u8], digest: Option<PackageDigest>| {
            let Some(name) = name_at(tree, path).filter(|_| !is_private(survey, path)) else {
                return;
            };
            match digest {
                Some(digest) => files.push((name, digest)),
                None => unknown += 1,
            }
        };
        let is_directory = |path: &[u8]| tree.has_directory(path);
        let read = ask_digests(&*survey.files, &is_directory, &mut take);
        Recorded {
            files,
            unknown,
            read,
        }
    }

    /// Why it cannot be told of the guest whether its files were modified, if it cannot.
    fn lack(&self, survey: &Survey) -> Option<&'static str> {
        let known = self.files.len() as u64 + self.unknown;
        (known == 0 && self.read.is_ok()).then_some(match survey.answer.databases.is_empty() {
            true => NONE_HERE,
            false => NO_DIGESTS,
        })
    }

    fn judge(&self, survey: &Survey, unseen: &Unseen, cache: PageCache) -> Vec<Verified> {
        let judge = |(name, expected): &(usize, PackageDigest)| {
            let read = digest(survey, *name, expected.kind(), cache);
            let Some(found) = unseen.or_note(survey, *name, read)? else {
                return Some(Verified::NoBytes);
            };
            Some(match found == *expected {
                true => Verified::Same,
                false => Verified::Differs(Box::new(differs(survey, *name, expected, &found))),
            })
        };
        self.files.par_iter().filter_map(judge).collect()
    }
}

fn differs(
    survey: &Survey,
    name: usize,
    expected: &PackageDigest,
    found: &PackageDigest,
) -> Finding {
    let owner = survey.owner(&survey.scan.tree.path(name));
    let facts = FindingFacts::Modified {
        package: owner.unwrap_or_else(|| Owner {
            package: "unknown".to_owned(),
            version: None,
        }),
        expected: expected.to_string(),
        found: found.to_string(),
    };
    Finding::at(CheckRule::FileModified, [place(survey, name)], facts)
}

/// Is it a guest's own to change?
fn is_private(survey: &Survey, path: &[u8]) -> bool {
    let protected = &survey.answer.protected;
    let at = protected.binary_search_by(|one| one.path.as_bytes().cmp(path));
    at.is_ok_and(|at| {
        matches!(
            protected[at].why,
            SkipReason::ConfigFile | SkipReason::ConfigSidecar | SkipReason::Diverted
        )
    })
}
