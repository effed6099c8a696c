//! `status`: what is shared now, guest by guest, from the disk; and which names have drifted since they were linked.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::orphans::{HeldFile, OrphanSearch};
use super::shared_blocks;
use super::writers::{met_by_writers, written};
use crate::base::{Base, BaseError, FrozenPaper, Index, MaintainedPaper};
use crate::engine::error::CannotHere;
use crate::engine::paths::selected::{follow_in, selected_among};
use crate::engine::records::unprotected::left_unprotected;
use crate::engine::records::{History, KnownGuest, Linked};
use crate::engine::{EngineError, Guest, protection};
use crate::model::{
    DiskRoom, Drift, Escaped, Event, FileId, GuestName, GuestPath, GuestStatus, ObjectCount,
    Observer, Orphans, ReflinkCount, Scan, Stage, Status, Tree, Unit,
};
use crate::rules::selectors::{FollowedPaths, Selection};
use crate::sys::guest::{GuestFiles, Sharing};
use crate::sys::{Meaning, SysResult};

/// Walks every guest that the base remembers, and tells of those that are selected: what they share with others is
/// known only then.
pub fn status(
    base: &Path,
    selection: &Selection,
    observer: &dyn Observer,
) -> Result<Status, EngineError> {
    let base = &Base::existing(base)?;
    let frozen = FrozenPaper::left_standing(base)?;
    let has_leftovers = !base.is_settled()?;
    let history = History::read(base)?;
    // A guest that was asked for and that the base does not know is a slip.
    let selection = &selected_among(selection, &history.guests.keys())?;
    let index = Index::read(base)?;
    let open = left_unprotected(base, &index, || Ok(history.protection()?), observer)?;
    observer.notice(&Event::Begin(Stage::Scan, Unit::Names, None));
    let sharing = Sharing::default();
    let world = World {
        base,
        index: &index,
        sharing: &sharing,
    };
    let mut orphans = OrphanSearch::of(base, &history);
    let all = look_at_all(world, &history, &mut orphans, observer)?;
    observer.notice(&Event::End);
    let users = users(&all);
    let unknown_names = match has_leftovers {
        false => unknown_names(&index, &all),
        true => 0,
    };
    let open: HashSet<FileId> = open.iter().map(|held| held.state.id).collect();
    let mut orphans = orphans.finish();
    let finish = |guest: &SeenGuest| GuestStatus {
        orphans: orphans.remove(&guest.status.name).unwrap_or_default(),
        ..guest.finish(world, &users, &open)
    };
    let mut guests: Vec<GuestStatus> = all.iter().map(finish).collect();
    let all_known = unknown_names == 0 && !has_leftovers;
    guests
        .iter_mut()
        .for_each(|guest| guest.is_gone &= all_known);
    select(&mut guests, selection)?;
    Ok(Status {
        at_work: base.is_in_turn() || matches!(base.hold_still(), Err(BaseError::Locked { .. })),
        base: base.path().to_owned(),
        sign: protection::sign(base),
        frozen: frozen.iter().map(ToString::to_string).collect(),
        objects: ObjectCount {
            unprotected: open.len() as u64,
            ..count(world, all.iter().map(|guest| guest.linked_bytes).sum())
        },
        guests,
        maintained: MaintainedPaper::read(base)?,
        written: written(base, selection)?,
        guard: met_by_writers(base)?,
        runs: history.runs,
        damaged: history.damaged,
        unknown_names,
    })
}

/// How many guests refer to each object: one that a guest alone refers to would go with it.
fn users(all: &[SeenGuest]) -> HashMap<FileId, u64> {
    let mut users = HashMap::new();
    all.iter()
        .flat_map(|guest| guest.objects.keys())
        .for_each(|id| *users.entry(*id).or_default() += 1);
    users
}

/// All guests but those of which nothing is left to report: they are gone and share nothing.
fn look_at_all(
    world: World<'_>,
    history: &History,
    orphans: &mut OrphanSearch<'_>,
    observer: &dyn Observer,
) -> Result<Vec<SeenGuest>, EngineError> {
    let mut all = Vec::new();
    let mut files = history.by_guest(|_, _| true)?;
    let mut blocks = history.blocks_by_guest(|_| true)?;
    for (name, known) in &history.guests {
        let files = files.remove(name).unwrap_or_default();
        let blocks = blocks.remove(name).unwrap_or_default();
        let mut seen = look_at(name, known, &files, world, orphans, observer)?;
        if seen.status.missing.is_none() {
            seen.status.reflinks = shared_blocks::count(name, known, &blocks)?;
        }
        if seen.status.missing.is_none() || !files.is_empty() || !blocks.is_empty() {
            all.push(seen);
        }
    }
    Ok(all)
}

/// The guests that are selected, and of names that are listed one by one those that are.
fn select(guests: &mut Vec<GuestStatus>, selection: &Selection) -> Result<(), EngineError> {
    guests.retain(|guest| selection.has_guest(&guest.name));
    let mut paths = FollowedPaths::of(selection);
    for guest in guests {
        let name = guest.name.clone();
        if selection.has_paths()
            && let Ok(opened) = Guest::open(name.clone(), &guest.root)
        {
            follow_in(&mut paths, &opened)?;
        }
        let wanted = |path: &GuestPath| paths.has_names(&name, std::iter::once(path));
        guest.drifted.retain(|drift| wanted(&drift.path));
        guest.orphans.names.retain(|orphan| wanted(&orphan.path));
    }
    Ok(())
}

/// What was seen of one guest.
struct SeenGuest {
    status: GuestStatus,
    /// Objects that its names refer to, and by how many names.
    objects: HashMap<FileId, u64>,
    /// Bytes that its linked files would need if each had an inode of its own.
    linked_bytes: u64,
}

impl SeenGuest {
    fn finish(
        &self,
        World {
            base,
            index,
            sharing,
        }: World<'_>,
        users: &HashMap<FileId, u64>,
        open: &HashSet<FileId>,
    ) -> GuestStatus {
        let mut status = self.status.clone();
        status.freed_if_deleted = status.unique;
        for (id, names) in &self.objects {
            let Some(held) = index.of_inode(*id) else {
                continue;
            };
            status.shared_names += names;
            status.unprotected_names += if open.contains(id) { *names } else { 0 };
            status.shared += held.state.allocated();
            // Names that no guest known here accounts for keep the object alive: the base's own is one.
            let alone = users.get(id) == Some(&1) && u64::from(held.state.nlink) == names + 1;
            if alone {
                let room = base.object_room(&held.id, held.state.allocated(), sharing);
                status.freed_if_deleted += room.own;
                status.unsure += room.unsure;
            }
        }
        status
    }
}

/// What names are compared with.
#[derive(Clone, Copy)]
struct World<'a> {
    base: &'a Base,
    index: &'a Index,
    /// Can files here share blocks?
    sharing: &'a Sharing,
}

/// Nothing is known of it yet.
fn not_looked_at(name: &GuestName, known: &KnownGuest) -> SeenGuest {
    let status = GuestStatus {
        name: name.clone(),
        root: known.root.clone(),
        missing: None,
        is_gone: false,
        files: 0,
        names: 0,
        shared_names: 0,
        unprotected_names: 0,
        unique: 0,
        elsewhere: 0,
        shared: 0,
        freed_if_deleted: 0,
        unsure: 0,
        drifted: Vec::new(),
        reflinks: ReflinkCount::default(),
        orphans: Orphans::default(),
        unread: 0,
    };
    SeenGuest {
        status,
        objects: HashMap::new(),
        linked_bytes: 0,
    }
}

fn look_at(
    name: &GuestName,
    known: &KnownGuest,
    files: &[Linked],
    world: World<'_>,
    orphans: &mut OrphanSearch<'_>,
    observer: &dyn Observer,
) -> Result<SeenGuest, EngineError> {
    let World { base, index, .. } = world;
    let mut seen = not_looked_at(name, known);
    let guest = match Guest::open(name.clone(), &known.root) {
        Ok(guest) if files.is_empty() || known.may_be(&guest) => guest,
        Ok(_) => {
            seen.status.missing = Some(format!(
                "{} is on another file system than the base; `unify recover --restored --base {}` finds a guest that came with it",
                Escaped::of(&known.root),
                Escaped::of(base.path())
            ));
            return Ok(seen);
        }
        Err(error) => {
            seen.status.is_gone = error.meaning() == Meaning::Gone;
            seen.status.missing = Some(error.to_string());
            return Ok(seen);
        }
    };
    let guest_files = guest.files()?;
    let found = guest_files.tree(observer)?;
    let found = found.map_err(|error| CannotHere::GuestTooLarge {
        name: name.clone(),
        why: error.to_string(),
    })?;
    seen.add(&found, &*guest_files, world);
    let mut held = Vec::new();
    for file in files {
        let drifted = drifts(&guest, file, base, index)?;
        if drifted.len() < file.paths.len() {
            seen.linked_bytes += allocated(index, base.object_inode(&file.object)?);
        }
        let names = but(file, &drifted);
        held.push(HeldFile { file, names });
        seen.status.drifted.extend(drifted);
    }
    orphans.look(&guest, &*guest_files, &found.tree, &held);
    seen.status.drifted.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(seen)
}

impl SeenGuest {
    fn add(
        &mut self,
        found: &Scan,
        files: &dyn GuestFiles,
        World { index, sharing, .. }: World<'_>,
    ) {
        let tree = &found.tree;
        self.status.files = tree.files() as u64;
        self.status.names = tree.names() as u64;
        self.status.unread = (found.unread.len() + found.beyond().count()) as u64;
        for file in 0..tree.files() {
            let state = tree.state(file);
            match index.of_inode(state.id) {
                Some(_) => {
                    *self.objects.entry(state.id).or_default() += tree.name_count(file) as u64;
                }
                None => self.add_own(room(tree, file, files, sharing)),
            }
        }
    }

    fn add_own(&mut self, room: DiskRoom) {
        self.status.unique += room.own;
        self.status.unsure += room.unsure;
        self.status.elsewhere += room.shared;
    }
}

/// What would come back with a file that is no object. One that has names elsewhere stays there.
fn room(tree: &Tree, file: usize, files: &dyn GuestFiles, sharing: &Sharing) -> DiskRoom {
    let state = tree.state(file);
    let allocated = state.allocated();
    if u64::from(state.nlink) > tree.name_count(file) as u64 {
        return DiskRoom {
            shared: allocated,
            ..DiskRoom::default()
        };
    }
    if sharing.is_ruled_out() || allocated == 0 {
        return DiskRoom::own(allocated);
    }
    let name = tree.names_of(file).next().map(|name| tree.path(name));
    let opened = name.and_then(|name| files.open_regular(name.get(1..)?).ok()?);
    opened.map_or(DiskRoom::own(allocated), |file| {
        file.room(allocated, sharing)
    })
}

/// Names of a file that do not refer to its object any more.
fn drifts(guest: &Guest, file: &Linked, base: &Base, index: &Index) -> SysResult<Vec<Drift>> {
    let object = base.object_inode(&file.object)?;
    let mut all = Vec::new();
    for path in &file.paths {
        let now = name_now(guest, path);
        let holds = now.is_some_and(|id| Some(id) == object || same_content(index, id, file));
        if !holds {
            all.push(Drift {
                path: path.clone(),
                object: file.object,
                exists: now.is_some(),
            });
        }
    }
    Ok(all)
}

/// All names of a file but these.
fn but<'a>(file: &'a Linked, drifted: &[Drift]) -> Vec<&'a GuestPath> {
    let drifted: HashSet<&GuestPath> = drifted.iter().map(|drift| &drift.path).collect();
    let held = file.paths.iter().filter(|path| !drifted.contains(path));
    held.collect()
}

/// Another generation of the same object is no drift.
fn same_content(index: &Index, id: FileId, file: &Linked) -> bool {
    let same = |held: crate::base::Held| {
        held.id.content == file.object.content && held.id.metadata == file.object.metadata
    };
    index.of_inode(id).is_some_and(same)
}

/// What the link counts say and the guests do not.
fn unknown_names(index: &Index, guests: &[SeenGuest]) -> u64 {
    let unknown = |held: crate::base::Held| {
        let known = guests
            .iter()
            .filter_map(|guest| guest.objects.get(&held.state.id));
        let known: u64 = known.sum();
        u64::from(held.state.nlink).saturating_sub(1 + known)
    };
    index.objects().map(unknown).sum()
}

/// A name that cannot be looked at, because something is mounted on its way or a directory is a link now, is not
/// where it was linked.
fn name_now(guest: &Guest, path: &GuestPath) -> Option<FileId> {
    guest.root.look(path.relative()).ok().map(|state| state.id)
}

/// `linked` is what all linked files would need if each had an inode of its own.
fn count(world: World<'_>, linked: u64) -> ObjectCount {
    let (mut count, mut in_use) = (ObjectCount::default(), 0);
    let World {
        base,
        index,
        sharing,
    } = world;
    for held in index.objects() {
        let bytes = held.state.allocated();
        count.all += 1;
        count.bytes += bytes;
        if held.state.nlink == 1 {
            count.unused += 1;
            count.unused_bytes += base.object_room(&held.id, bytes, sharing).own;
        } else {
            in_use += bytes;
        }
    }
    count.saved_bytes = linked.saturating_sub(in_use);
    count
}

fn allocated(index: &Index, object: Option<FileId>) -> u64 {
    let held = object.and_then(|id| index.of_inode(id));
    held.map_or(0, |held| held.state.allocated())
}
