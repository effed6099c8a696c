//! What this host can do: how objects will be protected, compared with what was asked for, and whether names can be
//! shared at all. Both are tried on scratch files.

use std::collections::BTreeSet;
use std::path::Path;

use super::{EngineError, Guest};
use crate::base::{Base, Index, ProtectionPaper};
use crate::engine::error::CannotHere;
use crate::link::{Impossible, can_reflink, rehearse};
use crate::model::{GuardLevel, Protect, Protection, Sign};
use crate::protect::{self, FlagTest, Protector};
use crate::rules::crossing::Crossing;
use crate::sys::guard::Heart;
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

/// What protects the objects of a base, whatever a run says.
pub(super) fn of(base: &Base) -> SysResult<&'static dyn Protector> {
    Ok(protect::setting(ProtectionPaper::read(base)?))
}

/// What its objects have while they are protected. It decides words alone: where the paper cannot be read, that is no
/// reason to say nothing.
pub(super) fn sign(base: &Base) -> Sign {
    of(base).map_or(Sign::Protection, |by| by.mode().sign())
}

/// Decides at plan time. `auto` never becomes `none`, and a base that has objects keeps what protects them.
pub(super) fn decide(
    asked: Protect,
    scratch: &Dir,
    base: Option<(&Base, u64)>,
) -> Result<Protection, EngineError> {
    let kept = base.map(kept_by).transpose()?.flatten();
    let (mode, missing) = match (asked, kept) {
        (Protect::Auto, Some(kept)) => (kept, String::new()),
        (Protect::Auto, None) => best(scratch)?,
        (asked, _) => (asked, String::new()),
    };
    fits(mode, kept, base)?;
    let why = why(asked, mode, scratch)? + &missing;
    Ok(Protection { asked, mode, why })
}

/// The first that holds, in the order of preference, and why none before it does, as the end of a sentence. The last
/// is taken untried: its own trial says what is wrong.
fn best(scratch: &Dir) -> SysResult<(Protect, String)> {
    let better = protect::ALL.iter();
    let better = better.take_while(|one| one.mode() != Protect::Immutable);
    let mut missing = Vec::new();
    for one in better {
        let lack = match one.test(scratch)? {
            FlagTest::Holds => None,
            FlagTest::KeepsOutNewcomers if one.stays_on() => None,
            FlagTest::KeepsOutNewcomers => Some("it does not hold against older writers".into()),
            FlagTest::Fails(why) | FlagTest::NotTried(why) => Some(why),
        };
        match lack {
            None => return Ok((one.mode(), text(&missing))),
            Some(why) => missing.push(format!("{}: {why}", one.mode().code())),
        }
    }
    Ok((Protect::Immutable, text(&missing)))
}

fn text(missing: &[String]) -> String {
    match missing {
        [] => String::new(),
        missing => format!("{MISSING}{}", missing.join("; ")),
    }
}

/// What stands between the choice and what is missing for better ones.
const MISSING: &str = "; better ones are missing here: ";

/// What protects the objects that are there, if that cannot change any more.
fn kept_by((base, objects): (&Base, u64)) -> SysResult<Option<Protect>> {
    match objects {
        0 => Ok(None),
        _ => Ok(ProtectionPaper::read(base)?.or(Some(Protect::Immutable))),
    }
}

/// One base has one protection: objects that are guarded are marked again after each boot, all of them, and what has
/// lost its own gets the base's again.
fn fits(
    mode: Protect,
    kept: Option<Protect>,
    base: Option<(&Base, u64)>,
) -> Result<(), EngineError> {
    let (Some(kept), Some((base, _))) = (kept, base) else {
        return Ok(());
    };
    // What has no protection has no flag to be told from.
    let kind = |mode| match mode {
        Protect::None | Protect::Auto => Protect::Immutable,
        mode => mode,
    };
    if kind(mode) == kind(kept) {
        return Ok(());
    }
    Err(CannotHere::OtherProtection {
        base: base.path().to_owned(),
        by: protect::by(kept).name(),
    }
    .into())
}

/// What more the guard that is loaded can do, as the end of a sentence.
fn with_a_daemon(mode: Protect) -> SysResult<&'static str> {
    let heart = match mode {
        Protect::Guard => Heart::open()?,
        _ => None,
    };
    Ok(match heart.map(|heart| heart.ability()).transpose()? {
        Some(GuardLevel::RestartByTaskWork | GuardLevel::RestartBySignal) => {
            "; with a daemon a writer waits for a copy of its own"
        }
        Some(GuardLevel::DenyFirst) => {
            "; with a daemon a writer is denied once, and has a copy then"
        }
        Some(GuardLevel::Immutable) | None => "",
    })
}

fn why(asked: Protect, mode: Protect, scratch: &Dir) -> Result<String, EngineError> {
    let best = protect::by(mode);
    Ok(match best.test(scratch)? {
        FlagTest::Holds => best.why().to_owned() + with_a_daemon(mode)?,
        FlagTest::KeepsOutNewcomers if best.stays_on() => {
            best.why().to_owned() + with_a_daemon(mode)?
        }
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
    })
}

/// Tries again at apply time what the plan relies on, and writes down what the objects will not say themselves.
pub(super) fn still_holds(protection: &Protection, base: &Base) -> Result<(), EngineError> {
    let planned = protect::by(protection.mode);
    match planned.test(base.staging())? {
        FlagTest::Holds => {}
        FlagTest::KeepsOutNewcomers if planned.stays_on() => {}
        FlagTest::KeepsOutNewcomers if protection.asked != Protect::Auto => {}
        FlagTest::KeepsOutNewcomers => return Err(CannotHere::NothingHolds.into()),
        FlagTest::Fails(why) | FlagTest::NotTried(why) => {
            return Err(CannotHere::ProtectAsPlanned {
                by: planned.name(),
                why,
            }
            .into());
        }
    }
    let objects = Index::read(base)?.len() as u64;
    fits(
        protection.mode,
        kept_by((base, objects))?,
        Some((base, objects)),
    )
}

/// Written before anything is protected that a restart of the machine would leave bare.
pub(super) fn write_down(base: &Base, mode: Protect) -> SysResult<()> {
    let written = ProtectionPaper::read(base)?;
    let says_nothing = [Protect::Auto, Protect::Immutable, Protect::None];
    let wanted = Some(mode).filter(|mode| !says_nothing.contains(mode));
    match wanted {
        _ if written == wanted => Ok(()),
        Some(mode) => ProtectionPaper::write(base, mode),
        None => ProtectionPaper::remove(base),
    }
}

/// Tries at apply time, in the base, whether files can share blocks, and get their own again.
pub(super) fn blocks_can_be_shared(base: &Base) -> Result<(), EngineError> {
    let (staging, place) = (base.staging(), base.path().to_owned());
    match can_reflink(staging, staging) {
        // What there is room for shows with each file.
        Err(why) if !why.is_want_of_room() => {
            let why = why.to_string();
            Err(CannotHere::Reflink { place, why }.into())
        }
        _ => Ok(()),
    }
}
