//! May what a run left be healed now? Names are exchanged back and flags come off for a moment, so the guests
//! concerned must be quiet, and no run of another base may be at work in them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::base::{Base, Index};
use crate::engine::activity::Activity;
use crate::engine::activity::freeze::Freeze;
use crate::engine::records::holders::Holding;
use crate::engine::records::replayed::Replayed;
use crate::engine::{EngineError, Guest, guest};
use crate::ledger::journal::{Intent, OpenBatch};
use crate::model::{FileId, FileState, GuestName, GuestPath, ObjectId, Quiet, Refusal};
use crate::protect::{self, NameStep};
use crate::scan::scan;
use crate::sys::{Dir, SysResult, View};

/// Holds the guests, and refuses while one whose names were in flight runs, or one that holds an object whose flag
/// would come off. An object whose flag is off already is better healed than left so.
pub fn check(
    base: &Base,
    staging: &Dir,
    guests: &BTreeMap<GuestName, Guest>,
    batch: &OpenBatch,
    replayed: &Replayed<'_>,
    still: &mut Freeze<'_>,
) -> Result<(), EngineError> {
    guest::hold(guests.values())?;
    let history = replayed.history()?;
    let open = still_open(base, batch)?;
    let moves = |guest: &GuestName| open.iter().any(|intent| intent.guest == *guest);
    let affected: Vec<&Guest> = guests.values().filter(|guest| moves(&guest.name)).collect();
    let others = history.holders(&[]);
    let known = |guest: &Guest| affected.iter().any(|other| other.name == guest.name);
    let others = others.iter().filter(|guest| !known(guest));
    let everybody = affected.iter().copied().chain(others).collect();
    let mut holding = Holding::new(everybody, base, history)?;
    for intent in &batch.intents {
        let at = affected.iter().position(|g| g.name == intent.guest);
        if let Some(at) = at {
            holding.learn(intent.object, at, std::slice::from_ref(&intent.path))?;
        }
    }
    still.freeze(holding.guests())?;
    let mut conditions = still.look(holding.guests())?;
    // All guests that could be frozen were; one that runs nevertheless is in the way.
    for condition in &mut conditions {
        condition.can_freeze = false;
    }
    if let Some((guest, who)) = running(&affected, &conditions) {
        return Err(refused(base, None, &Refusal::HolderRunning { guest, who }));
    }
    let due = flagged(base, objects(base, staging, batch)?)?;
    holders_are_quiet(base, &due, &mut holding, &conditions)
}

/// A guest may have moved names since, or given its files further ones: names that are not where the base
/// remembers them are looked for in all guests.
fn holders_are_quiet(
    base: &Base,
    due: &[DueLift],
    holding: &mut Holding<'_>,
    conditions: &[Activity],
) -> Result<(), EngineError> {
    let lift = |holding: &mut Holding<'_>, one: &DueLift| {
        holding.may_lift(&one.object, &one.state, 1 + one.staged, conditions)
    };
    let mut lost = Vec::new();
    for one in due {
        if let Err(Refusal::HolderUnknown { .. }) = lift(holding, one)? {
            lost.push(one);
        }
    }
    let unseen = if lost.is_empty() {
        None
    } else {
        find_names(&lost, holding)?
    };
    let object = |one: &DueLift| Some((one.object, unseen.clone()));
    for one in due {
        lift(holding, one)?.map_err(|refusal| refused(base, object(one), &refusal))?;
    }
    Ok(())
}

/// An object whose flag would come off.
struct DueLift {
    object: ObjectId,
    state: FileState,
    /// How many names it has in staging.
    staged: u64,
}

/// All names except those after a commit of an apply: what came out there is a file that has no name in any
/// guest, and goes under a lease.
fn still_open<'b>(base: &Base, batch: &'b OpenBatch) -> SysResult<Vec<&'b Intent>> {
    let mut open = Vec::new();
    for intent in &batch.intents {
        let applied =
            intent.is_adoption() || base.object_inode(&intent.object)? != Some(intent.was);
        if !(batch.has_committed(intent) && applied) {
            open.push(intent);
        }
    }
    Ok(open)
}

fn running(guests: &[&Guest], conditions: &[Activity]) -> Option<(GuestName, String)> {
    let all = guests.iter().zip(conditions);
    all.into_iter()
        .find_map(|(guest, c)| Some((guest.name.clone(), c.running.clone()?)))
}

/// Objects whose names will be exchanged, and how many of them are in staging. After a commit only those in
/// staging count.
fn objects(base: &Base, staging: &Dir, batch: &OpenBatch) -> SysResult<HashMap<ObjectId, u64>> {
    let mut inodes: HashMap<FileId, u64> = HashMap::new();
    for entry in staging.list()? {
        *inodes.entry(staging.look(&entry)?.id).or_default() += 1;
    }
    let open = batch.intents.iter().filter(|i| !batch.has_committed(i));
    let open: HashSet<ObjectId> = open.map(|intent| intent.object).collect();
    let lifted = batch.lifted.iter().map(|(id, _)| *id);
    let lifted = lifted.filter(|id| open.contains(id));
    let mut all: HashMap<ObjectId, u64> = lifted.map(|id| (id, 0)).collect();
    for held in Index::read(base)?.objects() {
        if let Some(staged) = inodes.get(&held.state.id) {
            all.insert(held.id, *staged);
        }
    }
    Ok(all)
}

/// Those of the objects whose flag would have to come off.
fn flagged(base: &Base, objects: HashMap<ObjectId, u64>) -> SysResult<Vec<DueLift>> {
    let mut due = Vec::new();
    for (object, staged) in objects {
        let Some((file, state)) = base.object_seen(&object)? else {
            continue;
        };
        if protect::in_the_way(&file, &[NameStep::Unlink])?.is_some() {
            due.push(DueLift {
                object,
                state,
                staged,
            });
        }
    }
    due.sort_by_key(|one| one.object);
    Ok(due)
}

/// Looks for names of these objects in all guests that hold any of the base's: a guest that renames a directory
/// takes names with it that no receipt knows by their new paths. Returns one directory that could not be looked
/// into.
fn find_names(lost: &[&DueLift], holding: &mut Holding<'_>) -> SysResult<Option<String>> {
    let ids = lost.iter().map(|one| (one.state.id, one.object));
    let object_of: HashMap<FileId, ObjectId> = ids.collect();
    let mut unseen = None;
    for (at, guest) in holding.guests().to_vec().into_iter().enumerate() {
        let view = View::of(&guest.root)?;
        let scan = match scan(&view, &Quiet)? {
            Ok(scan) => scan,
            Err(too_large) => {
                unseen = Some(format!("{}: {too_large}", guest.name));
                continue;
            }
        };
        let unread = scan.unread.first();
        let said = unread.map(|one| {
            let path: String = one.path.to_string().chars().take(200).collect();
            format!("{}:{path}: {}", guest.name, one.why)
        });
        unseen = unseen.or(said);
        let tree = &scan.tree;
        for file in 0..tree.files() {
            if let Some(object) = object_of.get(&tree.state(file).id) {
                let names = tree.names_of(file).map(|name| tree.guest_path(name));
                let names: Vec<GuestPath> = names.collect();
                holding.learn(*object, at, &names)?;
            }
        }
    }
    Ok(unseen)
}

fn refused(
    base: &Base,
    object: Option<(ObjectId, Option<String>)>,
    refusal: &Refusal,
) -> EngineError {
    let why = match (refusal, object) {
        (Refusal::HolderRunning { guest, who }, _) => format!(
            "cannot heal while guest {guest} runs ({who}): stop it, or let it be frozen (`unify recover --allow-running`)"
        ),
        (Refusal::HolderUnknown { names }, Some((object, Some(unseen)))) => format!(
            "cannot heal: {names} names of object {object} were not found, and a guest has directories that cannot be looked into ({unseen}): move or remove those"
        ),
        (Refusal::HolderUnknown { names }, Some((object, None))) => format!(
            "cannot heal: {names} names of object {object} are in no guest that the base knows; bring back the guest that was moved, or remove its copy"
        ),
        (other, _) => format!("cannot heal: {}", other.code()),
    };
    EngineError::halted(base, why)
}
