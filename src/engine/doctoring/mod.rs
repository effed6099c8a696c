//! `doctor`: what this host and some directories can do, found by trying on scratch files.
//!
//! | file | what it does |
//! | --- | --- |
//! | `place` | where may something be tried for a directory? Never in a guest |
//! | `on_files` | what is tried on scratch files there |
//! | `host` | what is the same for all directories |
//! | `assistant` | the second processes: one stands in a user namespace, one sweeps up if this process is killed |
//!
//! It may assume nothing: any user may ask about any directory. It never writes into a guest, and leaves nothing: what
//! is tried has no name, is attached to no place, or lies in a directory of ours that goes, whatever becomes of us.

pub mod assistant;
mod host;
mod on_files;
mod place;

use std::path::PathBuf;

use crate::engine::EngineError;
use crate::engine::records::bases::any_base_near;
use crate::model::{Ability, Examination, ExaminedPlace, Trial, TriedAbility};
use crate::rules::prospect::prospects;
use crate::sys::host::trials;
use crate::sys::host::trials::UserNamespace;
use crate::sys::own::scratch::Scratch;

use place::AskedPlace;

/// Tries all that can be tried, for each of these directories; where none is named, for the one base at or above the
/// current directory, or for that directory.
pub fn examine(paths: &[PathBuf]) -> Result<Examination, EngineError> {
    let places = meant(paths)?;
    let places = places.iter().map(|path| AskedPlace::find(path));
    let places: Vec<AskedPlace> = places.collect::<Result<_, _>>()?;
    let namespace = assistant::in_a_namespace();
    let scratches: Vec<Result<Scratch, Trial>> = places.iter().map(AskedPlace::scratch).collect();
    let security_modules = trials::security_modules();
    let host = host::tried(
        scratches.iter().find_map(|scratch| scratch.as_ref().ok()),
        namespace.as_ref(),
        security_modules.as_deref(),
    );
    let both = places.into_iter().zip(scratches);
    let places = both.map(|(place, scratch)| {
        let scratch = scratch.as_ref();
        examined(place, scratch, namespace.as_ref(), &host)
    });
    let places: Vec<ExaminedPlace> = places.collect();
    if let Ok(namespace) = namespace {
        namespace.finish();
    }
    Ok(Examination {
        host,
        security_modules,
        places,
    })
}

fn meant(paths: &[PathBuf]) -> Result<Vec<PathBuf>, EngineError> {
    match paths {
        [] => Ok(vec![any_base_near(&[])?.unwrap_or_else(|| ".".into())]),
        _ => Ok(paths.to_vec()),
    }
}

fn examined(
    place: AskedPlace,
    scratch: Result<&Scratch, &Trial>,
    namespace: Result<&UserNamespace, &Trial>,
    host: &[TriedAbility],
) -> ExaminedPlace {
    let mut tried = on_files::tried(scratch);
    tried.extend(looked_at(&place, namespace));
    ExaminedPlace {
        prospects: prospects(host, &tried),
        filesystem: place.filesystem,
        tried_in: scratch.is_ok().then_some(place.beside).flatten(),
        path: place.path,
        guest: place.guest,
        tried,
    }
}

/// What needs no file of ours: it is asked of the directory itself, in which nothing is written.
fn looked_at(place: &AskedPlace, namespace: Result<&UserNamespace, &Trial>) -> Vec<TriedAbility> {
    let tried = |ability| TriedAbility {
        ability,
        trial: match ability {
            Ability::IdmappedMounts => trials::idmapped_mounts(&place.dir, namespace),
            Ability::PrivateClone => trials::private_clone(&place.dir),
            Ability::MountIds => trials::mount_ids(&place.dir),
            Ability::CaseSensitive => place.case_sensitive(),
            _ => place.unencrypted(),
        },
    };
    Ability::BY_LOOKING.map(tried).to_vec()
}
