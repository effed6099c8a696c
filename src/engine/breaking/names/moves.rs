//! Directories that guests have moved, as far as writes have shown it. A hint: where it leads, the disk is asked.

use std::collections::{HashMap, VecDeque};

use crate::model::GuestPath;

/// So many moves of a guest are kept, the latest first.
const MOST: usize = 32;

/// By the guest's number: where a directory was, and where it is.
#[derive(Debug, Default)]
pub(in crate::engine::breaking) struct Moves(HashMap<usize, VecDeque<(GuestPath, GuestPath)>>);

impl Moves {
    /// A name was at `old` and is at `new`. It teaches something where the name itself is the same: then a directory
    /// above it was moved.
    pub fn learn(&mut self, guest: usize, old: &GuestPath, new: &GuestPath) {
        let Some(moved) = directory_moved(old, new) else {
            return;
        };
        let known = self.0.entry(guest).or_default();
        if !known.contains(&moved) {
            known.push_front(moved);
            known.truncate(MOST);
        }
    }

    /// Where this name may be now.
    pub fn places<'m>(
        &'m self,
        guest: usize,
        old: &'m GuestPath,
    ) -> impl Iterator<Item = GuestPath> + 'm {
        let moves = self.0.get(&guest).into_iter().flatten();
        moves.filter_map(|(from, to)| moved_with(old, from, to))
    }
}

/// The directory whose move explains that of the name.
fn directory_moved(old: &GuestPath, new: &GuestPath) -> Option<(GuestPath, GuestPath)> {
    let (mut from, mut to) = (old.clone(), new.clone());
    while from.file_name() == to.file_name() && !from.is_root() && !to.is_root() {
        (from, to) = (from.parent(), to.parent());
    }
    let is_lesson = from != *old && !from.is_root() && from != to;
    is_lesson.then_some((from, to))
}

fn moved_with(name: &GuestPath, from: &GuestPath, to: &GuestPath) -> Option<GuestPath> {
    let rest = name.is_within(from).then(|| name.as_bytes())?;
    let rest = rest.get(from.as_bytes().len()..)?;
    let to = if to.is_root() { b"" } else { to.as_bytes() };
    GuestPath::new(&[to, rest].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> GuestPath {
        GuestPath::new(text.as_bytes()).expect("a path")
    }

    #[test]
    fn a_name_moves_with_its_directory() {
        let mut moves = Moves::default();
        moves.learn(1, &path("/usr/lib/x/f"), &path("/usr/moved/x/f"));
        let places = |guest, old: &str| {
            let old = path(old);
            moves.places(guest, &old).collect::<Vec<_>>()
        };
        assert_eq!(places(1, "/usr/lib/x/g"), [path("/usr/moved/x/g")]);
        assert_eq!(places(1, "/usr/lib/y"), [path("/usr/moved/y")]);
        assert_eq!(places(1, "/usr/lib2/y"), []);
        assert_eq!(places(2, "/usr/lib/x/g"), []);
    }

    #[test]
    fn a_file_that_was_renamed_teaches_nothing() {
        assert_eq!(directory_moved(&path("/a/f"), &path("/b/g")), None);
        assert_eq!(directory_moved(&path("/f"), &path("/b/f")), None);
        assert_eq!(directory_moved(&path("/a/f"), &path("/a/f")), None);
        let up = directory_moved(&path("/a/f"), &path("/f"));
        assert_eq!(up, Some((path("/a"), path("/"))));
        assert_eq!(
            moved_with(&path("/a/g"), &path("/a"), &path("/")),
            Some(path("/g"))
        );
    }

    #[test]
    fn few_moves_are_kept() {
        let mut moves = Moves::default();
        for at in 0..MOST + 9 {
            moves.learn(0, &path(&format!("/a{at}/f")), &path(&format!("/b{at}/f")));
        }
        assert_eq!(moves.0[&0].len(), MOST);
        assert_eq!(moves.places(0, &path("/a0/g")).next(), None);
        let last = path(&format!("/a{}/g", MOST + 8));
        assert!(moves.places(0, &last).next().is_some());
    }
}
