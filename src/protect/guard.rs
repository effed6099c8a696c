//! The guard: immutable but unlinkable. Every change of a marked inode is denied, by whomever; its names come and go
//! as they do for any file.
//!
//! So an object is marked before its second name exists, and the mark stays until it ceases to be an object: nothing
//! is lifted for a name, and nobody has to stand still. What had the inode open for writing before goes on, and is
//! found by the lease that is taken under the mark.
//!
//! # When a mark comes off
//!
//! Not when the base's name is the last one, as was meant at first, though no guest has a name then: the processes of
//! several guests may have the inode open, mapped or mounted still, and one of them that is not denied any more opens
//! it for writing by its descriptor (`/proc/self/fd`), and writes into the memory of the others. It could also give the
//! inode a name again. No lease tells that nobody can: who has its path alone (`O_PATH`), or a mount of it, is seen by
//! none.
//!
//! So the mark of what nobody shares stays while the inode is there, and nothing has to be marked and proven anew where
//! it is shared again. `gc` removes the base's name under the mark, and then takes the mark off what has ceased to be:
//! that never comes back, whatever races with it, since the number of an inode comes with another generation. What is
//! open still has its mark until a later `gc`. So the map holds what guests share, what `gc` has not removed yet and
//! what is open without a name. A mark of an inode that is its only guest's own comes off at once.
//!
//! A file system that cannot read an inode from the disk says what it says of one that is gone (`exportfs` makes one
//! error of both). A mark of another base on the same file system may come off by that: on ext4 the file system is
//! read-only then, as Debian mounts it; on XFS it is not, and the next `recover` of that base marks the file again and
//! proves it.

use super::protector::{FlagTest, NameStep, Permit, Protector};
use crate::model::{FileId, ObjectFlag, Protect};
use crate::sys::guard::{InodeLeft, InodeMark, Marks};
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
        if let Err(error) = marks.add(&mark) {
            return Ok(FlagTest::Fails(error.to_string()));
        }
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

/// Takes the marks off what has ceased to be on the file system of `by`, and says how many nameless inodes keep theirs.
/// Nobody need look at those that `are_in_use`.
pub(super) fn forget_ceased(by: &Dir, are_in_use: &dyn Fn(FileId) -> bool) -> SysResult<u64> {
    let Some(marks) = Marks::here() else {
        return Ok(0);
    };
    let (device, mut nameless) = (by.state()?.id.dev, 0);
    let is_in_doubt = |inode: FileId| inode.dev == device && !are_in_use(inode);
    let all = marks.all()?.into_iter();
    for mark in all.filter(|mark| is_in_doubt(mark.inode)) {
        match mark.left(by) {
            Some(InodeLeft::Nothing) => marks.remove(&mark)?,
            Some(InodeLeft::Nameless) => nameless += 1,
            Some(InodeLeft::Named) | None => {}
        }
    }
    Ok(nameless)
}

fn loaded(file: &Regular) -> SysResult<&'static Marks> {
    Marks::here().ok_or_else(|| SysError::new("mark", file.path(), not_loaded()))
}

fn not_loaded() -> std::io::Error {
    std::io::Error::other(NOT_LOADED)
}
