//! What this host can do: how objects will be protected, compared with what was asked for, and whether names can be
//! shared at all. Both are tried on scratch files.

use std::collections::BTreeSet;
use std::path::Path;

use super::{EngineError, Guest};
use crate::engine::error::CannotHere;
use crate::link::{Impossible, rehearse};
use crate::model::{Protect, Protection};
use crate::protect::{self, FlagTest};
use crate::rules::crossing::Crossing;
use crate::sys::host::machine;
use crate::sys::own::scratch::Scratch;
use crate::sys::{Dir, SysResult};

/// Tries the whole life of a link at `place`, where the base is or will be: for a guest without a project, and with the
/// project of each of these. What holds of all guests is an error; a project that cannot be had is the business of its
/// files.
pub(super) fn names_can_be_shared(
    place: &Dir,
    scratch_beside: &Path,
    guests: &[Guest],
) -> Result<Crossing, EngineError> {
    if place.is_encrypted()? {
        return Err(CannotHere::EncryptedBase(place.path().to_owned()).into());
    }
    if !machine::is_root() {
        // Such a user could do none of it. What apply cannot do, it refuses line by line.
        return Ok(Crossing::default());
    }
    rehearsed(scratch_beside, (0, false)).map_err(|why| CannotHere::Sharing {
        place: place.path().to_owned(),
        why: why.to_string(),
    })?;
    let mut crossing = Crossing::default();
    for (project, inherits) in projects(guests)? {
        if rehearsed(scratch_beside, (project, inherits)).is_err() {
            crossing.refused_projects.insert(project);
        }
    }
    Ok(crossing)
}

/// A full disk is no reason to refuse: a plan may be what gives it room.
fn rehearsed(scratch_beside: &Path, (project, inherits): (u32, bool)) -> Result<(), Impossible> {
    let scratch = Scratch::beside(scratch_beside).map_err(Impossible::in_no_directory);
    let tried = scratch.and_then(|scratch| rehearse(scratch.dir(), project, inherits));
    tried.or_else(|why| match why.is_want_of_room() {
        true => Ok(()),
        false => Err(why),
    })
}

/// The projects of the guests' roots.
fn projects(guests: &[Guest]) -> SysResult<BTreeSet<(u32, bool)>> {
    let roots = guests.iter().map(|guest| guest.root.project());
    let mut all = roots.collect::<SysResult<BTreeSet<_>>>()?;
    all.remove(&(0, false));
    Ok(all)
}

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
