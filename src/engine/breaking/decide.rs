//! Which names get which copy. No disk is asked here.

use crate::model::{GuestPath, Time};

/// All names of a file are moved while its writer waits, and others wait behind it: that is paid for by its guest's
/// share. One that has more names gets no copy.
pub(super) const MOST_NAMES: usize = 10_000;

/// A file of the guest that refers to the object: its names that do, and its own time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileOnObject {
    pub names: Vec<GuestPath>,
    pub mtime: Option<Time>,
}

/// The files that get a copy each. `files` are those that the base remembers, also those that have lost all names;
/// `further` are names that it does not: the guest has made them by itself, or moved one there. `written` is the name
/// that is written to, if that is known.
///
/// A guest may have two files on one object that were two before, and what is written to one is not for the other. A
/// further name belongs to the one file that there is; where there are several, nobody can tell to which, and it stays
/// on the object unless it is the one that is written to. A file without names may be behind a further name, so it
/// counts: better are two names of one file two files, than two files one.
pub(super) fn files_to_part(
    mut files: Vec<FileOnObject>,
    further: Vec<GuestPath>,
    written: Option<&GuestPath>,
) -> Vec<FileOnObject> {
    let own = |names| FileOnObject { names, mtime: None };
    if files.len() <= 1 {
        let mut one = files.pop().unwrap_or_else(|| own(Vec::new()));
        one.names.extend(further);
        files = vec![one];
    } else if let Some(name) = written.filter(|name| further.contains(name)) {
        return vec![own(vec![name.clone()])];
    }
    let is_written = |file: &FileOnObject| written.is_some_and(|name| file.names.contains(name));
    if files.iter().any(is_written) {
        files.retain(is_written);
    }
    files.retain(|file| !file.names.is_empty());
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> GuestPath {
        GuestPath::new(text.as_bytes()).expect("a path")
    }

    fn file(names: &[&str]) -> FileOnObject {
        let names = names.iter().map(|name| path(name)).collect();
        FileOnObject { names, mtime: None }
    }

    #[test]
    fn what_is_written_to_one_file_is_not_for_another() {
        let both = || vec![file(&["/a", "/b"]), file(&["/c"])];
        let parted = |further: &[&str], written: Option<&str>| {
            let further = further.iter().map(|name| path(name)).collect();
            files_to_part(both(), further, written.map(path).as_ref())
        };
        assert_eq!(parted(&[], Some("/b")), [file(&["/a", "/b"])]);
        assert_eq!(parted(&[], Some("/c")), [file(&["/c"])]);
        // Nobody can tell which: each gets its own.
        assert_eq!(parted(&[], None), both());
        assert_eq!(parted(&["/new"], None), both());
        assert_eq!(parted(&["/new"], Some("/new")), [file(&["/new"])]);
        assert_eq!(parted(&["/new"], Some("/c")), [file(&["/c"])]);
    }

    #[test]
    fn a_file_that_has_lost_its_names_may_be_behind_a_further_one() {
        let files = || vec![file(&["/a"]), file(&[])];
        let parted = |written| files_to_part(files(), vec![path("/new")], Some(&path(written)));
        assert_eq!(parted("/new"), [file(&["/new"])]);
        assert_eq!(parted("/a"), [file(&["/a"])]);
        let gone = files_to_part(
            vec![file(&[]), file(&[])],
            vec![path("/n"), path("/m")],
            Some(&path("/m")),
        );
        assert_eq!(gone, [file(&["/m"])]);
    }

    #[test]
    fn a_further_name_belongs_to_the_one_file() {
        let further = || vec![path("/new")];
        for written in ["/a", "/new", "/elsewhere"] {
            let parted = files_to_part(vec![file(&["/a"])], further(), Some(&path(written)));
            assert_eq!(parted, [file(&["/a", "/new"])]);
        }
        assert_eq!(files_to_part(vec![], further(), None), [file(&["/new"])]);
        assert_eq!(
            files_to_part(vec![file(&[])], further(), None),
            [file(&["/new"])]
        );
        assert_eq!(files_to_part(vec![], vec![], None), []);
    }
}
