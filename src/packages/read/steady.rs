//! Databases of many files, none of which changes when another does: read until the whole did not change
//! meanwhile.
//!
//! Such a database is one version if the same names led to the same inodes before and after. Its managers replace
//! files by rename; each single file is of one moment anyway, see
//! [`GuestFiles::read`](crate::sys::guest::GuestFiles::read).

use super::fault::Problem;
use super::limits;
use super::source::Source;
use crate::model::FileId;
use crate::sys::guest::shown;

/// What `take` makes of the files that `list` names, from one version of the database.
///
/// `take` answers `None` if a file that was listed has vanished. `directory` is for the message only.
pub fn steady<T>(
    source: &Source<'_>,
    directory: &[u8],
    list: impl Fn(&Source<'_>) -> Result<Vec<Vec<u8>>, Problem>,
    take: impl Fn(&Source<'_>, &[Vec<u8>]) -> Result<Option<T>, Problem>,
) -> Result<T, Problem> {
    for _ in 0..limits::TRIES {
        let files = list(source)?;
        let before = ids(source, &files)?;
        let taken = take(&source.again(), &files)?;
        let stood_still = list(source)? == files && ids(source, &files)? == before;
        if let (Some(taken), true) = (taken, stood_still) {
            return Ok(taken);
        }
    }
    Err(Problem::Changing {
        directory: shown(directory),
    })
}

fn ids(source: &Source<'_>, files: &[Vec<u8>]) -> Result<Vec<Option<FileId>>, Problem> {
    let id = |file: &Vec<u8>| {
        source.in_time()?;
        source.id(file)
    };
    files.iter().map(id).collect()
}

/// The path of an entry of a directory.
pub fn below(directory: &[u8], name: &[u8]) -> Vec<u8> {
    [directory, b"/", name].concat()
}
