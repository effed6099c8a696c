//! fs-verity: the content of an inode is sealed for good, and its names come and go as those of any file.
//!
//! Who has a file open for writing keeps it from being sealed, so nobody is left who could write. But it does not come
//! off: no guest's own inode becomes an object, and a guest that gets a file of its own again gets a copy, as ever. And
//! metadata stay the business of everybody who may change them, for all guests at once: so they are compared with the
//! object's name wherever protection is watched.

use super::protector::{FlagTest, NameStep, Permit, Protector};
use crate::model::{ObjectFlag, Protect};
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult};

/// The seal.
#[derive(Debug)]
pub(super) struct Sealed;

impl Protector for Sealed {
    fn mode(&self) -> Protect {
        Protect::Verity
    }

    fn flag(&self) -> Option<ObjectFlag> {
        Some(ObjectFlag::Verity)
    }

    fn name(&self) -> &'static str {
        "fs-verity"
    }

    fn why(&self) -> &'static str {
        "a scratch file was sealed, and nobody could write to it; metadata can be changed, which is watched"
    }

    fn test(&self, scratch: &Dir) -> SysResult<FlagTest> {
        let file = match scratch.nameless() {
            Ok(file) => file,
            Err(error) => return Ok(FlagTest::NotTried(error.to_string())),
        };
        file.be_written_once()?;
        let reader = file.reopen()?;
        drop(file);
        match reader.seal() {
            Ok(()) => {}
            Err(error) if error.meaning() == Meaning::Denied => {
                return Ok(FlagTest::NotTried(error.to_string()));
            }
            Err(error) => {
                return Ok(FlagTest::Fails(format!(
                    "this kernel, or this file system as it was made, seals no file ({error})"
                )));
            }
        }
        Ok(match reader.accepts_writer()? {
            true => FlagTest::Fails("a sealed file can be opened for writing all the same".into()),
            false => FlagTest::Holds,
        })
    }

    fn is_on(&self, _: &Regular, flags: u32) -> SysResult<bool> {
        Ok(Regular::means_sealed(flags))
    }

    fn set(&self, file: &Regular) -> SysResult<()> {
        file.seal()
    }

    fn take_off(&self, file: &Regular, _: Permit) -> SysResult<()> {
        let why = std::io::Error::other("a seal does not come off");
        Err(SysError::new("unseal", file.path(), why))
    }

    fn needs_lift_for(&self, change: NameStep) -> bool {
        match change {
            NameStep::Link | NameStep::Unlink | NameStep::Retire => false,
        }
    }

    fn comes_off(&self) -> bool {
        false
    }

    fn keeps_metadata(&self) -> bool {
        false
    }
}
