//! The guard: immutable but unlinkable. Every change of a marked inode is denied, by whomever; its names come and go
//! as they do for any file.
//!
//! So an object is marked before its second name exists, and the mark stays until it ceases to be an object: nothing
//! is lifted for a name, and nobody has to stand still. What had the inode open for writing before goes on, and is
//! found by the lease that is taken under the mark.

use super::protector::{FlagTest, NameStep, Permit, Protector};
use crate::model::{FileId, ObjectFlag, Protect};
use crate::sys::guard::{InodeMark, Marks};
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult};

/// The marks of this kernel.
#[derive(Debug)]
pub(super) struct Guarded;

/// What is missing where there is no guard.
const NOT_LOADED: &str = "the guard is not loaded into this kernel (`unify guard load`)";

impl Protector for Guarded {
    fn mode(&self) -> Protect {
        Protect::Guard
    }

    fn flag(&self) -> Option<ObjectFlag> {
        Some(ObjectFlag::Guard)
    }

    fn name(&self) -> &'static str {
        "the guard"
    }

    fn why(&self) -> &'static str {
        "the guard denied every change of a scratch file"
    }

    fn test(&self, scratch: &Dir) -> SysResult<FlagTest> {
        let Some(marks) = Marks::here() else {
            return Ok(FlagTest::Fails(NOT_LOADED.into()));
        };
        let scratch = match scratch.nameless() {
            Ok(scratch) => scratch,
            Err(error) => return Ok(FlagTest::NotTried(error.to_string())),
        };
        let mark = match InodeMark::of(&scratch) {
            Err(error) if error.meaning() == Meaning::Unsupported => {
                return Ok(FlagTest::Fails(format!(
                    "the file system does not tell inodes of one number apart ({error})"
                )));
            }
            mark => mark?,
        };
        if let Err(error) = scratch.be_tried() {
            return Ok(FlagTest::NotTried(error.to_string()));
        }
        marks.add(&mark)?;
        let tried = scratch.way_left_open();
        marks.remove(&mark)?;
        Ok(match tried? {
            Some(way) => FlagTest::Fails(format!(
                "a marked file can {way} all the same; btrfs, and all that tells another device than its mount, cannot be guarded"
            )),
            None if !scratch.accepts_writer()? => {
                FlagTest::Fails("something else denies what the guard should".into())
            }
            None => FlagTest::KeepsOutNewcomers,
        })
    }

    fn is_on(&self, file: &Regular, _: u32) -> SysResult<bool> {
        match Marks::here() {
            None => Ok(false),
            Some(marks) => match InodeMark::of(file) {
                Err(error) if error.meaning() == Meaning::Unsupported => Ok(false),
                mark => marks.has(&mark?),
            },
        }
    }

    fn set(&self, file: &Regular) -> SysResult<()> {
        let mark = InodeMark::of(file)?;
        let marks = loaded(file)?;
        marks.add(&mark)?;
        match marks.has(&mark)? {
            true => Ok(()),
            false => Err(SysError::new("mark", file.path(), not_loaded())),
        }
    }

    fn take_off(&self, file: &Regular, _: Permit) -> SysResult<()> {
        loaded(file)?.remove(&InodeMark::of(file)?)
    }

    fn is_there(&self) -> bool {
        Marks::here().is_some()
    }

    /// No name is in its way. What is an object no more is its guest's own.
    fn needs_lift_for(&self, change: NameStep) -> bool {
        match change {
            NameStep::Link | NameStep::Unlink => false,
            NameStep::Retire => true,
        }
    }
}

/// Takes every mark off an inode of this number, whatever its generation.
pub(super) fn release(inode: FileId) -> SysResult<()> {
    let Some(marks) = Marks::here() else {
        return Ok(());
    };
    let all = marks.all()?;
    let mut its = all.iter().filter(|mark| mark.inode == inode);
    its.try_for_each(|mark| marks.remove(mark))
}

fn loaded(file: &Regular) -> SysResult<&'static Marks> {
    Marks::here().ok_or_else(|| SysError::new("mark", file.path(), not_loaded()))
}

fn not_loaded() -> std::io::Error {
    std::io::Error::other(NOT_LOADED)
}
