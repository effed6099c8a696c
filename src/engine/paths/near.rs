//! Names of a guest that were probably meant by one that is not there.

use crate::model::{GuestPath, nearest_of};
use crate::sys::guest::GuestFiles;

/// Entries of one directory that are looked through for a name.
const MOST_LISTED: usize = 100_000;

/// Near names that are told.
const MOST_NEAR: usize = 3;

/// What is there by the name that a glob spells out; `None` where it has wildcards.
pub fn there(files: &dyn GuestFiles, glob: &str) -> Option<GuestPath> {
    let plain = glob.trim_end_matches('/');
    let path = GuestPath::new(plain.as_bytes()).ok()?;
    let found = files.resolve(path.as_bytes()).ok().flatten();
    let found = found.filter(|_| !glob.contains(WILD));
    found.map(|found| found.path)
}

/// Names that were probably meant by what a glob spells out: all of it, or what comes before its first wildcard.
pub fn near_of(files: &dyn GuestFiles, glob: &str) -> Vec<GuestPath> {
    let wild = glob.find(WILD);
    let plain = glob.get(..wild.unwrap_or(glob.len())).unwrap_or(glob);
    let whole = match wild {
        None => plain.trim_end_matches('/'),
        Some(_) => plain.rsplit_once('/').map_or("", |(above, _)| above),
    };
    let path = GuestPath::new(whole.as_bytes());
    path.map_or_else(|_| Vec::new(), |path| near(files, &path))
}

/// What begins a wildcard.
const WILD: [char; 4] = ['*', '?', '[', '\\'];

/// Names of the guest that were probably meant by a path that leads nowhere; none where it leads somewhere.
pub fn near(files: &dyn GuestFiles, path: &GuestPath) -> Vec<GuestPath> {
    let mut there = GuestPath::root();
    let parts: Vec<&[u8]> = path.relative().split(|&byte| byte == b'/').collect();
    for (at, part) in parts.iter().enumerate() {
        let Ok(next) = there.join(part) else { break };
        if matches!(files.resolve(next.as_bytes()), Ok(Some(_))) {
            there = next;
            continue;
        }
        let rest = parts.get(at + 1..).unwrap_or_default();
        return near_in(files, &there, part, rest);
    }
    Vec::new()
}

/// Names in a directory that are near `part`, each with what comes behind it as far as that is there.
fn near_in(
    files: &dyn GuestFiles,
    directory: &GuestPath,
    part: &[u8],
    rest: &[&[u8]],
) -> Vec<GuestPath> {
    let listed = files.list(directory.as_bytes(), MOST_LISTED);
    let names = listed.ok().flatten().unwrap_or_default();
    // What is there by this very name leads nowhere.
    let others = names.iter().filter(|name| *name != part);
    let texts: Vec<&str> = others
        .filter_map(|name| str::from_utf8(name).ok())
        .collect();
    let word = String::from_utf8_lossy(part);
    let near = nearest_of(&word, texts, MOST_NEAR).into_iter();
    let near = near.filter_map(|name| directory.join(name.as_bytes()).ok());
    let whole = near.map(|path| {
        let full = [&[path.as_bytes()][..], rest].concat().join(&b'/');
        let there = files.resolve(&full).ok().flatten();
        there
            .and_then(|_| GuestPath::new(&full).ok())
            .unwrap_or(path)
    });
    whole.collect()
}
