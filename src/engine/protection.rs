//! How objects will be protected: what was asked for, compared with what this host can do.

use super::EngineError;
use crate::engine::error::CannotHere;
use crate::model::{Protect, Protection};
use crate::protect::{self, FlagTest};
use crate::sys::Dir;
use crate::sys::host::machine;

/// Decides at plan time. `auto` never becomes `none`.
pub(super) fn decide(asked: Protect, scratch: &Dir) -> Result<Protection, EngineError> {
    let best = protect::by(asked);
    let why = match best.test(scratch)? {
        FlagTest::Holds => best.why().to_owned(),
        FlagTest::KeepsOutNewcomers if asked == Protect::Auto => {
            return Err(CannotHere::NothingHolds.into());
        }
        FlagTest::KeepsOutNewcomers => format!(
            "{}, but for what was opened before it: asked for",
            best.why()
        ),
        FlagTest::NotTried(why) if !machine::is_root() => {
            format!("not tried, this needs root; apply tries it again ({why})")
        }
        FlagTest::NotTried(why) | FlagTest::Fails(why) => {
            return Err(CannotHere::Protect(why).into());
        }
    };
    Ok(Protection {
        asked,
        mode: best.mode(),
        why,
    })
}

/// Tries again at apply time what the plan relies on.
pub(super) fn still_holds(protection: &Protection, scratch: &Dir) -> Result<(), EngineError> {
    let planned = protect::by(protection.mode);
    match planned.test(scratch)? {
        FlagTest::Holds => Ok(()),
        FlagTest::KeepsOutNewcomers if protection.asked != Protect::Auto => Ok(()),
        FlagTest::KeepsOutNewcomers => Err(CannotHere::NothingHolds.into()),
        FlagTest::Fails(why) | FlagTest::NotTried(why) => Err(CannotHere::ProtectAsPlanned {
            by: planned.name(),
            why,
        }
        .into()),
    }
}
