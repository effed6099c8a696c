//! What guests have in common by what the disk says, where receipts are lost: nobody can tell who shared it, or when.
//!
//! A reflink leaves no trace but that two files lie in the same blocks, each part at the same place in both. So this is
//! looked for among the guests that are named, and among no others: what a file has in common with a snapshot, with a
//! guest that is not named, or with another file of its own guest, stays. A person says which guests these are, because
//! a guest that was made as a snapshot of another shares with it as well.
//!
//! Files that are not chosen are looked at first, and stay as they are; so each file that is chosen meets them. Of
//! those that are chosen, the first has its blocks to itself in the end, as the others get their own.
//!
//! Memory: some 60 bytes for each part that several files have, and the names of files are held by their guests.

use super::part_owners::PartOwners;
use super::select::{UndoChoice, UndoOptions, WhichRuns};
use crate::base::Base;
use crate::engine::error::{BadUse, CannotHere};
use crate::engine::paths::selected::{follow_in, selected_among};
use crate::engine::records::{History, Reflinked};
use crate::engine::roots::one_filesystem::one_filesystem;
use crate::engine::{EngineError, Guest, PathChoice, guest};
use crate::model::{
    BlockSource, CommonBlocks, Event, FileState, GuestPath, Observer, Scan, Stage, Unit,
};
use crate::rules::selectors::{FollowedPaths, Selection};
use crate::scan::scan;
use crate::sys::guest::{FileRange, SharedPart};
use crate::sys::{Regular, SysError, SysResult, View};

/// Files in more parts than these are told, and left alone; so is what a file has in common with more files.
const MOST_OF_FILE: usize = 1 << 16;
const MOST_SOURCES: usize = 256;

/// What is to be given.
const GUESTS: &str = "give `--run all`, and each guest that it is about as `--guest NAME=PATH`";
const NAMES: &str =
    "choose by --guest, --not-guest, --path and --not-path alone, for it knows no lines of plans";

/// Refuses what the disk cannot answer, before anything is made.
pub(super) fn can_answer(options: &UndoOptions) -> Result<(), EngineError> {
    let mut asked = options.selection.asked_guests();
    let has_place = |name: &str| {
        let mut walked = options.walked.iter().filter_map(|one| one.name.as_ref());
        walked.any(|known| known.as_str() == name)
    };
    if options.which != WhichRuns::All || options.walked.is_empty() || !asked.all(has_place) {
        return Err(BadUse::FromDisk(GUESTS).into());
    }
    match options.selection.needs_lines() {
        true => Err(BadUse::FromDisk(NAMES).into()),
        false => selection_of(options).map(drop),
    }
}

/// Guests that are given are meant by their names; one that is left out and not given is a slip.
fn selection_of(options: &UndoOptions) -> Result<Selection, EngineError> {
    let known = options.walked.iter().filter_map(|one| one.name.as_ref());
    selected_among(&options.selection, &known)
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
    let selection = selection_of(options)?;
    let mut paths = PathChoice::new(&options.paths)?;
    let mut left_out = FollowedPaths::of(&selection);
    for guest in &guests {
        paths.see(guest)?;
        follow_in(&mut left_out, guest)?;
    }
    let wanted = |guest: &Guest, names: &[GuestPath]| {
        let (name, mut each) = (&guest.name, names.iter());
        selection.has_guest(name)
            && paths.chooses_any(name, names)
            && left_out.has_names(name, &mut each)
    };
    observer.notice(&Event::Begin(Stage::Scan, Unit::Names, None));
    let mut search = DiskSearch {
        guests: &guests,
        wanted: &wanted,
        owners: PartOwners::default(),
        is_full: false,
        observer,
    };
    let mut blocks = Vec::new();
    let is_narrow =
        !paths.is_everything() || selection.has_paths() || has_left_out(&guests, &selection);
    if is_narrow {
        search.look_at_all(Pass::Unwanted, &mut blocks)?;
    }
    search.look_at_all(Pass::Wanted, &mut blocks)?;
    observer.notice(&Event::End);
    let seen: Vec<&Guest> = guests.iter().collect();
    Ok(UndoChoice {
        chose_nothing: paths.unused(&seen),
        guests,
        blocks,
        ..UndoChoice::default()
    })
}

fn has_left_out(guests: &[Guest], selection: &Selection) -> bool {
    guests.iter().any(|guest| !selection.has_guest(&guest.name))
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

/// Which files are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Those that stay as they are.
    Unwanted,
    /// Those that get blocks of their own.
    Wanted,
}

/// Is a file of this guest with these names chosen?
type IsWanted<'s> = dyn Fn(&Guest, &[GuestPath]) -> bool + 's;

struct DiskSearch<'s> {
    guests: &'s [Guest],
    wanted: &'s IsWanted<'s>,
    owners: PartOwners,
    /// Was it said that there are too many parts?
    is_full: bool,
    observer: &'s dyn Observer,
}

impl DiskSearch<'_> {
    fn look_at_all(
        &mut self,
        pass: Pass,
        found: &mut Vec<(usize, Reflinked)>,
    ) -> Result<(), EngineError> {
        for (at, guest) in self.guests.iter().enumerate() {
            let seen = scan(&View::of(&guest.root)?, self.observer)?;
            let seen = seen.map_err(|error| CannotHere::GuestTooLarge {
                name: guest.name.clone(),
                why: error.to_string(),
            })?;
            if pass == Pass::Wanted {
                self.tell_unseen(guest, &seen);
            }
            for number in 0..seen.tree.files() {
                let names = seen.tree.names_of(number);
                let names: Vec<GuestPath> = names.map(|n| seen.tree.guest_path(n)).collect();
                if (self.wanted)(guest, &names) == (pass == Pass::Wanted) {
                    self.look_at(at, &names, pass, found);
                }
            }
        }
        Ok(())
    }

    /// What a file has in common with those before it; what cannot be looked at is told, and the others go on.
    fn look_at(
        &mut self,
        at: usize,
        names: &[GuestPath],
        pass: Pass,
        found: &mut Vec<(usize, Reflinked)>,
    ) {
        let (guests, Some(first)) = (self.guests, names.first()) else {
            return;
        };
        let guest = &guests[at];
        let opened = match SysError::absent(guest.root.open_regular_seen(first.relative())) {
            Ok(opened) => opened.flatten(),
            Err(error) => return self.unread(guest, first, &error.to_string()),
        };
        let Some((file, state)) = opened else { return };
        let mut rest = match file.shared_parts(MOST_OF_FILE) {
            Ok(Some(parts)) => parts,
            Ok(None) => return self.unread(guest, first, "it is in more parts than are looked at"),
            Err(error) => return self.unread(guest, first, &error.to_string()),
        };
        if pass == Pass::Wanted {
            let common = self.in_common(at, (&file, first), &mut rest);
            found.extend(
                common.into_iter().map(|(source, shared)| {
                    (at, found_on_disk(guest, names, &state, source, shared))
                }),
            );
        }
        let has_room = self.owners.put(&(at, first.clone()), &rest);
        if !has_room && !self.is_full {
            self.is_full = true;
            self.observer.notice(&Event::Unread(
                "files are in more parts than are looked at: undo fewer guests at a time, each pair of them once",
            ));
        }
    }

    /// Whose blocks the file of a guest has, and how many bytes; `rest` is what it has in common with none of them.
    fn in_common(
        &self,
        at: usize,
        (file, first): (&Regular, &GuestPath),
        rest: &mut Vec<SharedPart>,
    ) -> Vec<(BlockSource, u64)> {
        let mut common = Vec::new();
        for (other, guest) in self.guests.iter().enumerate() {
            if other == at {
                continue;
            }
            let sources = self.owners.of(other, rest);
            if sources.len() > MOST_SOURCES {
                let why = "it has blocks of more files than are looked at";
                self.unread(&self.guests[at], first, why);
            }
            for source in sources.into_iter().take(MOST_SOURCES) {
                let Some((_, path)) = self.owners.file(source) else {
                    continue;
                };
                let source = BlockSource {
                    guest: guest.name.clone(),
                    path: path.clone(),
                };
                match take_common(file, guest, path, rest) {
                    Ok(0) => {}
                    Ok(shared) => common.push((source, shared)),
                    Err(error) => self.unread(&self.guests[at], first, &error.to_string()),
                }
            }
        }
        common
    }

    /// What the walk did not read, or enter.
    fn tell_unseen(&self, guest: &Guest, seen: &Scan) {
        for unread in &seen.unread {
            self.unread(guest, &unread.path, &unread.why);
        }
        for path in seen.beyond() {
            self.unread(
                guest,
                path,
                "it is another file system or subvolume, and was not entered",
            );
        }
    }

    fn unread(&self, guest: &Guest, path: &GuestPath, why: &str) {
        let text = format!("{}:{path}: {why}", guest.name);
        self.observer.notice(&Event::Unread(&text));
    }
}

/// No run and no content, as no receipt is asked and no plan.
fn found_on_disk(
    guest: &Guest,
    names: &[GuestPath],
    state: &FileState,
    source: BlockSource,
    shared: u64,
) -> Reflinked {
    let blocks = CommonBlocks {
        guest: guest.name.clone(),
        paths: names.to_vec(),
        ino: state.id.ino,
        source,
        content: None,
        size: Some(state.size),
        shared,
        left: 0,
    };
    Reflinked { blocks, run: None }
}

/// Takes what the file has where that one has it out of `rest`, and says how much that was; nothing where it is gone.
fn take_common(
    file: &Regular,
    guest: &Guest,
    path: &GuestPath,
    rest: &mut Vec<SharedPart>,
) -> SysResult<u64> {
    let opened = SysError::absent(guest.root.open_regular(path.relative()))?;
    let Some(source) = opened.flatten() else {
        return Ok(0);
    };
    let (mut common, mut at) = (Vec::new(), 0);
    while let Some(stretch) = file.common_stretch(&source, at)? {
        at = stretch.to;
        common.push(stretch);
        if common.len() >= MOST_OF_FILE {
            break;
        }
    }
    let (left, taken) = without(rest, &common);
    *rest = left;
    Ok(taken)
}

/// The parts without these stretches of their file, and how many bytes these took. Both are in order.
fn without(parts: &[SharedPart], stretches: &[FileRange]) -> (Vec<SharedPart>, u64) {
    let (mut left, mut taken, mut first) = (Vec::new(), 0, 0);
    for part in parts {
        let to = part.at.saturating_add(part.length);
        let mut at = part.at;
        let mut keep = |from: u64, to: u64| {
            left.extend((from < to).then(|| SharedPart {
                at: from,
                place: part.place.saturating_add(from - part.at),
                length: to - from,
            }));
        };
        while stretches.get(first).is_some_and(|one| one.to <= at) {
            first += 1;
        }
        for stretch in stretches.iter().skip(first) {
            if stretch.from >= to {
                break;
            }
            keep(at, stretch.from);
            let from = at.max(stretch.from);
            at = at.max(stretch.to.min(to));
            taken += at - from;
        }
        keep(at, to);
    }
    (left, taken)
}
