//! Floor 3, protect: what keeps a shared inode from being changed, and the one way to take that off for a while.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `guard` | marks in the kernel: nobody changes the inode, and names come and go |
//! | `iunlink` | VServer's pair of flags: the same by the file system, where a kernel has it |
//! | `verity` | fs-verity: nobody changes the content; metadata are watched |
//! | `immutable` | the immutable flag: nobody changes the inode, nor adds or removes a name of it |
//! | `none` | no protection, which somebody asked for |
//! | `protector` | what both have in common: tried, set, taken off, in the way of a name or not |
//! | `lifted` | a protection that is off for a while: written down before, and put back |
//!
//! The engine never names a flag. It asks what protects a file ([`on`]), whether that is in the way of a name
//! ([`in_the_way`]), and lifts it. The guard is in the way of no name: it says so in [`Protector::needs_lift_for`],
//! goes on before a file gets its second name, and comes off when the file is one guest's own again or is no more.
//!
//! # Why no shared object is left without its protection
//!
//! 1. Nobody lifts without a [`WrittenDown`], and that is made only where a record has become durable: by the
//!    journal of
//!    a run, or by the paper `lifted` of the base where no run's journal knows of the object.
//! 2. A [`Lifted`] ends by [`Lifted::restore`], [`Lifted::replaced_by`] or [`Lifted::retire`],
//!    and where an error drops it, it is restored.
//! 3. So a process must die to leave a protection off, and then the record is on disk. The journal is a record
//!    until the
//!    staging directory of its run is gone, and the paper until it is removed; both happen after the protections
//!    are on again and the file system is synced. Whoever heals sets what either of them names.

mod guard;
mod immutable;
mod iunlink;
mod lifted;
mod none;
mod protector;
mod verity;

use crate::model::{FileId, Protect};
use crate::sys::{Dir, Regular, SysResult};

use guard::Guarded;
use immutable::Immutable;
use iunlink::Iunlink;
use none::Unprotected;
use verity::Sealed;

pub use lifted::{Lifted, WrittenDown};
pub use protector::{FlagTest, NameStep, Protector};

/// All protections, the best first.
pub const ALL: &[&dyn Protector] = &[&Guarded, &Iunlink, &Sealed, &Immutable, &Unprotected];

/// The protection of a mode; `auto` is the one that needs nothing but a file system: what else there is, is tried.
pub fn by(mode: Protect) -> &'static dyn Protector {
    match mode {
        Protect::Guard => &Guarded,
        Protect::Iunlink => &Iunlink,
        Protect::Verity => &Sealed,
        Protect::Auto | Protect::Immutable => &Immutable,
        Protect::None => &Unprotected,
    }
}

/// What sets the flags of a run: the protection of its mode. Where that sets nothing, or the run says none, a
/// flag line is meant as it stands.
pub fn setting(mode: Option<Protect>) -> &'static dyn Protector {
    let asked = mode.map(by).filter(|protection| protection.protects());
    asked.unwrap_or(&Immutable)
}

/// What protects the file now.
pub fn on(file: &Regular) -> SysResult<Option<&'static dyn Protector>> {
    on_with(file, file.flags()?)
}

/// The same, where the inode flags are known already.
pub fn on_with(file: &Regular, flags: u32) -> SysResult<Option<&'static dyn Protector>> {
    let mut all = all_on(file, flags);
    all.next().transpose()
}

/// All that protect the file now: somebody may have set the flag of a guarded one.
fn all_on(file: &Regular, flags: u32) -> impl Iterator<Item = SysResult<&'static dyn Protector>> {
    let on = move |one: &&'static dyn Protector| match one.is_on(file, flags) {
        Ok(false) => None,
        Ok(true) => Some(Ok(*one)),
        Err(error) => Some(Err(error)),
    };
    ALL.iter().filter_map(on)
}

/// Takes off what protects an inode that no object is, and that nothing but its guest's own names refers to: a run was
/// cut short before it became one. A flag in the inode itself is set later than that.
pub fn release(inode: FileId) -> SysResult<()> {
    guard::release(inode)
}

/// Takes off what protects inodes that have ceased to be on the file system of `by`, where that is kept elsewhere than
/// in the inodes. Says how many keep it that have no name: they are open, and go when nobody has them any more. Those
/// that `are_in_use` are not looked at.
pub fn forget_ceased(by: &Dir, are_in_use: &dyn Fn(FileId) -> bool) -> SysResult<u64> {
    guard::forget_ceased(by, are_in_use)
}

/// What protects the file and must be lifted before one of these changes.
pub fn in_the_way(
    file: &Regular,
    changes: &[NameStep],
) -> SysResult<Option<&'static dyn Protector>> {
    for on in all_on(file, file.flags()?) {
        let on = on?;
        if changes.iter().any(|change| on.needs_lift_for(*change)) {
            return Ok(Some(on));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_its_protection() {
        for protection in ALL {
            assert_eq!(by(protection.mode()).mode(), protection.mode());
        }
        assert!(by(Protect::Auto).protects());
        assert!(!by(Protect::None).protects());
        assert!(setting(Some(Protect::None)).protects());
    }
}
