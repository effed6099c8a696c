//! The immutable flag of an inode. It is tried on a scratch file at the start of every run, and never believed by
//! the name of a file system: there are some that say yes and do nothing.

use super::protector::{FlagTest, NameStep, Permit, Protector};
use crate::model::{ObjectFlag, Protect};
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult};

/// The flag.
#[derive(Debug)]
pub(super) struct Immutable;

impl Protector for Immutable {
    fn mode(&self) -> Protect {
        Protect::Immutable
    }

    fn flag(&self) -> Option<ObjectFlag> {
        Some(ObjectFlag::Immutable)
    }

    fn name(&self) -> &'static str {
        "the immutable flag"
    }

    fn why(&self) -> &'static str {
        "the immutable flag was tried on a scratch file and holds"
    }

    fn test(&self, scratch: &Dir) -> SysResult<FlagTest> {
        let scratch = match scratch.nameless() {
            Ok(scratch) => scratch,
            Err(error) => return Ok(untried(&error)),
        };
        match scratch.set_immutable(true) {
            Err(error) if error.meaning() == Meaning::Denied => return Ok(untried(&error)),
            Err(error) => return Ok(FlagTest::Fails(error.to_string())),
            Ok(()) => {}
        }
        let verdict = probe(&scratch)?;
        scratch.set_immutable(false)?;
        Ok(verdict)
    }

    fn is_on(&self, _: &Regular, flags: u32) -> SysResult<bool> {
        Ok(Regular::means_immutable(flags) && !Regular::means_unlinkable(flags))
    }

    fn set(&self, file: &Regular) -> SysResult<()> {
        file.set_immutable(true)
    }

    fn take_off(&self, file: &Regular, _: Permit) -> SysResult<()> {
        file.set_immutable(false)
    }

    /// The kernel lets nobody add, remove or move a name of such an inode.
    fn needs_lift_for(&self, change: NameStep) -> bool {
        match change {
            NameStep::Link | NameStep::Unlink | NameStep::Retire => true,
        }
    }
}

fn probe(scratch: &Regular) -> SysResult<FlagTest> {
    if scratch.accepts_writer()? {
        return Ok(FlagTest::Fails(
            "the flag is set, and a file can be opened for writing all the same".into(),
        ));
    }
    if scratch.accepts_new_mode()? {
        return Ok(FlagTest::Fails(
            "the flag is set, and the mode of a file can be changed all the same".into(),
        ));
    }
    Ok(match scratch.accepts_older_writer()? {
        true => FlagTest::KeepsOutNewcomers,
        false => FlagTest::Holds,
    })
}

fn untried(error: &SysError) -> FlagTest {
    FlagTest::NotTried(error.to_string())
}
