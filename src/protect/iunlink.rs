//! VServer's pair of flags: immutable but unlinkable, by the file system itself. Each flag alone forbids to remove a
//! name; both together allow it, and content and metadata stay as they are. Kernels with VServer's patch have it, and
//! no other; where a trial shows it, it is as good as the guard.

use super::protector::{FlagTest, NameStep, Permit, Protector};
use crate::model::{ObjectFlag, Protect};
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult};

/// Both flags.
#[derive(Debug)]
pub(super) struct Iunlink;

/// A name that the trial has for a moment.
const NAME: &[u8] = b"iunlink-trial";

impl Protector for Iunlink {
    fn mode(&self) -> Protect {
        Protect::Iunlink
    }

    fn flag(&self) -> Option<ObjectFlag> {
        Some(ObjectFlag::Iunlink)
    }

    fn name(&self) -> &'static str {
        "VServer's flags (iunlink)"
    }

    fn why(&self) -> &'static str {
        "both flags were tried on a scratch file: nobody changed it, and its name could go"
    }

    fn test(&self, scratch: &Dir) -> SysResult<FlagTest> {
        let file = match scratch.nameless() {
            Ok(file) => file,
            Err(error) => return Ok(FlagTest::NotTried(error.to_string())),
        };
        if let Err(error) = file.be_tried() {
            return Ok(FlagTest::NotTried(error.to_string()));
        }
        match file.set_unlinkable(true) {
            Ok(()) => {}
            Err(error) if error.meaning() == Meaning::Denied => {
                return Ok(FlagTest::NotTried(error.to_string()));
            }
            Err(error) => {
                // A file system may have taken one of the two.
                drop(file.set_immutable(false));
                return Ok(FlagTest::Fails(format!(
                    "this kernel knows no such flags ({error})"
                )));
            }
        }
        let verdict = probe(scratch, &file);
        file.set_unlinkable(false)?;
        drop(SysError::absent(scratch.unlink(NAME)));
        verdict
    }

    fn is_on(&self, _: &Regular, flags: u32) -> SysResult<bool> {
        Ok(Regular::means_unlinkable(flags))
    }

    fn set(&self, file: &Regular) -> SysResult<()> {
        file.set_unlinkable(true)
    }

    fn take_off(&self, file: &Regular, _: Permit) -> SysResult<()> {
        file.set_unlinkable(false)
    }

    /// No name is in its way. What is an object no more is its guest's own.
    fn needs_lift_for(&self, change: NameStep) -> bool {
        match change {
            NameStep::Link | NameStep::Unlink => false,
            NameStep::Retire => true,
        }
    }
}

fn probe(scratch: &Dir, file: &Regular) -> SysResult<FlagTest> {
    drop(SysError::absent(scratch.unlink(NAME)));
    let named = scratch.link(file, NAME).and_then(|()| scratch.unlink(NAME));
    if let Err(error) = named {
        return Ok(FlagTest::Fails(format!(
            "both flags are set, and a name cannot come and go ({error})"
        )));
    }
    if let Some(way) = file.way_left_open()? {
        return Ok(FlagTest::Fails(format!(
            "both flags are set, and a file can {way} all the same"
        )));
    }
    Ok(match file.accepts_older_writer()? {
        true => FlagTest::KeepsOutNewcomers,
        false => FlagTest::Holds,
    })
}
