//! What is odd about the roots of a plan, for its report: where each is, how it is known, and what was found in it.

use std::path::Path;

use super::known_before::{KnownBefore, LastPlanned};
use super::likely::{AtTheDoor, judge};
use crate::base::Base;
use crate::engine::Guest;
use crate::model::{Escaped, RootNote};
use crate::rules::root::{Entry, RootLooks, looks, store_of};
use crate::sys::Dir;
use crate::sys::guest::GuestFiles;
use crate::sys::host::machine;

/// Names at the top of an image that are looked at.
const MOST_NAMES: usize = 1 << 16;

/// What is known of a guest before it is read.
#[derive(Debug, Default)]
pub struct Background {
    notes: Vec<RootNote>,
    last: Option<LastPlanned>,
    has_etc: bool,
}

/// What was found in a guest.
#[derive(Debug, Clone, Copy)]
pub struct FoundInside {
    /// Regular files.
    pub files: u64,
    /// Those of them that are objects of the base; not counted where there is a package database.
    pub shared: u64,
    /// Is there a package database?
    pub has_database: bool,
    /// Was it asked for?
    pub asked: bool,
}

/// Looks at the place of each guest, and at what the base remembers.
pub fn backgrounds(guests: &[Guest], base: Option<&Base>) -> Vec<Background> {
    let before = KnownBefore::read(base);
    let background = |guest: &Guest| {
        let mut notes = of_place(guest);
        notes.extend(before.names(guest));
        Background {
            notes,
            last: before.last(guest),
            has_etc: guest.root.look(b"etc").is_ok(),
        }
    };
    guests.iter().map(background).collect()
}

impl Background {
    /// Of an image that was read: nothing is remembered of it, and its top is all that is looked at.
    pub fn of_image(files: &dyn GuestFiles) -> Background {
        let names = files.list(b"/", MOST_NAMES).ok().flatten();
        let kind = |name: Vec<u8>| {
            let state = files.look(&name).ok().flatten()?;
            Some((name, state.kind))
        };
        let entries: Vec<Entry> = names.into_iter().flatten().filter_map(kind).collect();
        let is_root = looks(&entries) != RootLooks::NotAtAll;
        let likely = Vec::new();
        Background {
            notes: Vec::from_iter((!is_root).then_some(RootNote::NotARoot { likely })),
            ..Background::default()
        }
    }

    /// All that is odd, once the guest was read.
    pub fn with(&self, found: FoundInside) -> Vec<RootNote> {
        let mut notes = self.notes.clone();
        let is_none = notes
            .iter()
            .any(|note| matches!(note, RootNote::NotARoot { .. }));
        if found.files == 0 {
            notes
                .retain(|note| !matches!(note, RootNote::NotARoot { likely } if likely.is_empty()));
            notes.push(RootNote::NoFiles {});
        } else if let Some(left) = self.half_deleted(found) {
            notes.push(left);
        } else if found.asked && !found.has_database && !is_none {
            let last = self.last.as_ref();
            let had = last.map_or_else(Vec::new, |last| last.databases.clone());
            notes.push(RootNote::NoPackageDatabase { had });
        }
        notes
    }

    /// `rm -rf` stops at the first immutable file of each directory: what is shared stays, and what made it a system
    /// is gone.
    fn half_deleted(&self, found: FoundInside) -> Option<RootNote> {
        let last = self.last.as_ref()?;
        let lost_database = !last.databases.is_empty() && found.asked;
        let lost_files = found.files < last.files && found.shared == found.files;
        let is_wreck = !self.has_etc
            && !found.has_database
            && found.shared > 0
            && (lost_database || lost_files);
        is_wreck.then_some(RootNote::HalfDeleted {
            had_files: last.files,
            shared_files: found.shared,
        })
    }
}

fn of_place(guest: &Guest) -> Vec<RootNote> {
    let mut notes = Vec::new();
    match judge(&guest.root) {
        AtTheDoor::Root => {}
        AtTheDoor::Unlikely | AtTheDoor::Packed(_) => {
            notes.push(RootNote::NotARoot { likely: Vec::new() });
        }
        AtTheDoor::Above { roots, .. } => {
            let roots = roots.iter().take(10).map(|root| guest.path.join(root));
            let likely = roots.map(|root| Escaped::of(&root).to_string()).collect();
            notes.push(RootNote::NotARoot { likely });
        }
    }
    match store_of(&guest.path) {
        Some(manager) => notes.push(RootNote::ContainerStore {
            manager: manager.to_owned(),
        }),
        None if guest.root.is_marked_as_layer() || is_beside_a_workdir(&guest.path) => {
            notes.push(RootNote::OverlayLayer {});
        }
        None => {}
    }
    if machine::filesystem(&guest.root).is_ok_and(|fs| fs.name == "overlay") {
        notes.push(RootNote::OnOverlay {});
    }
    notes
}

/// Beside an upper layer is the work directory of its overlay, and in that one of mode 0, also when nothing is mounted.
fn is_beside_a_workdir(root: &Path) -> bool {
    let inner = root.parent().and_then(|above| {
        let above = Dir::open(above).ok()?;
        above.look(b"work/work").ok()
    });
    inner.is_some_and(|state| state.mode & 0o7777 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn background(files: u64, databases: &[&str], has_etc: bool) -> Background {
        Background {
            notes: Vec::new(),
            last: Some(LastPlanned {
                files,
                databases: databases.iter().map(|&name| name.to_owned()).collect(),
            }),
            has_etc,
        }
    }

    fn found(files: u64, shared: u64, has_database: bool) -> FoundInside {
        FoundInside {
            files,
            shared,
            has_database,
            asked: true,
        }
    }

    fn is_wreck(notes: &[RootNote]) -> bool {
        let mut notes = notes.iter();
        notes.any(|note| matches!(note, RootNote::HalfDeleted { .. }))
    }

    #[test]
    fn what_rm_leaves_is_known() {
        let wrecks = [
            (
                background(9_000, &["dpkg"], false),
                found(3_000, 3_000, false),
            ),
            (
                background(9_000, &["dpkg"], false),
                found(3_001, 3_000, false),
            ),
            (background(9, &[], false), found(3, 3, false)),
        ];
        for (background, found) in wrecks {
            assert!(
                is_wreck(&background.with(found)),
                "{background:?} {found:?}"
            );
        }
        let whole = [
            // A small guest of which all is shared, one whose files were unshared, one that still has its system.
            (background(3, &[], false), found(3, 3, false)),
            (background(9, &[], false), found(3, 2, false)),
            (
                background(9_000, &["dpkg"], true),
                found(3_000, 3_000, false),
            ),
            (
                background(9_000, &["dpkg"], false),
                found(3_000, 3_000, true),
            ),
            (background(9_000, &["dpkg"], false), found(9_000, 0, false)),
        ];
        for (background, found) in whole {
            assert!(
                !is_wreck(&background.with(found)),
                "{background:?} {found:?}"
            );
        }
        assert!(!is_wreck(&Background::default().with(found(3, 3, false))));
    }

    #[test]
    fn what_is_not_there_is_said_once() {
        let none = RootNote::NotARoot { likely: Vec::new() };
        let background = Background {
            notes: vec![none.clone()],
            ..Background::default()
        };
        assert_eq!(background.with(found(0, 0, false)), [RootNote::NoFiles {}]);
        assert_eq!(background.with(found(1, 0, false)), [none]);
        let plain = Background::default();
        let had = Vec::new();
        assert_eq!(
            plain.with(found(1, 0, false)),
            [RootNote::NoPackageDatabase { had }]
        );
        assert_eq!(plain.with(found(1, 0, true)), []);
    }
}
