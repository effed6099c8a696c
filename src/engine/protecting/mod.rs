//! `protect`: the objects of a base come under another protection, and the base says so. How, and what an interruption
//! leaves, is the business of `healing`, which finishes it.

use std::path::Path;

use super::activity::base::must_be_ours;
use super::error::CannotHere;
use super::healing::unprotected::moving::{bare, begin};
use super::host::lock_note;
use super::privileges::{entitled, must_see_all};
use super::{EngineError, healing, protection};
use crate::base::{Base, Index, ProtectionPaper};
use crate::model::{Observer, Protect, ProtectionMove, Recovered, Running};
use crate::protect::{self, FlagTest};

/// Moves all objects of the base to this protection. What was open to guests meanwhile, because the kernel that runs
/// has not what protected it, is proven.
pub fn move_protection(
    base: &Path,
    to: Protect,
    running: Running,
    observer: &dyn Observer,
) -> Result<(ProtectionMove, Recovered), EngineError> {
    entitled("protect", "it sets flags")?;
    must_see_all("protect")?;
    let base = &Base::existing(base)?;
    let _lock = base.lock(&lock_note("protect"))?;
    must_be_ours(base)?;
    let old = protection::of(base)?;
    let told = |objects| ProtectionMove {
        from: old.mode(),
        to,
        objects,
    };
    if !old.is_there() && to == Protect::Immutable {
        possible(base, old.mode(), to)?;
        // Nothing is on that could come off: what lacks its protection gets that of the base.
        ProtectionPaper::remove(base)?;
        let healed = healing::watch_first(base, running, observer)?;
        return Ok((told(healed.unprotected), healed));
    }
    let healed = healing::watch_first(base, running, observer)?;
    let from = protection::of(base)?.mode();
    if from == to {
        return Ok((told(0), healed));
    }
    possible(base, from, to)?;
    let open = bare(base)?.len();
    if open > 0 {
        let why = format!(
            "{open} shared files were never protected: plan with --protect {} and apply that first",
            from.code()
        );
        return Err(no_move(base, from, to, why));
    }
    let objects = Index::read(base)?.len() as u64;
    begin(base, from, to)?;
    let healed = healing::heal_first(base, running, observer)?;
    Ok((told(objects), healed))
}

/// Refuses what cannot be done object by object, and what does not hold here.
fn possible(base: &Base, from: Protect, to: Protect) -> Result<(), EngineError> {
    let anew = "undo all runs, remove what is left with `unify gc`, and plan anew";
    let why = match (from, to) {
        (Protect::Verity, _) => Some(format!("a seal does not come off: {anew}")),
        (_, Protect::Verity) => Some(format!(
            "what is protected cannot be sealed, and must not be open meanwhile: {anew}"
        )),
        (_, Protect::None | Protect::Auto) => {
            Some(format!("they would be open to every guest: {anew}"))
        }
        (_, to) => match protect::by(to).test(base.staging())? {
            FlagTest::Holds | FlagTest::KeepsOutNewcomers => None,
            FlagTest::Fails(why) | FlagTest::NotTried(why) => Some(why),
        },
    };
    why.map_or(Ok(()), |why| Err(no_move(base, from, to, why)))
}

fn no_move(base: &Base, from: Protect, to: Protect, why: String) -> EngineError {
    CannotHere::NoMove {
        base: base.path().to_owned(),
        from: protect::by(from).name(),
        to: protect::by(to).name(),
        why,
    }
    .into()
}
