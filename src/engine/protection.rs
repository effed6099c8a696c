//! How objects will be protected: what was asked for, compared with what this host can do.

use super::EngineError;
use crate::base::{FlagTest, test_flag};
use crate::engine::error::CannotHere;
use crate::model::{Protect, Protection};
use crate::sys::Dir;
use crate::sys::host::machine;

/// Decides at plan time. `auto` never becomes `none`.
pub(super) fn decide(asked: Protect, scratch: &Dir) -> Result<Protection, EngineError> {
    if asked == Protect::None {
        let why = "asked for: an in-place write by one guest changes the file for all".to_owned();
        return Ok(Protection {
            asked,
            mode: Protect::None,
            why,
        });
    }
    match test_flag(scratch)? {
        FlagTest::Holds => Ok(immutable(
            asked,
            "the immutable flag was tried on a scratch file and holds",
        )),
        FlagTest::NotTried(why) if !machine::is_root() => Ok(immutable(
            asked,
            &format!("not tried, this needs root; apply tries it again ({why})"),
        )),
        FlagTest::NotTried(why) | FlagTest::Fails(why) => {
            Err(CannotHere::Protect(why.to_string()).into())
        }
    }
}

/// Tries again at apply time what the plan relies on.
pub(super) fn still_holds(protection: &Protection, scratch: &Dir) -> Result<(), EngineError> {
    if protection.mode == Protect::None {
        return Ok(());
    }
    match test_flag(scratch)? {
        FlagTest::Holds => Ok(()),
        FlagTest::Fails(why) | FlagTest::NotTried(why) => {
            Err(CannotHere::ProtectAsPlanned(why.to_string()).into())
        }
    }
}

fn immutable(asked: Protect, why: &str) -> Protection {
    Protection {
        asked,
        mode: Protect::Immutable,
        why: why.to_owned(),
    }
}
