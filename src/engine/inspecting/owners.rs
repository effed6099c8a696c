//! Whose the files of a guest are now, by its own package databases.
//!
//! That a file has no owner is believed only where every database that listed files when the guest was planned answers
//! now, and answers whole: what could not be read is no evidence.

use std::collections::BTreeSet;

use crate::model::{Database, DatabaseState, PlannedGuest};
use crate::packages::{Owners, Package, ask_owners, lists_files};
use crate::sys::guest::GuestFiles;

/// Managers whose databases listed files of the guest when it was planned.
pub(super) fn managers(planned: &PlannedGuest) -> impl Iterator<Item = &str> {
    let listed = |database: &&Database| {
        let lists = database.packages > 0 && lists_files(&database.manager);
        lists && !is_damaged(database)
    };
    let listed = planned.databases.iter().filter(listed);
    listed.map(|database| database.manager.as_str())
}

/// Whose the files are, asked of the databases of these managers and of all others; an error is why it cannot be told.
/// `is_directory` may know paths that lead to directories without any link on the way.
pub(super) fn ask(
    files: &dyn GuestFiles,
    managers: &BTreeSet<String>,
    is_directory: &dyn Fn(&[u8]) -> bool,
) -> Result<Owners, String> {
    let (databases, owners) = ask_owners(files, is_directory);
    if let Some(Database {
        manager, problem, ..
    }) = databases.iter().find(is_damaged)
    {
        let why = problem.as_deref().unwrap_or("it cannot be read");
        return Err(format!("its {manager} database is damaged: {why}"));
    }
    let gone = |manager: &&String| !databases.iter().any(|now| now.manager == **manager);
    if let Some(manager) = managers.iter().find(gone) {
        return Err(format!("its {manager} database is gone"));
    }
    if !owners.are_whole() {
        return Err("its package databases do not list the files of all packages".into());
    }
    Ok(owners)
}

fn is_damaged(database: &&Database) -> bool {
    database.state == DatabaseState::Damaged
}

/// Does a package that is there have the file?
pub(super) fn owned(owners: &Owners, path: &[u8]) -> bool {
    owners.of(path).is_some_and(Package::owns)
}
