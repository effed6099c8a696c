//! What a protection is, whichever it is.

use std::fmt::Debug;

use crate::model::{ObjectFlag, Protect};
use crate::sys::{Dir, Regular, SysResult};

/// A way to keep shared inodes as they are.
pub trait Protector: Debug + Sync {
    /// The mode of a plan that it is.
    fn mode(&self) -> Protect;

    /// The word for it in flag lines; `None` where it sets nothing.
    fn flag(&self) -> Option<ObjectFlag>;

    /// What messages call it.
    fn name(&self) -> &'static str;

    /// Why a plan takes it where its test holds, as a sentence.
    fn why(&self) -> &'static str;

    /// Tries it on a file without a name in `scratch`, which leaves no trace.
    fn test(&self, scratch: &Dir) -> SysResult<FlagTest>;

    /// Does it protect this file, whose inode flags are these?
    fn is_on(&self, file: &Regular, flags: u32) -> SysResult<bool>;

    /// Protects the file, and proves that it does.
    fn set(&self, file: &Regular) -> SysResult<()>;

    /// Takes it off; the engine lifts instead.
    fn take_off(&self, file: &Regular, permit: Permit) -> SysResult<()>;

    /// Must it come off before a name of the file can be added or removed?
    fn needs_lift_for(&self, change: NameStep) -> bool;

    /// Does it stay on whatever happens to names? Then it goes on before a file gets its second one, and no moment is
    /// without it.
    fn stays_on(&self) -> bool {
        self.protects()
            && !self.needs_lift_for(NameStep::Link)
            && !self.needs_lift_for(NameStep::Unlink)
    }

    /// Can a guest's own inode become an object under it? It may have to be its guest's alone again.
    fn adopts(&self) -> bool {
        self.protects() && self.comes_off()
    }

    /// Can it be taken off?
    fn comes_off(&self) -> bool {
        true
    }

    /// Does it keep mode, owner, times and attributes as they are?
    fn keeps_metadata(&self) -> bool {
        true
    }

    /// Is there what it needs of the kernel that runs? Objects that it protected are open else, and stay so.
    fn is_there(&self) -> bool {
        true
    }

    /// Does it keep anybody from anything?
    fn protects(&self) -> bool {
        self.flag().is_some()
    }
}

/// What is about to happen to a name of a protected file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameStep {
    /// The file gets one more.
    Link,
    /// A name is removed, or moved, or exchanged.
    Unlink,
    /// The base's name is removed, and what is left of the file is one guest's own, which may do with it as it likes.
    Retire,
}

/// What a protection does on a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagTest {
    /// It was set, read back, kept every writer out, and was taken off.
    Holds,
    /// The same, but what had the file open for writing before goes on writing to it: XFS, btrfs and tmpfs look at the
    /// flag when a file is opened, ext4 at each write as well.
    KeepsOutNewcomers,
    /// It cannot be used, for this reason.
    Fails(String),
    /// It could not be tried by this user.
    NotTried(String),
}

/// Only this room can make one, so only [`Lifted`] takes a protection off.
#[derive(Debug)]
pub struct Permit(pub(super) ());
