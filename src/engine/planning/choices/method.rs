//! By which method files are shared: what was asked for, compared with what can be done here. That is tried on scratch
//! files and never told from a name or a version.
//!
//! `auto` takes reflinks where they can be had: there is nothing to protect then, and nothing that a guest must not do.
//! What they do not give is memory, so it is said. `both` makes hard links wherever the rules let it, and reflinks of
//! what no hard link takes: files whose content is equal and whose metadata differ, and guests in other subvolumes than
//! the base. Where nothing is asked, files are shared by hard links: they share
//! memory as well, and a plan must not become another one because a host has a newer file system.

use std::path::Path;

use crate::engine::error::CannotHere;
use crate::engine::roots::one_filesystem::one_filesystem;
use crate::engine::roots::one_mount::not_reached;
use crate::engine::{EngineError, Guest};
use crate::link::{Impossible, can_reflink};
use crate::model::{FileId, MethodChoice, PlanMethods, SharingMethod};
use crate::sys::Dir;
use crate::sys::host::machine;
use crate::sys::own::scratch::Scratch;

/// Where it is tried.
#[derive(Clone, Copy)]
pub struct TrialPlace<'a> {
    /// The base, which need not exist.
    pub base: &'a Path,
    /// Its directory, or the one that it will be made in.
    pub dir: &'a Dir,
    /// What a scratch directory is made beside.
    pub scratch_beside: &'a Path,
}

/// What was decided.
pub struct DecidedMethod {
    /// `None` where hard links were asked for, as by all plans of earlier programs.
    pub taken: Option<SharingMethod>,
    /// Roots of guests that take part, and that no hard link reaches.
    pub beyond: Vec<FileId>,
}

/// Decides.
pub fn decide_method(
    asked: MethodChoice,
    guests: &[Guest],
    place: TrialPlace<'_>,
) -> Result<DecidedMethod, EngineError> {
    if asked == MethodChoice::Both {
        return both(guests, place);
    }
    Ok(DecidedMethod {
        taken: one_of_them(asked, guests, place)?,
        beyond: Vec::new(),
    })
}

/// Hard links, and reflinks for what they do not take. Where either cannot be had, the other is alone.
fn both(guests: &[Guest], place: TrialPlace<'_>) -> Result<DecidedMethod, EngineError> {
    let beyond = not_reached(guests, place.dir)?;
    let reflinks = reflinks_for_all(guests, place)?;
    let (mode, why) = match (reflinks, beyond.len()) {
        // What is wrong with guests that hard links do not reach is said by hard links.
        (Err(why), _) => (
            PlanMethods::Hardlink,
            format!("hard links, for reflinks: {why}"),
        ),
        (Ok(why), all) if all == guests.len() => (
            PlanMethods::Reflink,
            format!("reflinks, for no hard link of the base reaches any of the guests: {why}"),
        ),
        (Ok(_), some) => {
            let also = if some > 0 {
                ", and in guests that no hard link of the base reaches"
            } else {
                ""
            };
            let why = format!(
                "hard links where content and metadata are equal, for they share memory as well; reflinks where the content alone is{also}"
            );
            (PlanMethods::Both, why)
        }
    };
    let beyond = match mode {
        PlanMethods::Both => beyond,
        PlanMethods::Hardlink | PlanMethods::Reflink => Vec::new(),
    };
    let asked = MethodChoice::Both;
    let taken = Some(SharingMethod { asked, mode, why });
    Ok(DecidedMethod { taken, beyond })
}

fn one_of_them(
    asked: MethodChoice,
    guests: &[Guest],
    place: TrialPlace<'_>,
) -> Result<Option<SharingMethod>, EngineError> {
    let taken = |mode, why| Some(SharingMethod { asked, mode, why });
    match asked {
        MethodChoice::Hardlink | MethodChoice::Both => Ok(None),
        MethodChoice::Reflink => {
            one_filesystem(guests, place.base, place.dir)?;
            match tried(place) {
                Ok(why) => Ok(taken(PlanMethods::Reflink, why)),
                Err(why) => Err(CannotHere::Reflink {
                    place: place.dir.path().to_owned(),
                    why: why.to_string(),
                }
                .into()),
            }
        }
        MethodChoice::Auto => Ok(match reflinks_for_all(guests, place)? {
            Ok(why) => taken(PlanMethods::Reflink, why),
            Err(why) => taken(
                PlanMethods::Hardlink,
                format!("hard links, for reflinks: {why}"),
            ),
        }),
    }
}

/// The same for `auto`: why not is no error. What is wrong with the guests is one in any case, and said by hard links.
fn reflinks_for_all(
    guests: &[Guest],
    place: TrialPlace<'_>,
) -> Result<Result<String, String>, EngineError> {
    if !machine::is_root() {
        return Ok(Err("they are not tried without root".to_owned()));
    }
    match one_filesystem(guests, place.base, place.dir) {
        Err(EngineError::CannotHere(why @ CannotHere::BlocksApart { .. })) => {
            return Ok(Err(why.to_string()));
        }
        other => other?,
    }
    Ok(tried(place).map_err(|why| why.to_string()))
}

/// Why reflinks can be had. Without root nothing can be tried; `apply` does.
fn tried(place: TrialPlace<'_>) -> Result<String, Impossible> {
    if !machine::is_root() {
        return Ok("not tried, this needs root; apply tries it".to_owned());
    }
    let scratch = Scratch::beside(place.scratch_beside).map_err(Impossible::in_no_directory)?;
    match can_reflink(scratch.dir(), scratch.dir()) {
        Err(why) if why.is_want_of_room() => {
            Ok("the disk has no room to try it; apply tries it".to_owned())
        }
        tried => tried.map(|()| {
            "two scratch files came to share their blocks, and parted again; disk is shared, and memory is not".to_owned()
        }),
    }
}
