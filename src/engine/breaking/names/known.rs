//! Names of an object: those that refer to it, and those that did.

use std::collections::{HashMap, HashSet};

use crate::engine::breaking::decide::FileOnObject;
use crate::model::{GuestPath, Time};
use crate::sys::guard::InodeMark;

/// A name that refers to the object, the number of its guest, and the directory in which it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameSeen {
    pub guest: usize,
    pub name: GuestPath,
    pub directory: Option<InodeMark>,
}

impl NameSeen {
    /// Is it one name, seen before and after its directory was moved?
    fn is_same(&self, other: &NameSeen) -> bool {
        let is_entry = self.directory.is_some()
            && self.directory == other.directory
            && self.name.file_name() == other.name.file_name();
        self.guest == other.guest && (self.name == other.name || is_entry)
    }
}

/// A name of the record that refers to the object no more, the number of its guest, and which file's it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameLost {
    pub guest: usize,
    pub name: GuestPath,
    file: usize,
}

/// A file of the record: its guest's number, and its own time.
pub(super) type FileOfRecord = (usize, Option<Time>);

/// What is known of an object's names. One root is one guest here, however many names it has in the record.
///
/// Which of them are one file the record tells, and of those that have moved since, where they were. A name of no
/// record may be any file's of its guest.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    /// Files of the record, with those of their names that refer. A file may have none left.
    files: Vec<(usize, FileOnObject)>,
    lost: Vec<NameLost>,
    /// Names of no record.
    further: Vec<NameSeen>,
    /// The files of all names of the record.
    recorded: HashMap<(usize, GuestPath), usize>,
    /// All that refer: by their paths, and by the directories that they are in, which may have moved since.
    paths: HashSet<(usize, GuestPath)>,
    entries: HashSet<(usize, InodeMark, Vec<u8>)>,
}

impl KnownNames {
    /// Names that refer, and names that do not. What the record says of the same root under two guests' names is one
    /// file where it has a name in common.
    pub fn add_file(
        &mut self,
        (guest, mtime): FileOfRecord,
        names: Vec<NameSeen>,
        lost: Vec<GuestPath>,
    ) {
        let all = names.iter().map(|seen| &seen.name).chain(&lost);
        let mut keys = all.map(|name| (guest, name.clone()));
        let known = keys.find_map(|key| self.recorded.get(&key).copied());
        let file = known.unwrap_or_else(|| {
            let names = Vec::new();
            self.files.push((guest, FileOnObject { names, mtime }));
            self.files.len() - 1
        });
        for name in lost {
            let is_new = !self.recorded.contains_key(&(guest, name.clone()));
            self.recorded.insert((guest, name.clone()), file);
            if is_new {
                self.lost.push(NameLost { guest, name, file });
            }
        }
        for seen in names {
            self.recorded.insert((guest, seen.name.clone()), file);
            self.give(file, seen);
        }
    }

    /// A name of no record, unless it is known.
    pub fn add(&mut self, seen: NameSeen) {
        if self.learn(&seen) {
            self.further.push(seen);
        }
    }

    /// Where names that were lost are now. One that may be of two files is of no record.
    pub fn add_moved(&mut self, moved: Vec<(NameLost, NameSeen)>) {
        let mut whose: HashMap<(usize, GuestPath), Option<usize>> = HashMap::new();
        for (lost, seen) in &moved {
            let file = whose.entry((seen.guest, seen.name.clone()));
            let file = file.or_insert(Some(lost.file));
            *file = file.filter(|file| *file == lost.file);
        }
        for (_, seen) in moved {
            match whose.get(&(seen.guest, seen.name.clone())) {
                Some(Some(file)) => self.give(*file, seen),
                _ => self.add(seen),
            }
        }
    }

    /// A name of this file. One that is of a file already stays there.
    fn give(&mut self, file: usize, seen: NameSeen) {
        let is_its = self.learn(&seen) || self.take_further(&seen);
        if let Some((_, file)) = self.files.get_mut(file).filter(|_| is_its) {
            file.names.push(seen.name);
        }
    }

    fn take_further(&mut self, seen: &NameSeen) -> bool {
        let at = self.further.iter().position(|one| one.is_same(seen));
        at.map(|at| self.further.remove(at)).is_some()
    }

    /// Was it not known?
    fn learn(&mut self, seen: &NameSeen) -> bool {
        let entry = |directory| (seen.guest, directory, seen.name.file_name().to_vec());
        let entry = seen.directory.map(entry);
        let is_known = self.paths.contains(&(seen.guest, seen.name.clone()))
            || entry
                .as_ref()
                .is_some_and(|entry| self.entries.contains(entry));
        if !is_known {
            self.paths.insert((seen.guest, seen.name.clone()));
            self.entries.extend(entry);
        }
        !is_known
    }
}

impl KnownNames {
    /// All that refer.
    pub fn all(&self) -> impl Iterator<Item = (usize, &GuestPath)> {
        let of_files = self.files.iter();
        let of_files =
            of_files.flat_map(|(guest, file)| file.names.iter().map(|name| (*guest, name)));
        of_files.chain(self.further.iter().map(|seen| (seen.guest, &seen.name)))
    }

    /// How many these are.
    pub fn count(&self) -> usize {
        self.paths.len()
    }

    /// Names that refer no more.
    pub fn lost(&self) -> &[NameLost] {
        &self.lost
    }

    /// The guests of the record.
    pub fn holders(&self) -> impl Iterator<Item = usize> {
        self.files.iter().map(|(guest, _)| *guest)
    }

    /// The files of a guest, those that have lost all names among them, and its further names.
    pub fn of(&self, guest: usize) -> (Vec<FileOnObject>, Vec<GuestPath>) {
        let files = self.files.iter().filter(|(at, _)| *at == guest);
        let further = self.further.iter().filter(|seen| seen.guest == guest);
        (
            files.map(|(_, file)| file.clone()).collect(),
            further.map(|seen| seen.name.clone()).collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileId;

    fn paths(names: &[&str]) -> Vec<GuestPath> {
        let path = |name: &&str| GuestPath::new(name.as_bytes()).expect("a path");
        names.iter().map(path).collect()
    }

    fn seen(guest: usize, names: &[&str]) -> Vec<NameSeen> {
        let seen = |name| NameSeen {
            guest,
            name,
            directory: None,
        };
        paths(names).into_iter().map(seen).collect()
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
        known.add_file((1, None), seen(1, &["/a", "/b"]), paths(&["/lost"]));
        known.add_file((1, None), seen(1, &["/b", "/c"]), paths(&["/lost"]));
        known.add_file((2, None), seen(2, &["/a"]), Vec::new());
        // All of its names may have gone.
        known.add_file((1, None), Vec::new(), paths(&["/lost"]));
        assert_eq!((known.all().count(), known.count()), (4, 4));
        assert_eq!(known.lost().len(), 1);
        let (files, further) = known.of(1);
        assert_eq!(
            (files, further),
            (vec![file(&["/a", "/b", "/c"])], Vec::new())
        );
        for name in seen(1, &["/a", "/new", "/new"]) {
            known.add(name);
        }
        assert_eq!((known.all().count(), known.count()), (5, 5));
        assert_eq!(known.of(1).1, paths(&["/new"]));
    }

    #[test]
    fn a_file_without_names_is_one_still() {
        let mut known = KnownNames::default();
        known.add_file((1, None), Vec::new(), paths(&["/a"]));
        known.add_file((1, None), seen(1, &["/b"]), Vec::new());
        assert_eq!(known.of(1).0, [file(&[]), file(&["/b"])]);
    }

    #[test]
    fn a_moved_name_is_its_file_s_and_one_that_may_be_of_two_is_of_none() {
        let mut known = KnownNames::default();
        known.add_file((1, None), seen(1, &["/a"]), paths(&["/x/f"]));
        known.add_file((1, None), Vec::new(), paths(&["/y/f", "/y/g"]));
        let lost = known.lost().to_vec();
        let of = |at: usize, name| (lost[at].clone(), seen(1, &[name]).remove(0));
        // It was found before it was known to be one that has moved.
        known.add(seen(1, &["/z/g"]).remove(0));
        known.add_moved(vec![
            of(0, "/z/f"),
            of(1, "/z/f"),
            of(2, "/z/g"),
            of(0, "/a"),
        ]);
        let (files, further) = known.of(1);
        assert_eq!(files, [file(&["/a"]), file(&["/z/g"])]);
        assert_eq!(further, paths(&["/z/f"]));
        assert_eq!(known.count(), 3);
    }

    #[test]
    fn a_name_is_one_before_and_after_its_directory_was_moved() {
        let mark = |ino| InodeMark {
            inode: FileId { dev: 1, ino },
            generation: 1,
        };
        let at = |name, ino| NameSeen {
            directory: Some(mark(ino)),
            ..seen(1, &[name]).remove(0)
        };
        let mut known = KnownNames::default();
        known.add_file((1, None), vec![at("/a/f", 7)], Vec::new());
        for one in [at("/b/f", 7), at("/b/g", 7), at("/c/f", 8)] {
            known.add(one);
        }
        assert_eq!(known.of(1).1, paths(&["/b/g", "/c/f"]));
    }
}
