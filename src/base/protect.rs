//! The self-test of the immutable flag: tried on a scratch file at the start of every run, never believed by
//! the name of a file system. There are some that say yes and do nothing.

use crate::sys::{Dir, Meaning, Regular, SysError, SysResult};

/// What the flag does here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagTest {
    /// It was set, read back, kept a writer out, and was cleared.
    Holds,
    /// It cannot be used, for this reason.
    Fails(String),
    /// It could not be tried by this user.
    NotTried(String),
}

/// Tries the flag on a file without a name in `dir`, which leaves no trace.
pub fn test_flag(dir: &Dir) -> SysResult<FlagTest> {
    let scratch = match dir.nameless() {
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
    Ok(FlagTest::Holds)
}

fn untried(error: &SysError) -> FlagTest {
    FlagTest::NotTried(error.to_string())
}
