//! Which files are not what their packages brought? The digests stand in the databases, so no network is asked, and
//! nothing of the guest is run.
//!
//! | manager | where | kind |
//! | --- | --- | --- |
//! | dpkg | `info/PACKAGE.md5sums`, `status.d/PACKAGE.md5sums` | MD5; the length tells others |
//! | rpm | the header of each package | MD5, or what the header says |
//! | apk | `Z:` lines of the database | SHA-1, SHA-256 since apk 3 |
//! | pacman | `mtree` of each package, packed | SHA-256, else MD5 |
//!
//! The lists lie in the guest, beside the files: they show accidents and carelessness, and stop no attacker.

mod apk;
mod dpkg;
mod pacman;
pub(super) mod record;
mod rpm;

use std::time::Instant;

use super::answer::owners::Places;
use super::read::fault::Problem;
use super::read::limits;
use super::read::source::Source;
use crate::model::PackageDigest;
use crate::sys::guest::GuestFiles;
use record::{FileDigests, RecordedFile};

/// All that know digests.
const ALL: &[&dyn FileDigests] = &[
    &dpkg::DpkgSums,
    &rpm::RpmDigests,
    &apk::ApkDigests,
    &pacman::PacmanTrees,
];

/// Takes a path without links in it, and its digest, where there is one of a known kind.
pub type EachDigest<'e> = &'e mut dyn FnMut(&[u8], Option<PackageDigest>);

/// Hands out what all databases of a guest say of their files, within one time. Returns why, if one could not be
/// read to its end.
pub fn ask_digests(
    guest: &dyn GuestFiles,
    is_directory: &dyn Fn(&[u8]) -> bool,
    each: EachDigest<'_>,
) -> Result<(), String> {
    let until = Instant::now() + limits::TIME;
    let read = |backend: &dyn FileDigests, each: EachDigest<'_>| {
        let source = Source::new(guest, until);
        let mut places = Places::new(&source, is_directory);
        let mut take = |file: RecordedFile| {
            if let Some(path) = places.settle(&file.path) {
                each(&path, file.digest);
            }
        };
        backend.files(&source, &mut take)
    };
    for backend in ALL {
        let done: Result<(), Problem> = read(*backend, each);
        done.map_err(|problem| problem.to_string())?;
    }
    Ok(())
}
