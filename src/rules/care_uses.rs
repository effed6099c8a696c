//! The care rules on what is done with a file now: what no link, and no private copy at the moment of a write, can
//! hide.
//!
//! A shared file is one inode for all its guests until one of them writes, and from then on the writer's name has
//! another inode. Whoever has to do with the inode, and not with the name, notices:
//!
//! * **a lock**: two guests that lock the file lock out each other while it is shared; after a break, who locked the
//!   old inode and who locks the new one both own what only one may. A lease is broken by what another guest opens.
//! * **a watch**: it stays on the inode that no name of the guest has any more, and says nothing of the write.
//! * **a descriptor**, or a mapping that all see: it goes on to show the old bytes.
//! * **a mount of the single file**: it holds the old name, which can then neither be written to nor exchanged.
//!
//! Not every open file is kept, or nothing of a running guest could be shared. Private mappings do not count: programs
//! and libraries are mapped so, and nobody who maps privately is promised to see a later write. Of what is open for
//! reading, files that a package owns do not count either: a package manager replaces its files by rename, so a reader
//! has the old bytes after an upgrade whether they are shared or not, and what writes into a package's file in place
//! besides is found by the other rules. What is left is data: a database that is open read-only, a log that `tail -f`
//! follows, a cache that is mapped.
//!
//! The rules are asked last, of files that could be shared otherwise, at plan time and again by `apply`, because a use
//! begins and ends. No pattern overrules them; `--allow` with the code switches one off. Files that only share blocks
//! keep their inodes, and with them locks, watches and readers: there these rules say nothing.

use super::care_rule::{CareRule, Covers};
use super::reflink::falls;
use crate::model::{FileUse, Method, Policy, SkipReason};

/// The rows, in the order in which several uses of one file are told.
pub(super) const USES: &[CareRule] = &[
    CareRule {
        reason: SkipReason::Locked,
        covers: Covers::Used(FileUse::Locked, "a lock or lease (/proc/locks)"),
        because: "one guest would lock out another, and a lock on the old inode is none on the new one",
        source: "here: flock in two guests on one shared file, seen",
    },
    CareRule {
        reason: SkipReason::Watched,
        covers: Covers::Used(FileUse::Watched, "an inotify or fanotify mark on its inode"),
        because: "the watch stays on the old inode and misses the write",
        source: "here: inotify on a shared file, then a write by path, seen",
    },
    CareRule {
        reason: SkipReason::OpenForWriting,
        covers: Covers::Used(
            FileUse::OpenForWriting,
            "a descriptor or shared mapping for writing",
        ),
        because: "it is being written in place; apply refuses it while that lasts",
        source: "here",
    },
    CareRule {
        reason: SkipReason::Open,
        covers: Covers::Used(
            FileUse::Open,
            "a descriptor or shared mapping for reading, if no package owns it",
        ),
        because: "the reader goes on to see the old bytes after a write",
        source: "here: tail -f and a database opened read-only, seen",
    },
    CareRule {
        reason: SkipReason::MountedElsewhere,
        covers: Covers::Used(FileUse::Mounted, "a mount of its own at another name"),
        because: "the mount holds the old inode, and a write through it is denied",
        source: "here: mount --bind of a shared file, seen",
    },
];

/// Which uses keep files, and which the policy lets in.
#[derive(Debug, Clone, Default)]
pub struct UseRules {
    on: Vec<(FileUse, SkipReason)>,
    off: Vec<(FileUse, SkipReason)>,
}

impl UseRules {
    /// As the policy has them, for files that are shared by this method.
    pub fn new(policy: &Policy, method: Method) -> UseRules {
        let mut rules = UseRules::default();
        let asked = |row: &&CareRule| !falls(row.reason, method, policy.reflink_config);
        for row in USES.iter().filter(asked) {
            let set = match policy.allow.contains(&row.reason) {
                true => &mut rules.off,
                false => &mut rules.on,
            };
            if let Covers::Used(used, _) = row.covers {
                set.push((used, row.reason));
            }
        }
        rules
    }

    /// Is any of the rules switched off?
    pub fn lets_any_in(&self) -> bool {
        !self.off.is_empty()
    }

    /// Why a file that is used so is kept; nothing where this use does not matter.
    pub fn keeps(&self, used: FileUse, owned_by_package: bool) -> Option<SkipReason> {
        reason_in(&self.on, used, owned_by_package)
    }

    /// By which code that was switched off it may be shared although it is used so.
    pub fn lets_in(&self, used: FileUse, owned_by_package: bool) -> Option<SkipReason> {
        reason_in(&self.off, used, owned_by_package)
    }
}

fn reason_in(
    rows: &[(FileUse, SkipReason)],
    used: FileUse,
    owned_by_package: bool,
) -> Option<SkipReason> {
    let matters = used != FileUse::Open || !owned_by_package;
    let mut rows = rows.iter().filter(|_| matters);
    rows.find(|(row, _)| *row == used)
        .map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_owns_what_its_readers_may_have_open() {
        let rules = UseRules::new(&Policy::default(), Method::Hardlink);
        assert_eq!(rules.keeps(FileUse::Open, true), None);
        assert_eq!(rules.keeps(FileUse::Open, false), Some(SkipReason::Open));
        assert_eq!(rules.keeps(FileUse::Locked, true), Some(SkipReason::Locked));
        assert_eq!(rules.lets_in(FileUse::Locked, true), None);
    }

    #[test]
    fn every_use_has_a_row_by_its_code() {
        for used in FileUse::ALL {
            let mut rows = USES.iter();
            let row = rows.find(|row| row.reason == used.reason()).unwrap();
            assert!(matches!(row.covers, Covers::Used(of_row, _) if of_row == used));
        }
        let codes = FileUse::ALL.map(|used| used.reason().code());
        let want = [
            "locked",
            "watched",
            "open-for-writing",
            "open",
            "mounted-elsewhere",
        ];
        assert_eq!(codes, want);
    }

    #[test]
    fn the_policy_lets_in_by_code() {
        let policy = Policy {
            allow: [SkipReason::Watched].into_iter().collect(),
            ..Policy::default()
        };
        let rules = UseRules::new(&policy, Method::Hardlink);
        assert_eq!(rules.keeps(FileUse::Watched, false), None);
        assert_eq!(
            rules.lets_in(FileUse::Watched, false),
            Some(SkipReason::Watched)
        );
        assert!(rules.keeps(FileUse::Locked, false).is_some());
    }

    #[test]
    fn blocks_are_shared_whoever_uses_the_file() {
        let rules = UseRules::new(&Policy::default(), Method::Reflink);
        let all = USES.iter().filter_map(|row| match row.covers {
            Covers::Used(used, _) => Some(used),
            _ => None,
        });
        for used in all {
            assert_eq!(rules.keeps(used, false), None);
            assert_eq!(rules.lets_in(used, false), None);
        }
    }
}
