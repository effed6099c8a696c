//! Databases of many files that change while they are read.

use std::cell::Cell;

use super::*;
use crate::packages::read::steady::steady;

/// A database of the files of one directory, where `write` is at work during each of the readings.
fn read(root: &Root, write: impl Fn(usize)) -> Result<Vec<Vec<u8>>, Problem> {
    let guest = guest_at(&root.path);
    let list = |source: &Source<'_>| {
        let names = source.names(b"db", limits::ENTRIES)?;
        let path = |name: &Vec<u8>| [b"db/", name.as_slice()].concat();
        Ok(names.iter().map(path).collect())
    };
    let readings = Cell::new(0);
    let take = |source: &Source<'_>, files: &[Vec<u8>]| {
        let taken: Result<Option<Vec<_>>, _> = files.iter().map(|file| source.text(file)).collect();
        readings.set(readings.get() + 1);
        write(readings.get());
        taken
    };
    steady(&Source::new(&guest, soon()), b"db", list, take)
}

fn is_changing(answer: Result<Vec<Vec<u8>>, Problem>) -> bool {
    matches!(answer, Err(Problem::Changing { directory }) if directory == "db")
}

/// Replaces a file as package managers do. The old one is kept, or its inode number would come back at once.
fn replace(root: &Root, file: &str, content: &str) {
    let kept = root.path.join(format!("kept-{content}"));
    fs::hard_link(root.path.join(file), kept).unwrap();
    let new = root.put("new", content);
    fs::rename(new, root.path.join(file)).unwrap();
}

#[test]
fn a_file_that_is_replaced_is_read_again() {
    let root = Root::empty();
    root.put("db/a", "old");
    let once = |reading| {
        if reading == 1 {
            replace(&root, "db/a", "new");
        }
    };
    assert_eq!(read(&root, once).unwrap(), [b"new"]);
    let always = |reading| replace(&root, "db/a", &format!("{reading}"));
    assert!(is_changing(read(&root, always)));
}

#[test]
fn a_file_that_comes_or_goes_is_noticed() {
    let root = Root::empty();
    root.put("db/a", "a");
    let comes = |reading| {
        if reading < 3 {
            root.put(&format!("db/{reading}"), "new");
        }
    };
    assert_eq!(read(&root, comes).unwrap().len(), 3);
    let always = |reading| drop(root.put(&format!("db/again-{reading}"), "new"));
    assert!(is_changing(read(&root, always)));
    let goes = |reading| {
        if reading == 1 {
            fs::remove_file(root.path.join("db/a")).unwrap();
        }
    };
    assert_eq!(read(&root, goes).unwrap().len(), 5);
}

#[test]
fn what_has_vanished_is_not_an_answer() {
    let root = Root::empty();
    let guest = guest_at(&root.path);
    let list = |_: &Source<'_>| Ok(vec![b"db/a".to_vec()]);
    let take = |source: &Source<'_>, files: &[Vec<u8>]| source.text(&files[0]);
    let answer = steady(&Source::new(&guest, soon()), b"db", list, take);
    assert!(matches!(answer, Err(Problem::Changing { .. })));
}
