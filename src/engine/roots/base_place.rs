//! Where the base goes if nobody says so.

use std::path::{Path, PathBuf};

use crate::engine::error::{BadUse, CannotHere};
use crate::engine::{EngineError, GuestArg};
use crate::rules::root::{lies_in, store_of};
use crate::sys::{Dir, canonical};

/// What a base is called by default.
const USUAL: &str = ".unify";

/// `.unify` beside the guests, where they lie in one directory: of `web1/rootfs` that is beside `web1`, for who removes
/// the guest removes that directory. A base that is beside a root already stays the one.
pub fn default_base(args: &[GuestArg]) -> Result<PathBuf, EngineError> {
    let roots = args.iter().map(|arg| canonical(&arg.path));
    let roots: Vec<PathBuf> = roots.collect::<Result<_, _>>()?;
    let places: Vec<&Path> = roots
        .iter()
        .map(|root| place_of(root))
        .collect::<Result<_, _>>()?;
    let beside = |root: &PathBuf| root.with_file_name(USUAL).join("format").is_file();
    match (roots.as_slice(), places.first()) {
        ([root], _) if beside(root) => Ok(root.with_file_name(USUAL)),
        (_, Some(first)) if places.iter().all(|place| place == first) => Ok(first.join(USUAL)),
        _ => Err(no_common_place(&roots, &places)?),
    }
}

fn place_of(root: &Path) -> Result<&Path, BadUse> {
    if let Some(manager) = store_of(root) {
        let root = root.to_owned();
        return Err(BadUse::BaseInStore { root, manager });
    }
    lies_in(root).ok_or_else(|| BadUse::HostRoot(root.to_owned()))
}

/// Where no base can be at all, that is the reason.
fn no_common_place(roots: &[PathBuf], places: &[&Path]) -> Result<EngineError, EngineError> {
    let first = places.first().copied().unwrap_or(Path::new("/"));
    let other = places.iter().copied().find(|place| *place != first);
    for (one, other) in roots.iter().zip(roots.iter().skip(1)) {
        if Dir::open(one)?.state()?.id.dev != Dir::open(other)?.state()?.id.dev {
            return Ok(CannotHere::GuestsApart {
                one: one.clone(),
                other: other.clone(),
                apart: "file systems",
                seen_at: Vec::new(),
            }
            .into());
        }
    }
    let other = other.unwrap_or(first).to_owned();
    Ok(BadUse::NoCommonPlace(first.to_owned(), other).into())
}
