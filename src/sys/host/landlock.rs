//! Confinement: a command that only reads gives up, for good, the power to do anything else. What it reads from then on
//! was written by a hostile guest; a mistake of ours in reading it must not become a write.
//!
//! There are two walls, and each stands where the kernel does not have the other:
//!
//! * **Landlock** (`landlock(7)`, Linux 5.13, as far as the running kernel knows it): nothing is created, opened
//!   for writing, truncated, linked, renamed, removed or executed; no device is controlled, no TCP connection
//!   made and no process outside signalled. [`Bounds`] names the exceptions. What is open already stays usable. A
//!   rule covers everything beneath its directory, there is no narrower one; where guests lie beneath the plan's
//!   directory, names in them could be made and removed by path, but no file be opened for writing, and the views
//!   of them are read-only mounts.
//! * **Capabilities** (`capabilities(7)`) go from all sets of the thread, bounding and ambient ones too, but for
//!   - `CAP_DAC_READ_SEARCH`: files and directories that their owners closed;
//!   - `CAP_SYS_ADMIN`: without it `trusted.*` attributes are not even listed (`xattr(7)`), and files that differ
//!     in them would be called equal. It is the strongest one left; mounting is denied by Landlock nevertheless;
//!   - `CAP_MAC_ADMIN`: without it SELinux shows every label that the host's policy does not know as `unlabeled_t`
//!     (`selinux_inode_getsecurity` of the kernel), and two different ones would be called equal;
//!   - `CAP_FOWNER`, only where files are read in place: `O_NOATIME` for files of other users. A private view is
//!     mounted noatime and needs none;
//!   - `CAP_DAC_OVERRIDE` and `CAP_FOWNER`, only where the output's directory belongs to another user, as in
//!     `sudo unify plan -o ~/plan.json`: the rename at the end needs them.
//!
//! Both are properties of threads and are inherited by those started later: to be called while there is one. It
//! must be called after the processes of guests were looked at, since Landlock forbids looking into those, and
//! after mounts were cloned, which later kernels may forbid. A kernel that lacks something is no error; the
//! answer tells.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope,
};
use nix::unistd::geteuid;
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::sys::own::papers;

/// The newest Landlock that was read about here; older kernels enforce their part of it.
const NEWEST: ABI = ABI::V9;

/// The last capability that a set of 64 bits can hold; the kernel says where its own set ends.
const LAST: u32 = 63;

/// What will still be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// What is open already, or open to everybody.
    Papers,
    /// Guests, through private views only.
    Views,
    /// Guests and the base, in place.
    Disk,
}

/// What a thread still has to do, and what must stay possible for that.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// What it reads.
    pub reads: Reads,
    /// Where files that are open already get their names, each by a rename within the directory.
    pub renames_in: &'a [&'a Path],
    /// Directories whose files and directories are made, written and removed: a cache.
    pub writes_in: &'a [&'a Path],
    /// Files that are there and are written in place.
    pub writes: &'a [&'a Path],
}

/// What was achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confinement {
    /// Does Landlock keep files from being written, even if only by an older kernel's part of the rules?
    pub landlock: bool,
    /// Are there only capabilities left that are needed?
    pub capabilities: bool,
    /// Was this the only thread, so that all others will inherit it?
    pub whole: bool,
}

/// Confines this thread and all that it will start, for good.
pub fn confine(bounds: &Bounds<'_>) -> Confinement {
    // Decided and opened first: afterwards less can be looked at.
    let keep = needed(bounds);
    let whole = fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1);
    // Landlock requires it of every process, and no program that is started can give anything back.
    let sealed = set_no_new_privs(true).is_ok();
    Confinement {
        landlock: sealed && deny_writes(bounds).unwrap_or(false),
        capabilities: drop_capabilities(keep).is_ok(),
        whole,
    }
}

fn deny_writes(bounds: &Bounds<'_>) -> Result<bool, RulesetError> {
    let denied = AccessFs::from_write(NEWEST) | AccessFs::Execute;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(denied)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let renames = AccessFs::MakeReg | AccessFs::RemoveFile;
    let in_place = AccessFs::WriteFile | AccessFs::Truncate;
    let writes = renames | in_place | AccessFs::MakeDir | AccessFs::RemoveDir | AccessFs::Refer;
    let exceptions = (bounds.renames_in.iter().map(|dir| (*dir, renames)))
        .chain(bounds.writes_in.iter().map(|dir| (*dir, writes)))
        .chain(bounds.writes.iter().map(|file| (*file, in_place)));
    for (path, rights) in exceptions {
        rules = allow(rules, path, rights)?;
    }
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// What cannot be opened gets no rule: nothing could be written there anyway.
fn allow<R: RulesetCreatedAttr>(
    rules: R,
    path: &Path,
    rights: BitFlags<AccessFs>,
) -> Result<R, RulesetError> {
    match PathFd::new(path) {
        Ok(path) => rules.add_rule(PathBeneath::new(path, rights)),
        Err(_) => Ok(rules),
    }
}

/// Tries it: a thread that ends forbids itself to make files, and cannot make one in this directory of ours. Says the
/// kernel's version of Landlock, or that a file could be made all the same.
pub fn keeps_from_writing(place: &Path) -> Result<Option<String>, String> {
    let place = place.to_owned();
    papers::nameless(&place).map_err(|e| e.to_string())?;
    let thread = std::thread::Builder::new().spawn(move || -> Result<_, String> {
        set_no_new_privs(true).map_err(|e| e.to_string())?;
        let denied = AccessFs::from_write(ABI::V1);
        let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let rules = rules.handle_access(denied).and_then(Ruleset::create);
        let status = rules.and_then(RulesetCreated::restrict_self);
        let status = status.map_err(|e| e.to_string())?;
        let makes = papers::nameless(&place).is_ok();
        Ok((!makes).then(|| version(&status.landlock)))
    });
    let thread = thread.map_err(|e| e.to_string())?;
    let died = |_| "the thread that tried it died".to_owned();
    thread.join().map_err(died)?
}

fn version(status: &LandlockStatus) -> String {
    match status {
        LandlockStatus::Available {
            kernel_abi: Some(newer),
            ..
        } => format!("ABI {newer}"),
        LandlockStatus::Available { effective_abi, .. } => format!("ABI {}", *effective_abi as i32),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => String::new(),
    }
}

/// The capabilities that the module's essay gives a reason for.
fn needed(bounds: &Bounds<'_>) -> CapabilitySet {
    let guests =
        CapabilitySet::DAC_READ_SEARCH | CapabilitySet::SYS_ADMIN | CapabilitySet::MAC_ADMIN;
    let mut needed = match bounds.reads {
        Reads::Papers => CapabilitySet::empty(),
        Reads::Views => guests,
        Reads::Disk => guests | CapabilitySet::FOWNER,
    };
    let mut written = bounds.writes_in.iter().chain(bounds.renames_in).copied();
    if written.any(|dir| !is_our_own(dir)) {
        needed |= CapabilitySet::DAC_OVERRIDE | CapabilitySet::FOWNER;
    }
    needed
}

/// Is the directory our own, and may its owner change names in it without any capability?
fn is_our_own(dir: &Path) -> bool {
    const WRITE_AND_SEARCH: u32 = 0o300;
    fs::metadata(dir).is_ok_and(|meta| {
        meta.uid() == geteuid().as_raw() && meta.mode() & WRITE_AND_SEARCH == WRITE_AND_SEARCH
    })
}

/// The bounding set goes first: leaving it needs `CAP_SETPCAP`. Without that right there is nothing to take from
/// it that could come back.
fn drop_capabilities(keep: CapabilitySet) -> Result<(), Errno> {
    let others = (0..=LAST).map(|bit| CapabilitySet::from_bits_retain(1 << bit));
    for other in others.filter(|other| !keep.contains(*other)) {
        if remove_capability_from_bounding_set(other).is_err() {
            break;
        }
    }
    clear_ambient_capability_set()?;
    let held = capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: held.effective & keep,
            permitted: held.permitted & keep,
            inheritable: CapabilitySet::empty(),
        },
    )
}

#[cfg(test)]
mod tests;
