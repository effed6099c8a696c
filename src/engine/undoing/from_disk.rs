//! What guests have in common by what the disk says, where receipts are lost: nobody can tell who shared it, or when.
//!
//! A reflink leaves no trace but that two files lie in the same blocks, each part at the same place in both. So this is
//! looked for among the guests that are named, and among no others: what a file has in common with a snapshot, or with
//! a guest that is not named, stays. A person says which guests these are, because a guest that was made as a snapshot
//! of another shares with it as well.
//!
//! Memory: some 50 bytes for each part that several files have, and the names of files are held by their guests.

use std::collections::{BTreeMap, BTreeSet};

use super::select::{UndoChoice, UndoOptions, WhichRuns};
use crate::base::Base;
use crate::engine::error::{BadUse, CannotHere};
use crate::engine::paths::selected::follow_in;
use crate::engine::records::{History, Reflinked};
use crate::engine::roots::one_filesystem::one_filesystem;
use crate::engine::{EngineError, Guest, PathChoice, guest};
use crate::link::Unshare;
use crate::model::{BlockSource, CommonBlocks, Event, GuestPath, Observer, Stage, Unit};
use crate::rules::selectors::FollowedPaths;
use crate::scan::scan;
use crate::sys::guest::SharedPart;
use crate::sys::{Regular, SysResult, View};

/// Files in more parts than these are told, and left alone; so is what comes after so many parts of all files.
const MOST_OF_FILE: usize = 1 << 16;
const MOST_OF_ALL: usize = 1 << 22;

/// What is to be given.
const GUESTS: &str = "give `--run all`, and each guest that it is about as `--guest NAME=PATH`";
const NAMES: &str = "choose by --guest, --path and --exclude alone, for it knows no lines of plans";

/// Refuses what the disk cannot answer, before anything is made.
pub(super) fn can_answer(options: &UndoOptions) -> Result<(), EngineError> {
    if options.which != WhichRuns::All || options.walked.is_empty() {
        return Err(BadUse::FromDisk(GUESTS).into());
    }
    match options.selection.needs_lines() {
        true => Err(BadUse::FromDisk(NAMES).into()),
        false => Ok(()),
    }
}

/// Finds the files of the guests that are named which have blocks in common.
pub(super) fn choose(
    base: &Base,
    history: &History,
    options: &UndoOptions,
    observer: &dyn Observer,
) -> Result<UndoChoice, EngineError> {
    let guests = guest::open_all(&options.walked, Some(base.path()))?;
    one_filesystem(&guests, base.path(), base.dir())?;
    none_is_another(&guests, history)?;
    let mut paths = PathChoice::new(&options.paths)?;
    let mut left_out = FollowedPaths::of(&options.selection);
    for guest in &guests {
        paths.see(guest)?;
        follow_in(&mut left_out, guest)?;
    }
    observer.notice(&Event::Begin(Stage::Scan, Unit::Names, None));
    let mut owners = PartOwners::default();
    let mut blocks = Vec::new();
    for (at, guest) in guests.iter().enumerate() {
        let wanted = |names: &[GuestPath]| {
            paths.chooses_any(&guest.name, names) && left_out.has_names(&guest.name, names.iter())
        };
        for found in owners.look(&guests, at, &wanted, observer)? {
            blocks.push((at, found));
        }
    }
    observer.notice(&Event::End);
    let seen: Vec<&Guest> = guests.iter().collect();
    Ok(UndoChoice {
        chose_nothing: paths.unused(&seen),
        guests,
        blocks,
        ..UndoChoice::default()
    })
}

/// A guest is known by its name: what is written down of one must not be taken for another's.
fn none_is_another(guests: &[Guest], history: &History) -> Result<(), EngineError> {
    for guest in guests {
        let known = history.guests.get(&guest.name);
        let there = known
            .map(|known| known.find_beside(&guest.name))
            .transpose()?;
        if let Some(other) = there.flatten().filter(|other| other.id != guest.id) {
            return Err(BadUse::Namesake {
                name: guest.name.clone(),
                other: other.path,
            }
            .into());
        }
    }
    Ok(())
}

/// A file that was looked at: its guest, and its first name.
type OwnerName = (usize, GuestPath);

/// Which file has a part first.
#[derive(Default)]
struct PartOwners {
    /// By the place on the device. No two of them overlap.
    parts: BTreeMap<u64, OwnedPart>,
    files: Vec<OwnerName>,
    /// Was it said that there are too many?
    is_full: bool,
}

#[derive(Clone, Copy)]
struct OwnedPart {
    to: u64,
    /// Where it is in its file.
    at: u64,
    file: u32,
}

impl PartOwners {
    /// The files of one guest that have blocks of files before them.
    fn look(
        &mut self,
        guests: &[Guest],
        at: usize,
        wanted: &dyn Fn(&[GuestPath]) -> bool,
        observer: &dyn Observer,
    ) -> Result<Vec<Reflinked>, EngineError> {
        let guest = &guests[at];
        let seen = scan(&View::of(&guest.root)?, observer)?;
        let seen = seen.map_err(|error| CannotHere::GuestTooLarge {
            name: guest.name.clone(),
            why: error.to_string(),
        })?;
        let (tree, mut found) = (&seen.tree, Vec::new());
        for number in 0..tree.files() {
            let names: Vec<GuestPath> = tree.names_of(number).map(|n| tree.guest_path(n)).collect();
            let Some(first) = names.first() else { continue };
            let opened = guest.root.open_regular_seen(first.relative());
            let Ok(Some((file, state))) = opened else {
                continue;
            };
            let Some(parts) = file.shared_parts(MOST_OF_FILE)? else {
                observer.notice(&Event::Unread(&format!(
                    "{}:{first}: it is in more parts than are looked at",
                    guest.name
                )));
                continue;
            };
            let sources = self.take(&parts, (at, first.clone()), observer);
            if sources.is_empty() || !wanted(&names) {
                continue;
            }
            for source in sources {
                let Some((of, path)) = self.files.get(source as usize) else {
                    continue;
                };
                let shared = in_common(&file, &guests[*of], path)?;
                if shared == 0 {
                    continue;
                }
                let blocks = CommonBlocks {
                    guest: guest.name.clone(),
                    paths: names.clone(),
                    ino: state.id.ino,
                    source: BlockSource {
                        guest: guests[*of].name.clone(),
                        path: path.clone(),
                    },
                    content: file.digest(state.size)?,
                    size: Some(state.size),
                    shared,
                };
                found.push(Reflinked { blocks, run: None });
            }
        }
        Ok(found)
    }

    /// Remembers the parts of a file that no file had before, and says whose the others are.
    fn take(
        &mut self,
        parts: &[SharedPart],
        name: OwnerName,
        observer: &dyn Observer,
    ) -> BTreeSet<u32> {
        let mut sources = BTreeSet::new();
        let own = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let mut is_new = false;
        for part in parts {
            let to = part.place.saturating_add(part.length);
            let met: Vec<(u64, OwnedPart)> = self.within(part.place, to).collect();
            for (place, owner) in &met {
                // The same place in both files, and of another file.
                let same = place.wrapping_sub(owner.at) == part.place.wrapping_sub(part.at);
                sources.extend((same && owner.file != own).then_some(owner.file));
            }
            if met.is_empty() && self.has_room(observer) {
                let (at, file) = (part.at, own);
                self.parts.insert(part.place, OwnedPart { to, at, file });
                is_new = true;
            }
        }
        if is_new {
            self.files.push(name);
        }
        sources
    }

    fn within(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, OwnedPart)> {
        let before = self.parts.range(..from).next_back();
        let before = before.filter(move |(_, part)| part.to > from);
        let inside = self.parts.range(from..to);
        before
            .into_iter()
            .chain(inside)
            .map(|(place, part)| (*place, *part))
    }

    fn has_room(&mut self, observer: &dyn Observer) -> bool {
        let is_full = self.parts.len() >= MOST_OF_ALL;
        if is_full && !self.is_full {
            observer.notice(&Event::Unread(
                "files are in more parts than are looked at: undo fewer guests at a time, each pair of them once",
            ));
        }
        self.is_full |= is_full;
        !is_full
    }
}

/// Bytes that the file has where that one has them; none where it is gone.
fn in_common(file: &Regular, guest: &Guest, path: &GuestPath) -> SysResult<u64> {
    match guest.root.open_regular(path.relative()) {
        Ok(Some(source)) => Unshare::With(&source).bytes(file),
        _ => Ok(0),
    }
}
