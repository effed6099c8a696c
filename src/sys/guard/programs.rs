//! The programs: loaded, attached, pinned.
//!
//! ```text
//! /sys/fs/bpf/unify/            root's alone
//!   marks                       the map, which stays when newer programs come
//!   requests-LAYOUT, answers-LAYOUT, heart-LAYOUT, works-LAYOUT
//!                               the same, for copy on write; they stay where their layout does
//!   programs-LAYOUT-DIGEST-COUNT/HOOK
//!                               so many links; while one is pinned its program is asked
//!   loading/HOOK                the same, of a load that is under way or was cut short
//! ```
//!
//! Newer programs are loaded beside the older ones, which go when all of the newer are pinned and have their name:
//! there is no moment without. Then maps of another layout go as well: a daemon that still has these is asked by
//! nobody, and sees it. Every hook that this kernel has is used; a hook that it lacks is none of its ways of
//! writing.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aya::programs::links::FdLink;
use aya::programs::{Lsm, Program, ProgramError};
use aya::{Btf, BtfError, EbpfLoader};
use rustix::fs::statfs;

use super::maps::{LAYOUT, MAPS};
use super::sets::{
    BPFFS, GuardError, HOME, entries, failed, is_whole, make_dir, name_of, remove,
    remove_maps_of_other_layouts, remove_set, remove_sets, sets,
};
use super::task_work::PatchedObject;
use crate::sys::fault::call;
use crate::sys::hash::checksum;
use crate::sys::own::papers::{self, Lock};

static OBJECT: &[u8] = aya::include_bytes_aligned!("bpf/guard.bpf.o");

/// Who loads or takes out holds it.
const LOADER: &str = "/run/unify-guard.lock";

/// So long another one is waited for: a load takes a second or two, and many on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// `BPF_FS_MAGIC` of `linux/magic.h`.
const BPF_FS: u32 = 0xcafe_4a11;

/// Programs and the hooks they are for, and whether there are kernels that can do without.
const HOOKS: [(&str, &str, bool); 9] = [
    ("guard_open", "file_open", true),
    ("guard_setattr", "inode_setattr", true),
    ("guard_setxattr", "inode_setxattr", true),
    ("guard_removexattr", "inode_removexattr", true),
    ("guard_ioctl", "file_ioctl", true),
    ("guard_set_acl", "inode_set_acl", false),
    ("guard_remove_acl", "inode_remove_acl", false),
    ("guard_file_setattr", "inode_file_setattr", false),
    ("guard_ioctl_compat", "file_ioctl_compat", false),
];

/// What a load has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadedGuard {
    /// These programs were there.
    Already,
    /// They are there now.
    Now,
}

/// What an unload has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unloaded {
    /// There was none.
    Nothing,
    /// Nothing is guarded from here on.
    Now,
}

/// One process loads, or takes out, at a time: two would take each other's programs for what was left.
fn alone(holder: &str) -> Result<Lock, GuardError> {
    let began = Instant::now();
    loop {
        match papers::lock(Path::new(LOADER), holder)? {
            Ok(lock) => return Ok(lock),
            Err(other) if began.elapsed() >= PATIENCE => {
                return Err(GuardError::AtWork(other.trim().to_owned()));
            }
            Err(_) => {}
        }
    }
}

/// Loads the programs of this version, unless they are there. Needs `CAP_BPF`, `CAP_PERFMON` and `CAP_SYS_ADMIN`
/// outside of user namespaces, and writes to `/sys/fs/bpf/unify` alone, but for its lock. `holder` tells others who has
/// that.
pub fn load(holder: &str) -> Result<LoadedGuard, GuardError> {
    check_place()?;
    let _alone = alone(holder)?;
    let version = format!("programs-{LAYOUT}-{:016x}-", checksum(OBJECT));
    let is_ours = |set: &PathBuf| name_of(set).starts_with(&version) && is_whole(set);
    let old = sets().map_err(|e| failed("list", HOME, e))?;
    if let Some(ours) = old.iter().find(|set| is_ours(set)) {
        // What a load has left that was cut short at its end.
        remove_sets(old.iter().filter(|set| *set != ours))?;
        remove_maps_of_other_layouts()?;
        return Ok(LoadedGuard::Already);
    }
    let loading = Path::new(HOME).join("loading");
    remove_set(&loading)?;
    make_dir(&loading)?;
    let pinned = match pin_all(&loading) {
        Ok(pinned) => pinned,
        Err(error) => {
            // Whatever was there before is still there.
            drop(remove_set(&loading));
            return Err(error);
        }
    };
    let target = Path::new(HOME).join(format!("{version}{pinned}"));
    // It is not whole. All its hooks have the newer programs already.
    remove_set(&target)?;
    call("rename", || fs::rename(&loading, &target)).map_err(|e| failed("rename", &loading, e))?;
    if !is_whole(&target) {
        // Somebody takes names away by hand. Whatever was there before is still there.
        return Err(GuardError::Refused(format!(
            "not all of {} is there",
            target.display()
        )));
    }
    remove_sets(old.iter().filter(|set| **set != loading))?;
    remove_maps_of_other_layouts()?;
    Ok(LoadedGuard::Now)
}

/// Takes programs and maps out of the kernel: whatever was marked is so no more. `holder` is as for [`load`].
pub fn unload(holder: &str) -> Result<Unloaded, GuardError> {
    let _alone = alone(holder)?;
    let sets = match sets() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Unloaded::Nothing),
        sets => sets.map_err(|e| failed("list", HOME, e))?,
    };
    remove_sets(sets.iter())?;
    for entry in entries().map_err(|e| failed("list", HOME, e))? {
        remove(&entry)?;
    }
    call("rmdir", || fs::remove_dir(HOME)).map_err(|e| failed("remove", HOME, e))?;
    Ok(Unloaded::Now)
}

fn check_place() -> Result<(), GuardError> {
    let kind = statfs(BPFFS)
        .map_err(|e| failed("look at", BPFFS, e))?
        .f_type;
    if u32::try_from(kind & 0xffff_ffff).ok() != Some(BPF_FS) {
        return Err(GuardError::NoBpfFs);
    }
    // Where the list cannot be read, the trial of a run shows what is asked.
    if let Ok(list) = fs::read_to_string("/sys/kernel/security/lsm")
        && !list.is_empty()
        && !list.trim().split(',').any(|one| one == "bpf")
    {
        return Err(GuardError::NotListed(list.trim().to_owned()));
    }
    // The mode that is on stands in brackets.
    if fs::read_to_string("/sys/kernel/security/lockdown")
        .is_ok_and(|modes| modes.contains("[confidentiality]"))
    {
        return Err(GuardError::LockedDown);
    }
    make_dir(Path::new(HOME))?;
    let home = fs::symlink_metadata(HOME).map_err(|e| failed("look at", HOME, e))?;
    match home.is_dir() && home.uid() == 0 && home.mode() & 0o077 == 0 {
        true => Ok(()),
        false => Err(GuardError::Foreign),
    }
}

/// All programs of which the kernel has the hook; returns how many. The maps are pinned with them, or the pinned ones
/// are theirs.
fn pin_all(set: &Path) -> Result<usize, GuardError> {
    let btf = Btf::from_sys_fs()?;
    let mut loader = EbpfLoader::new();
    loader.btf(Some(&btf));
    // One is of a type that is not for processes: what a thread waits for lies with the thread.
    loader.allow_unsupported_maps();
    for (name, place) in MAPS {
        loader.map_pin_path(name, Path::new(place));
    }
    let mut object = loader
        .load(PatchedObject::of(OBJECT).bytes())
        .map_err(|e| GuardError::Refused(innermost(&e)))?;
    let mut pinned = 0;
    for (program, hook, must) in HOOKS {
        let refused = |why| GuardError::Refused(format!("{hook}: {why}"));
        let program = object.program_mut(program);
        let program = program.ok_or_else(|| refused("it has no such program".into()))?;
        match attach(program, hook, &btf) {
            Err(ProgramError::Btf(BtfError::UnknownBtfTypeName { .. })) if !must => {}
            Err(error) => return Err(refused(said(error))),
            Ok(link) => {
                call("pin", || link.pin(set.join(hook)).map_err(io::Error::other))
                    .map_err(|e| failed("pin", set.join(hook), e))?;
                pinned += 1;
            }
        }
    }
    Ok(pinned)
}

fn attach(program: &mut Program, hook: &str, btf: &Btf) -> Result<FdLink, ProgramError> {
    let program: &mut Lsm = program.try_into()?;
    program.load(hook, btf)?;
    let id = program.attach()?;
    Ok(program.take_link(id)?.into())
}

/// The verifier's log is for who writes programs: its first line says what it is about.
fn said(error: ProgramError) -> String {
    match error {
        ProgramError::LoadError {
            io_error,
            verifier_log,
        } => {
            let log = verifier_log.to_string();
            match log.lines().rev().find(|line| !line.is_empty()) {
                Some(last) => format!("{io_error} ({last})"),
                None => io_error.to_string(),
            }
        }
        ProgramError::SyscallError(error) => error.io_error.to_string(),
        other => other.to_string(),
    }
}

/// What an error comes from.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(deeper) = innermost.source() {
        innermost = deeper;
    }
    innermost.to_string()
}
