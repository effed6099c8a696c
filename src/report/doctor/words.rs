//! Abilities and offers as words.

use crate::model::{Ability, Method, Offer, Prospect, Protect, TrialVerdict};

/// What a row is called.
pub fn name(ability: Ability) -> &'static str {
    match ability {
        Ability::FullRoot => "root with all rights",
        Ability::AllProcesses => "all processes of the host are seen",
        Ability::Freezer => "guests that run can be frozen for moments (cgroup v2)",
        Ability::Landlock => "commands that only read are kept from writing (Landlock)",
        Ability::UserNamespaces => "user namespaces",
        Ability::BpfLsm => "BPF programs as a security module",
        Ability::ImmutableFlag => "the immutable flag",
        Ability::OlderWriters => "the flag stops those, too, who had the file open before",
        Ability::GuardMarks => "the guard can mark files there",
        Ability::NamelessFiles => "files without a name (O_TMPFILE)",
        Ability::HardLinks => "hard links",
        Ability::Exchange => "two names exchanged in one step (renameat2)",
        Ability::LinkLife => "the whole life of a shared name, and back again",
        Ability::Reflink => "files share blocks, and stay files of their own (reflink)",
        Ability::Leases => "leases, which tell of writers (F_SETLEASE)",
        Ability::Projects => "project ids (quotas by directory)",
        Ability::Verity => "sealed files (fs-verity)",
        Ability::IdmappedMounts => "idmapped mounts",
        Ability::OverlayMounts => "overlays whose layers lie there",
        Ability::PrivateClone => "private read-only mounts (open_tree, mount_setattr)",
        Ability::NoAccessTimes => "files of others are read without a trace (O_NOATIME)",
        Ability::MountIds => "mounts are told apart (statx)",
        Ability::CaseSensitive => "upper and lower case are told apart",
        Ability::Unencrypted => "nothing is encrypted there (fscrypt)",
    }
}

/// A method, for people.
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Hardlink => "hard links",
        Method::Reflink => "reflinks",
    }
}

/// What decides it; `None` where all is well.
pub fn because(prospect: &Prospect) -> Option<String> {
    let names: Vec<&str> = prospect.because.iter().map(|one| name(*one)).collect();
    let names = names.join("; ");
    match (prospect.offer, prospect.verdict) {
        (_, TrialVerdict::Can) => None,
        (Offer::Protect(Protect::Immutable), TrialVerdict::Partly) => Some(
            "only as far as this goes: the flag stops nobody who had the file open before. So `--protect auto` makes no hard links there, and with `--protect immutable` every guest that shares a file must be stopped or frozen"
                .into(),
        ),
        (_, TrialVerdict::Partly) => Some(format!("this works in part: {names}")),
        (_, TrialVerdict::Cannot) => Some(format!("this does not work: {names}")),
        (_, TrialVerdict::Untried) => Some(format!("this was not tried: {names}")),
    }
}

/// What it means for guests, above all when packages are upgraded inside.
pub fn means(offer: Offer) -> &'static str {
    match offer {
        Offer::Method(Method::Hardlink) => {
            "equal files of guests become one file: disk and memory (page cache) are used once"
        }
        Offer::Method(Method::Reflink) => {
            "equal files of guests have their blocks in common and stay files of their own: disk is used once, memory is not; a guest writes, upgrades and removes as it likes, and its file alone changes"
        }
        Offer::Protect(Protect::Guard | Protect::Iunlink) => {
            "no guest writes for another, and each may replace, rename and delete what is shared: upgrades and removals of packages inside work as ever; a write in place is refused aloud"
        }
        Offer::Protect(Protect::Verity) => {
            "no guest writes into a shared file, and each may replace, rename and delete its names: upgrades and removals of packages inside work as ever; but a change of mode, owner or times is one for all guests, and is found by `status` and `recover`"
        }
        Offer::Protect(Protect::None) => {
            "a guest upgrades and removes its packages by itself, since package managers replace files; but whatever writes into a shared file in place writes for all guests"
        }
        Offer::Protect(Protect::Auto | Protect::Immutable) => {
            "no guest writes for another, nor replaces what is shared: an upgrade inside fails aloud, and a removal of packages reports success and leaves the files. Before either, `unify undo --run all --guest NAME`; afterwards plan and apply again"
        }
    }
}
