//! Programs with more rights in one guest than in another.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::engine::checking::sight::{Unseen, metadata, name_at};
use crate::engine::planning::purposes::seen::SeenGuests;
use crate::engine::planning::survey::Survey;
use crate::model::{Finding, GuestName, GuestPath};
use crate::packages::Package;
use crate::rules::findings::rights::{AtPath, Rights, RightsAtPath, differ};

/// What is privileged in a guest, by its path.
type Privileged = BTreeMap<Vec<u8>, Rights>;

/// Everything about at least two guests.
pub(in crate::engine::checking) fn rights(seen: &SeenGuests<'_>, unseen: &Unseen) -> Vec<Finding> {
    let surveys = seen.surveys;
    if surveys.len() < 2 {
        return Vec::new();
    }
    // Where one form holds no capabilities, none of any form count.
    let capable = surveys
        .iter()
        .all(|survey| survey.files.precision().attributes);
    let read = || {
        surveys
            .iter()
            .map(|survey| of_guest(survey, capable, unseen))
            .collect()
    };
    let all: Vec<Privileged> = seen.threads.read(read);
    let paths: BTreeSet<&Vec<u8>> = all.iter().flat_map(BTreeMap::keys).collect();
    let at = |path: &Vec<u8>| at_path(surveys, &all, path);
    paths.into_iter().filter_map(at).collect()
}

fn of_guest(survey: &Survey, capable: bool, unseen: &Unseen) -> Privileged {
    let tree = &survey.scan.tree;
    let look = |name: usize| {
        let state = tree.state(tree.file_of(name));
        let mut rights = Rights {
            mode: state.mode,
            uid: state.uid,
            gid: state.gid,
            capabilities: Vec::new(),
        };
        if capable && state.mode & 0o111 != 0 && state.size > 0 {
            let read = metadata(survey, name);
            let xattrs = unseen.or_note(survey, name, read).map(|known| known.xattrs);
            let mut xattrs = xattrs.into_iter().flatten();
            let found = xattrs.find(|xattr| xattr.name == b"security.capability");
            rights.capabilities = found.map(|xattr| xattr.value).unwrap_or_default();
        }
        rights.is_privileged().then(|| (tree.path(name), rights))
    };
    (0..tree.names()).into_par_iter().filter_map(look).collect()
}

fn at_path(surveys: &[Survey], all: &[Privileged], path: &[u8]) -> Option<Finding> {
    let path = GuestPath::new(path).ok()?;
    let holder = all.iter().position(|of| of.contains_key(path.as_bytes()))?;
    let package = surveys.get(holder)?.owner(path.as_bytes());
    let named = package.as_ref().map(|owner| owner.package.as_str());
    let sides = surveys.iter().zip(all);
    let sides: Vec<(&GuestName, AtPath)> = sides
        .map(|(survey, of)| {
            let known = of.get(path.as_bytes()).cloned().map(AtPath::File);
            let at = known.unwrap_or_else(|| at_unprivileged(survey, &path, named));
            (&survey.guest.name, at)
        })
        .collect();
    differ(&RightsAtPath {
        path: &path,
        sides,
        package,
    })
}

fn at_unprivileged(survey: &Survey, path: &GuestPath, package: Option<&str>) -> AtPath {
    let tree = &survey.scan.tree;
    if let Some(name) = name_at(tree, path.as_bytes()) {
        let state = tree.state(tree.file_of(name));
        return AtPath::File(Rights {
            mode: state.mode,
            uid: state.uid,
            gid: state.gid,
            capabilities: Vec::new(),
        });
    }
    let mut packages = survey.answer.owners.packages().iter();
    let is_it = |one: &Package| one.owns() && Some(&*one.name) == package;
    match package.is_some() && !packages.any(is_it) {
        true => AtPath::NoPackage,
        false => AtPath::Nothing,
    }
}
