//! Names of an object: those that refer to it, and those that did.

use crate::engine::breaking::decide::FileOnObject;
use crate::model::GuestPath;

/// A name, and the number of its guest.
pub(super) type NameInGuest = (usize, GuestPath);

/// What is known of an object's names. One root is one guest here, however many names it has in the record.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    /// Files of the record, with those of their names that refer. A file may have none left.
    pub files: Vec<(usize, FileOnObject)>,
    /// Names of the record that refer to it no more.
    pub lost: Vec<NameInGuest>,
    /// Names of no record.
    further: Vec<NameInGuest>,
}

impl KnownNames {
    /// A file of the record: names that refer, and names that do not. What the record says of the same root under two
    /// guests' names is one file where it has a name in common.
    pub fn add_file(&mut self, guest: usize, file: FileOnObject, lost: Vec<GuestPath>) {
        let shares = |(at, other): &&mut (usize, FileOnObject)| {
            *at == guest && file.names.iter().any(|name| other.names.contains(name))
        };
        match self.files.iter_mut().find(shares) {
            None => self.files.push((guest, file)),
            Some((_, same)) => {
                let more = file.names.into_iter();
                let more: Vec<_> = more.filter(|name| !same.names.contains(name)).collect();
                same.names.extend(more);
            }
        }
        for name in lost {
            if !self.lost.contains(&(guest, name.clone())) {
                self.lost.push((guest, name));
            }
        }
    }

    /// A name of no record, unless it is known.
    pub fn add(&mut self, guest: usize, name: GuestPath) {
        if !self.has(guest, &name) {
            self.further.push((guest, name));
        }
    }

    pub fn has(&self, guest: usize, name: &GuestPath) -> bool {
        self.all().any(|(at, known)| at == guest && known == name)
    }

    /// All that refer.
    pub fn all(&self) -> impl Iterator<Item = (usize, &GuestPath)> {
        let of_files = self.files.iter();
        let of_files =
            of_files.flat_map(|(guest, file)| file.names.iter().map(|name| (*guest, name)));
        of_files.chain(self.further.iter().map(|(guest, name)| (*guest, name)))
    }

    /// The guests of the record.
    pub fn holders(&self) -> impl Iterator<Item = usize> {
        self.files.iter().map(|(guest, _)| *guest)
    }

    /// The files of a guest that are to be told apart, and its further names.
    pub fn of(&self, guest: usize) -> (Vec<FileOnObject>, Vec<GuestPath>) {
        let its = self.files.iter().filter(|(at, _)| *at == guest);
        let mut files: Vec<FileOnObject> = its.map(|(_, file)| file.clone()).collect();
        // A file that has lost all names is gone, or is the only one and was moved.
        if files.len() > 1 {
            files.retain(|file| !file.names.is_empty());
        }
        let further = self.further.iter().filter(|(at, _)| *at == guest);
        (files, further.map(|(_, name)| name.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<GuestPath> {
        let path = |name: &&str| GuestPath::new(name.as_bytes()).expect("a path");
        names.iter().map(path).collect()
    }

    fn file(names: &[&str]) -> FileOnObject {
        FileOnObject {
            names: paths(names),
            mtime: None,
        }
    }

    #[test]
    fn one_root_under_two_names_is_counted_once() {
        let mut known = KnownNames::default();
        known.add_file(1, file(&["/a", "/b"]), paths(&["/lost"]));
        known.add_file(1, file(&["/b", "/c"]), paths(&["/lost"]));
        known.add_file(2, file(&["/a"]), Vec::new());
        assert_eq!(known.all().count(), 4);
        assert_eq!(known.lost.len(), 1);
        let (files, further) = known.of(1);
        assert_eq!(
            (files, further),
            (vec![file(&["/a", "/b", "/c"])], Vec::new())
        );
        for name in paths(&["/a", "/new", "/new"]) {
            known.add(1, name);
        }
        assert_eq!(known.all().count(), 5);
        assert_eq!(known.of(1).1, paths(&["/new"]));
    }

    #[test]
    fn a_file_without_names_is_the_one_that_was_moved_if_it_is_the_only_one() {
        let mut known = KnownNames::default();
        known.add_file(1, file(&[]), paths(&["/a"]));
        assert_eq!(known.of(1).0, [file(&[])]);
        known.add_file(1, file(&["/b"]), Vec::new());
        assert_eq!(known.of(1).0, [file(&["/b"])]);
    }
}
