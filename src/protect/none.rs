//! No protection: a guest that writes in place changes the file for all. Somebody asked for it.

use super::protector::{FlagTest, NameStep, Permit, Protector};
use crate::model::{ObjectFlag, Protect};
use crate::sys::{Dir, Regular, SysResult};

/// Nothing.
#[derive(Debug)]
pub(super) struct Unprotected;

impl Protector for Unprotected {
    fn mode(&self) -> Protect {
        Protect::None
    }

    fn flag(&self) -> Option<ObjectFlag> {
        None
    }

    fn name(&self) -> &'static str {
        "nothing"
    }

    fn why(&self) -> &'static str {
        "asked for: an in-place write by one guest changes the file for all"
    }

    fn test(&self, _: &Dir) -> SysResult<FlagTest> {
        Ok(FlagTest::Holds)
    }

    /// What is not protected has nothing that could be taken off.
    fn is_on(&self, _: &Regular, _: u32) -> SysResult<bool> {
        Ok(false)
    }

    fn set(&self, _: &Regular) -> SysResult<()> {
        Ok(())
    }

    fn take_off(&self, _: &Regular, _: Permit) -> SysResult<()> {
        Ok(())
    }

    fn needs_lift_for(&self, _: NameStep) -> bool {
        false
    }
}
