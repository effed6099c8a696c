//! Keys and identities that several guests have in common: a security hole in the fleet that the scan sees anyway.
//!
//! Only files that care rules keep private are looked at, and only the fact that they are equal is reported:
//! never their content, nor a digest of it.

use std::collections::BTreeMap;

use super::classify::Classified;
use super::survey::Survey;
use crate::model::{Digest, SameSecret, Summary};
use crate::sys::hash::sha256;

/// systemd's word for an identity that is still to be given, machine-id(5).
const NONE_YET: &[u8] = b"uninitialized";

/// Longer ones are no keys.
const LONGEST: u64 = 64 << 10;

/// Files of several guests that must not be equal and are, and how many such secrets there are besides.
pub fn same_secrets(surveys: &[Survey], classified: &[Classified]) -> (Vec<SameSecret>, u64) {
    let mut known: BTreeMap<[u8; 32], Vec<(usize, usize)>> = BTreeMap::new();
    for (guest, (survey, judged)) in surveys.iter().zip(classified).enumerate() {
        for file in &judged.secrets {
            if let Some(Digest(content)) = content(survey, *file) {
                known.entry(content).or_default().push((guest, *file));
            }
        }
    }
    let mut several: Vec<Vec<(usize, usize)>> = known
        .into_values()
        .filter(|files| {
            let first = files.first().map(|(guest, _)| *guest);
            files.iter().any(|(guest, _)| Some(*guest) != first)
        })
        .collect();
    several.iter_mut().for_each(|files| each_guest_first(files));
    several.sort();
    let mut room = Summary::MOST_TEXT;
    let all = several.len();
    let listed: Vec<SameSecret> = several
        .iter()
        .take(Summary::MOST_SECRETS)
        .map_while(|files| shown(surveys, files, &mut room))
        .collect();
    let more = (all - listed.len()) as u64;
    (listed, more)
}

/// One file of each guest, then the others.
fn each_guest_first(files: &mut [(usize, usize)]) {
    files.sort_unstable();
    let mut last = None;
    let mut keyed: Vec<(bool, (usize, usize))> = files
        .iter()
        .map(|file| (last.replace(file.0) == Some(file.0), *file))
        .collect();
    keyed.sort_unstable();
    for (place, (_, file)) in files.iter_mut().zip(keyed) {
        *place = file;
    }
}

/// `None` where there is no room for two of them.
fn shown(surveys: &[Survey], files: &[(usize, usize)], room: &mut usize) -> Option<SameSecret> {
    let names = files.iter().take(SameSecret::MOST_FILES);
    let names = names.map(|(guest, file)| surveys[*guest].shown(*file));
    let listed: Vec<String> = names
        .map_while(|name| {
            *room = room.checked_sub(name.len())?;
            Some(name)
        })
        .collect();
    let more = (files.len() - listed.len()) as u64;
    (listed.len() > 1).then_some(SameSecret {
        files: listed,
        more,
    })
}

/// `None` for what is empty, too long, or says that it is none yet.
fn content(survey: &Survey, file: usize) -> Option<Digest> {
    let tree = &survey.scan.tree;
    let size = tree.size(file);
    if size == 0 || size > LONGEST {
        return None;
    }
    let path = tree.path(tree.names_of(file).next()?);
    let open = survey.files.open_regular(path.get(1..)?).ok()??;
    if let Some(known) = open.known() {
        let none_yet = [NONE_YET, b"\n"].concat();
        return (known.content != sha256(&none_yet)).then_some(known.content);
    }
    let text = open.beginning(size, usize::try_from(size).ok()?).ok()?;
    (text.trim_ascii() != NONE_YET).then(|| sha256(&text))
}
