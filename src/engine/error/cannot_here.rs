//! What this host or file system cannot do.

use std::path::{Path, PathBuf};

use crate::model::{Escaped, GuestName, GuestPath};

/// A lack of the host or file system, which another place or another user makes good.
#[derive(Debug, thiserror::Error)]
pub enum CannotHere {
    /// The file system of an image cannot be mounted.
    #[error("{} is {what}, and cannot be mounted here: {why}; {remedy}", Escaped::of(.image))]
    CannotMount {
        /// The image.
        image: PathBuf,
        /// What it is, with its article.
        what: &'static str,
        /// Why.
        why: String,
        /// What else can be done.
        remedy: &'static str,
    },
    /// No protection that was asked for passed its self-test.
    #[error(
        "shared files cannot be protected here: {0}; with `--protect none`, given twice, they are shared without protection"
    )]
    Protect(String),
    /// What a link needs does not work.
    #[error("names cannot be shared at {}: {why}", Escaped::of(.place))]
    Sharing {
        /// Where it was tried.
        place: PathBuf,
        /// Why.
        why: String,
    },
    /// Files cannot have blocks in common.
    #[error(
        "reflinks cannot be made at {}: {why}; with --method hardlink files are shared as one inode, and with --method auto the better of both that can be had",
        Escaped::of(.place)
    )]
    Reflink {
        /// Where it was tried.
        place: PathBuf,
        /// Why.
        why: String,
    },
    /// Nothing can be in common on two file systems.
    #[error(
        "{} and {} are on different file systems, and no block can be of both: plan the guests of each file system by themselves, with a base there; `unify plan --audit` compares guests wherever they are",
        Escaped::of(.one),
        Escaped::of(.other)
    )]
    BlocksApart {
        /// The root of a guest.
        one: PathBuf,
        /// The root of another, or the base.
        other: PathBuf,
    },
    /// Nothing that is not of the same encryption can be linked into an encrypted directory.
    #[error(
        "{} is encrypted (fscrypt), and takes in no file from elsewhere: name a base outside of that directory with --base",
        Escaped::of(.0)
    )]
    EncryptedBase(PathBuf),
    /// The flag that `auto` would take leaves a writer that was there before.
    #[error(
        "`--protect auto` finds nothing here that holds against a process which is at a file already: this file system looks at the immutable flag when a file is opened, and not when it is written to or made shorter. A base on ext4 has no such gap. Nor has the guard, which XFS takes (`unify guard load`). `--protect immutable` is taken at its word: then every writer that can be seen is proven gone, and a process that hides from this host is found out late, if at all"
    )]
    NothingHolds,
    /// The base has objects, and what protects them is another thing.
    #[error(
        "the objects of {} are protected by {by}, and one base has one protection: plan with that, or move it with `unify protect`, or undo all runs, remove what is left with `unify gc`, and plan anew",
        Escaped::of(.base)
    )]
    OtherProtection {
        /// The base.
        base: PathBuf,
        /// What protects its objects.
        by: &'static str,
    },
    /// The kernel that runs has not what protects the objects of a base.
    #[error(
        "{objects} shared files of {} are open to every guest: the guard protects them, and it is not loaded into this kernel. `unify guard load` and `unify recover` protect them again; where the kernel takes no guard, `unify protect immutable --base {}` moves the base to the immutable flag",
        Escaped::of(.base),
        Escaped::of(.base)
    )]
    ProtectionGone {
        /// The base.
        base: PathBuf,
        /// How many objects.
        objects: u64,
    },
    /// A base cannot be moved from one protection to the other.
    #[error("the objects of {} cannot be moved from {from} to {to}: {why}", Escaped::of(.base))]
    NoMove {
        /// The base.
        base: PathBuf,
        /// What protects them.
        from: &'static str,
        /// What should.
        to: &'static str,
        /// Why not.
        why: String,
    },
    /// The kernel does not take the guard, or does not give it back.
    #[error("{0}")]
    Guard(String),
    /// The guard protects files.
    #[error(
        "the guard protects {0} files: without it a write in one guest is a write in all; undo all runs of its bases first and collect what is left with `unify gc`, or give --leave-unprotected"
    )]
    GuardInUse(u64),
    /// What the plan relies on does not work any more.
    #[error("the plan protects objects by {by}, and that does not work: {why}")]
    ProtectAsPlanned {
        /// What the plan relies on.
        by: &'static str,
        /// Why it does not hold.
        why: String,
    },
    /// Nothing can be written there.
    #[error(
        "{} is on a file system that is mounted read-only: nothing can be shared there until it is mounted writable; `unify plan --audit` shows what could be, and needs no place to write",
        Escaped::of(.0)
    )]
    ReadOnly(PathBuf),
    /// No base can help: the guests themselves are apart.
    #[error(
        "these guests cannot share: {} and {} are on different {apart}, and hard links do not cross them{}; `unify plan --audit` compares guests wherever they are",
        Escaped::of(.one),
        Escaped::of(.other),
        by_one_mount(.seen_at)
    )]
    GuestsApart {
        /// The root of the first.
        one: PathBuf,
        /// The root of the second.
        other: PathBuf,
        /// `file systems`, or `mounts of one file system`.
        apart: &'static str,
        /// Paths of both by which one mount shows them, where there is such a mount.
        seen_at: Vec<PathBuf>,
    },
    /// Hard links cannot cross mounts; found while a plan is made.
    #[error(
        "{} and the base at {} are on different {apart}, and hard links do not cross them: {}; `unify plan --audit` needs no base",
        Escaped::of(.guest),
        Escaped::of(.base),
        where_then(.guest, .seen_at.as_deref())
    )]
    OtherMount {
        /// The guest's root.
        guest: PathBuf,
        /// The place of the base.
        base: PathBuf,
        /// `file systems`, or `mounts of one file system`.
        apart: &'static str,
        /// A path by which the guest is seen in another directory of its file system; the guest itself where its mount
        /// shows more than it.
        seen_at: Option<PathBuf>,
    },
    /// The same, found when the plan is applied.
    #[error("{} and the base are on different mounts: hard links cannot cross them", Escaped::of(.0))]
    OtherMountThanBase(PathBuf),
    /// The command needs root.
    #[error("{command} needs root: {why}")]
    NotRoot {
        /// The command.
        command: &'static str,
        /// What it does that only root may.
        why: &'static str,
    },
    /// The command needs to see all attributes.
    #[error(
        "{0} needs CAP_SYS_ADMIN, outside of every user namespace: without it trusted.* attributes cannot be seen, and files that differ in them would be called equal"
    )]
    NotPrivileged(&'static str),
    /// A guest cannot be read whole, and what is not read cannot be taken from it.
    #[error(
        "{name}:{path} cannot be read ({why}): what is in there would stay shared; mend or unmount it first"
    )]
    GuestUnread {
        /// Which guest.
        name: GuestName,
        /// The first name or directory.
        path: GuestPath,
        /// Why.
        why: String,
    },
    /// Not all processes of the host are seen.
    #[error(
        "{0} must see all processes of this host, and this PID namespace hides some: run it on the host (docker: --pid=host; from within: nsenter --target 1 --pid --mount, where that is the host's first process)"
    )]
    HiddenProcesses(&'static str),
    /// Others reach the base.
    #[error(
        "the base {} is in other hands ({why}): its staging and quarantine hold files of all guests; end that, or use a base that nobody else reaches",
        Escaped::of(.base)
    )]
    BaseShared {
        /// The base.
        base: PathBuf,
        /// Who reaches it, and how.
        why: String,
    },
    /// Private copies need room.
    #[error(
        "undo needs {needed} bytes and {free} are free: make room, or undo a part with --guest or --path"
    )]
    NoRoom {
        /// Bytes that the copies take.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A clone must not have what nobody knows of.
    #[error(
        "what stands for one machine in {0} may be behind links or in directories of which there are more than are looked at, and a clone must not have it: with --keep-identity it has all of it"
    )]
    IdentityNotFound(GuestName),
    /// A clone needs room.
    #[error("the clone needs up to {needed} bytes at {}, and {free} are free; nothing was made", Escaped::of(.place))]
    NoRoomToClone {
        /// The directory that it would be in.
        place: PathBuf,
        /// Bytes that the copies may take.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A clone needs inodes.
    #[error("the clone needs {needed} inodes at {}, and {free} are free; nothing was made", Escaped::of(.place))]
    NoNamesToClone {
        /// The directory that it would be in.
        place: PathBuf,
        /// Inodes that it has.
        needed: u64,
        /// Inodes that are free.
        free: u64,
    },
    /// The limit of processes is reached.
    #[error("{number} threads cannot be started: {error}; allow fewer with --jobs")]
    NoThreads {
        /// How many were asked for.
        number: usize,
        /// What the system said.
        error: String,
    },
    /// A guest has more names than are counted.
    #[error("guest {name}: {why}")]
    GuestTooLarge {
        /// The guest.
        name: GuestName,
        /// The bound that it passes.
        why: String,
    },
    /// Nothing refers to the objects of a base that was to be taken over.
    #[error(
        "no name in any guest that was found refers to an object of {}, {}; nothing was changed",
        Escaped::of(.base),
        nothing_shared(*.elsewhere)
    )]
    NothingShared {
        /// The base.
        base: PathBuf,
        /// Objects that have names elsewhere.
        elsewhere: u64,
    },
}

fn nothing_shared(elsewhere: u64) -> String {
    match elsewhere {
        0 => "and none has a name outside of it: the base came without the links of its guests. Name another base with --base; this one can be removed".into(),
        _ => format!("but {elsewhere} of them have names outside of it: say where their guests are, each as NAME=PATH"),
    }
}

fn by_one_mount(seen_at: &[PathBuf]) -> String {
    let shown: Vec<String> = seen_at
        .iter()
        .map(|path| Escaped::of(path).to_string())
        .collect();
    match shown.is_empty() {
        true => String::new(),
        false => format!(
            "; the same directories are on one mount as {}",
            shown.join(" and ")
        ),
    }
}

/// A base must be on the guest's mount, and outside of the guest.
fn where_then(guest: &Path, seen_at: Option<&Path>) -> String {
    match seen_at {
        Some(path) if path == guest => {
            let beside = guest.with_file_name(".unify");
            format!(
                "name a base beside the guest with --base, such as {}",
                Escaped::of(&beside)
            )
        }
        Some(path) => format!(
            "something is mounted on the guest's own directory, and nothing beside it is on that mount; the same directory is {}, which can be given instead",
            Escaped::of(path)
        ),
        None => "the guest is a whole mount, and a base cannot lie in a guest".into(),
    }
}
