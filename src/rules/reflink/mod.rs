//! What is asked of files that shall share blocks, and of files that shall be one inode it is not, or the other way
//! round.
//!
//! A reflink moves no name and no metadata, and a write to a file stays in it. So what the rules for hard links keep
//! private because an *inode* would be shared may share blocks; what they keep private because of the *content* stays
//! as it is. [`STANCES`] says it of every rule that is not about reading alone, with the reason. Which file of a group
//! gives its blocks to the others is chosen in [`source`].

pub mod source;

use crate::model::{Method, STORAGE_FLAGS, SkipReason};

use super::inode_flags::{ENCRYPTED, IMMUTABLE, names};

/// What a rule means where files share blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stance {
    /// The same.
    Holds,
    /// Nothing.
    Falls,
    /// The same, unless the user lets configuration in (`--reflink-config`).
    HoldsForConfig,
}

/// Every rule that is asked of a file by its name, its mode or its inode; what it means for reflinks, and why.
pub const STANCES: &[(SkipReason, Stance, &str)] = {
    use SkipReason as R;
    use Stance::{Falls, Holds, HoldsForConfig};
    &[
        (
            R::ConfigFile,
            HoldsForConfig,
            "it is edited, and each edit parts the blocks again",
        ),
        (
            R::ConfigSidecar,
            HoldsForConfig,
            "it goes the way of its config file",
        ),
        (
            R::Diverted,
            HoldsForConfig,
            "an administrator has put it there",
        ),
        (
            R::ModeOverride,
            HoldsForConfig,
            "an administrator has put it there",
        ),
        (
            R::Etc,
            HoldsForConfig,
            "it is edited, and each edit parts the blocks again",
        ),
        (
            R::MachineIdentity,
            Holds,
            "how long a write takes tells a guest that another has the same",
        ),
        (R::RandomSeed, Holds, "it is rewritten at each start"),
        (
            R::Secret,
            Holds,
            "how long a write takes tells a guest that another has the same",
        ),
        (
            R::UserDatabase,
            Holds,
            "how long a write takes tells a guest that another has the same",
        ),
        (R::PackageState, Holds, "it is rewritten by every upgrade"),
        (R::Cache, Holds, "it is rewritten soon"),
        (R::Log, Holds, "it is written to all the time"),
        (R::NetworkIdentity, Holds, "it is rewritten soon"),
        (
            R::Database,
            Holds,
            "a write to shared blocks needs room, and a full disk would stop a database",
        ),
        (R::LockFile, Holds, "it holds nothing"),
        (
            R::History,
            Holds,
            "how long a write takes tells a guest that another has the same",
        ),
        (
            R::CloudInit,
            Holds,
            "how long a write takes tells a guest that another has the same",
        ),
        (R::Var, Holds, "it is written to all the time"),
        (R::Home, Holds, "it belongs to people"),
        (R::Runtime, Holds, "it is rewritten soon"),
        (
            R::BootState,
            Holds,
            "boot loaders write to its blocks, and some read no shared ones",
        ),
        (
            R::NotWorldReadable,
            Holds,
            "how long a write takes tells a guest that another has the same",
        ),
        (R::WorldWritable, Falls, "a write stays in the file"),
        (
            R::Privileged,
            Falls,
            "the other file keeps its own owner, mode and capabilities",
        ),
        (R::Empty, Holds, "it has no blocks"),
        (R::TooSmall, Holds, "the user says so"),
        (
            R::NamesOutside,
            Falls,
            "the file stays the same for all its names",
        ),
        (R::Project, Falls, "the file stays in its project"),
        (R::FixedDirectory, Falls, "no name is moved"),
        (R::FlagClearer, Falls, "there is no flag"),
        (R::Locked, Falls, "the file keeps its inode, and the lock"),
        (R::Watched, Falls, "the file keeps its inode, and the watch"),
        (R::OpenForWriting, Falls, "a write stays in the file"),
        (R::Open, Falls, "the file keeps its inode, and its readers"),
        (R::MountedElsewhere, Falls, "the file keeps its inode"),
    ]
};

/// Does this rule say nothing of files that are shared by this method?
pub fn falls(reason: SkipReason, method: Method, with_config: bool) -> bool {
    let stance = STANCES.iter().find(|(rule, ..)| *rule == reason);
    match (method, stance.map(|(_, stance, _)| *stance)) {
        (Method::Hardlink, _) | (_, None | Some(Stance::Holds)) => false,
        (Method::Reflink, Some(Stance::Falls)) => true,
        (Method::Reflink, Some(Stance::HoldsForConfig)) => with_config,
    }
}

/// `FS_NOCOW_FL`: written in place.
const NO_COPY_ON_WRITE: u32 = 0x80_0000;

/// Inode flags that say nothing of the blocks: compressed, synchronous, no-dump, no-atime, compression-dirty,
/// compressed-blocks, no-compression, xattr-inode. Any other bit, known or not, keeps a file as it is.
const HARMLESS: u32 = 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x20_0000;

/// What keeps a file of these inode flags from sharing blocks, and the flags in words. An immutable file may give its
/// blocks to others, and get none.
pub fn kept_by_flags(flags: u32) -> Option<(SkipReason, Option<String>)> {
    if flags & ENCRYPTED != 0 {
        return Some((SkipReason::Encrypted, None));
    }
    if flags & NO_COPY_ON_WRITE != 0 {
        return Some((SkipReason::NoCopyOnWrite, None));
    }
    let foreign = flags & !(STORAGE_FLAGS | IMMUTABLE | HARMLESS);
    (foreign != 0).then(|| (SkipReason::InodeFlags, Some(names(foreign))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::care::table;

    #[test]
    fn every_care_rule_has_its_stance_and_each_once() {
        for rule in table() {
            let stances = STANCES.iter().filter(|(reason, ..)| *reason == rule.reason);
            assert_eq!(stances.count(), 1, "{}", rule.reason);
        }
        let mut codes: Vec<_> = STANCES.iter().map(|(reason, ..)| *reason).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), STANCES.len());
        assert!(STANCES.iter().all(|(.., why)| !why.is_empty()));
    }

    #[test]
    fn hard_links_are_judged_as_ever() {
        for reason in SkipReason::ALL {
            assert!(!falls(*reason, Method::Hardlink, true), "{reason}");
        }
        assert!(falls(SkipReason::Privileged, Method::Reflink, false));
        assert!(!falls(SkipReason::ConfigFile, Method::Reflink, false));
        assert!(falls(SkipReason::ConfigFile, Method::Reflink, true));
        assert!(!falls(SkipReason::Secret, Method::Reflink, true));
        assert!(!falls(SkipReason::Unreadable, Method::Reflink, true));
    }

    #[test]
    fn only_the_closed_list_of_flags_is_harmless() {
        let reason = |bit| kept_by_flags(bit).map(|(reason, _)| reason);
        assert_eq!(reason(0x80_0000), Some(SkipReason::NoCopyOnWrite));
        assert_eq!(reason(0x800), Some(SkipReason::Encrypted));
        let harmless = [
            0x4,
            0x8,
            0x10,
            0x40,
            0x80,
            0x100,
            0x200,
            0x400,
            0x1000,
            0x4_0000,
            0x8_0000,
            0x20_0000,
            0x40_0000,
            0x1000_0000,
        ];
        for bit in (0..32).map(|shift| 1u32 << shift) {
            assert_eq!(reason(bit).is_none(), harmless.contains(&bit), "{bit:#x}");
        }
        assert_eq!(
            kept_by_flags(0x20),
            Some((SkipReason::InodeFlags, Some("append-only".into())))
        );
    }
}
