//! What is put on a shelf is found again, wherever it lies.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use super::*;

/// The same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

/// Of each key, its values since it was removed, and when it was given the last.
type Model = HashMap<Vec<u8>, (usize, Vec<Vec<u8>>)>;

fn furnished(shelf: &mut Shelf, steps: usize) -> Model {
    let mut numbers = Numbers(7);
    let mut model = Model::new();
    for step in 0..steps {
        let key = vec![b'k'; numbers.below(40) as usize];
        if numbers.below(8) == 0 {
            shelf.remove(&key).unwrap();
            model.remove(&key);
            continue;
        }
        let length = [0, 1, 90, 300, 70_000][numbers.below(5) as usize];
        let value = vec![step as u8; length];
        shelf.put(&key, &value).unwrap();
        let (last, values) = model.entry(key).or_default();
        *last = step;
        values.push(value);
    }
    model
}

fn assert_same(shelf: &Shelf, model: &Model) {
    for length in 0..45 {
        let key = vec![b'k'; length];
        let values = model.get(&key).map(|(_, values)| &values[..]);
        let values = values.unwrap_or_default();
        assert_eq!(shelf.get(&key).unwrap().as_ref(), values.last());
        let all: Vec<Vec<u8>> = shelf.all(&key).map(Result::unwrap).collect();
        assert!(all.iter().eq(values.iter().rev()), "key of {length}");
    }
    let mut due: Vec<_> = model.iter().collect();
    due.sort_by_key(|(_, (last, _))| *last);
    let due = due
        .into_iter()
        .map(|(key, (_, values))| (key.clone(), values.last().unwrap().clone()));
    assert!(shelf.entries(b"").map(Result::unwrap).eq(due));
}

#[test]
fn it_says_what_was_put_in_wherever_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    for (dir, most_held) in [
        (dir.path(), 0),
        (dir.path(), 500_000),
        (dir.path(), usize::MAX),
        (&nowhere, 0),
    ] {
        let mut shelf = Shelf::holding(dir, most_held);
        let model = furnished(&mut shelf, 3_000);
        assert_eq!(
            shelf.file.is_some(),
            dir != nowhere && most_held < usize::MAX
        );
        assert!(shelf.held.len() <= most_held || shelf.file.is_none());
        assert_same(&shelf, &model);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn an_empty_one_has_nothing() {
    let shelf = Shelf::new(Path::new("/nowhere"));
    assert_same(&shelf, &Model::new());
}

/// Whatever stands in the file at that point, the answer is an error or another value; no list is endless, and no
/// room is made for gigabytes.
#[test]
fn a_damaged_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for damage in [0x00, 0x7f, 0xff] {
        let mut shelf = Shelf::holding(dir.path(), 0);
        let model = furnished(&mut shelf, 300);
        let file = shelf.file.as_ref().unwrap();
        file.write_all_at(&vec![damage; shelf.shelved as usize], 0)
            .unwrap();
        let errors = model.keys().filter(|key| shelf.get(key).is_err());
        assert!(errors.count() > 0 || damage == 0, "{damage:x}");
        assert!(shelf.entries(b"").count() < 10_000_000);
        file.set_len(0).unwrap();
        assert!(model.keys().all(|key| shelf.get(key).is_err()));
        assert!(shelf.entries(b"").all(|entry| entry.is_err()));
    }
}
