//! One file of an undo against the world as it is: a private copy of the object, complete but without a name.

use std::sync::Arc;

use super::in_use::{UsesNow, uses_of};
use crate::base::Base;
use crate::engine::Guest;
use crate::engine::activity::Activity;
use crate::engine::exchange::job::{Fate, Flagged, Job, LeaseBy, New, Old};
use crate::engine::records::Linked;
use crate::engine::records::holders::Holding;
use crate::model::{Digest, FileId, GuestPath, Moved, Outcome, Refusal, Time};
use crate::protect::{self, NameStep};
use crate::sys::{Dir, Leased, Regular, SysError};

/// A name that is the guest's own needs no undo.
const NOT_OURS: Outcome = Outcome::Refused(Refusal::NotShared {});

/// A file that may be undone.
pub struct Undoing {
    pub job: Job,
    /// The object, to set its flag again.
    pub object: Arc<Regular>,
    /// What the object holds.
    pub content: Digest,
    /// Must its flag come off, and go on again?
    pub lifted: bool,
    /// It is not what its name says, and this guest alone has it: the copy is what the guest saw.
    pub damaged: bool,
    /// How the shared file is used.
    pub uses: UsesNow,
}

/// What a file comes to before anything is changed.
pub enum UndoVerdict {
    Ready(Box<Undoing>),
    Over(Outcome),
}

/// Compares one file of `guest` with the disk.
pub fn prepare(
    base: &Base,
    guest: &Guest,
    file: &(usize, Linked),
    conditions: &[Activity],
    holding: &mut Holding<'_>,
) -> UndoVerdict {
    match try_prepare(base, guest, file, conditions, holding) {
        Ok(undoing) => UndoVerdict::Ready(Box::new(undoing)),
        Err(outcome) => UndoVerdict::Over(outcome),
    }
}

fn try_prepare(
    base: &Base,
    guest: &Guest,
    (index, linked): &(usize, Linked),
    conditions: &[Activity],
    holding: &mut Holding<'_>,
) -> Result<Undoing, Outcome> {
    quiet_and_uncovered(linked, &conditions[*index])?;
    let object = base
        .object(&linked.object)
        .map_err(failed)?
        .ok_or(Outcome::Refused(Refusal::NoObject {}))?;
    let shared = object.state().map_err(failed)?;
    let (file, names) = shared_file(guest, linked, shared.id)?;
    let state = file.state().map_err(failed)?;
    let protection = protect::on(&object).map_err(failed)?;
    let flagged = protection.is_some();
    let lifted = protection.is_some_and(|on| on.needs_lift_for(NameStep::Unlink));
    let mut alone = false;
    if lifted {
        let lift = holding.may_lift(&linked.object, &shared, 1, conditions);
        lift.map_err(failed)?.map_err(Outcome::Refused)?;
        let holders = holding.holders(&linked.object).map_err(failed)?;
        alone = holders.iter().all(|at| at == index);
    }
    let old = Leased::take(file)
        .map_err(failed)?
        .map_err(|_| Outcome::Refused(Refusal::OpenForWriting {}))?;
    let shared_content = match flagged && !alone {
        true => SharedContent::Intact,
        false => SharedContent::AsItIs,
    };
    let (copy, content) = private_copy(base.dir(), old.file(), linked, shared_content)?;
    let id = copy.state().map_err(failed)?.id;
    let new = New {
        file: Arc::new(copy),
        id,
    };
    let job = Job {
        guest: *index,
        names,
        object: linked.object,
        old: Old::Leased(old),
        state,
        new: Some(new),
    };
    Ok(Undoing {
        uses: uses_of(&conditions[*index], shared.id.ino, &job.names),
        job,
        object: Arc::new(object),
        lifted,
        content,
        damaged: flagged && content != linked.object.content,
    })
}

fn quiet_and_uncovered(linked: &Linked, condition: &Activity) -> Result<(), Outcome> {
    if let Some(who) = condition.in_the_way() {
        return Err(Outcome::Refused(Refusal::GuestRunning { who: who.clone() }));
    }
    if linked.paths.iter().any(|name| condition.covers(name)) {
        return Err(Outcome::Refused(Refusal::MountedOver {}));
    }
    Ok(())
}

/// The names of the file that still refer to the object, and the file. The others are the guest's own now.
fn shared_file(
    guest: &Guest,
    linked: &Linked,
    object: FileId,
) -> Result<(Regular, Vec<GuestPath>), Outcome> {
    let (mut names, mut gone) = (Vec::new(), true);
    for name in &linked.paths {
        let seen = SysError::absent(guest.root.look(name.relative()))
            .map_err(|e| bad(&Fate::from_path_error(&e)))?;
        gone &= seen.is_none();
        if seen.is_some_and(|state| state.id == object) {
            names.push(name.clone());
        }
    }
    let first = names.first().ok_or(if gone {
        Outcome::Refused(Refusal::Gone {})
    } else {
        NOT_OURS
    })?;
    let opened = guest
        .root
        .open_regular(first.relative())
        .map_err(|e| bad(&Fate::from_path_error(&e)))?;
    Ok((opened.ok_or(NOT_OURS)?, names))
}

/// What the content of an object must be to be given to a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SharedContent {
    /// What the object's name says.
    Intact,
    /// Whatever the guest sees by its name.
    AsItIs,
}

/// A copy with all metadata, and the file's own time where the object has another one; and what it holds. Content
/// that is not what the object's name says is refused where it must be intact.
fn private_copy(
    place: &Dir,
    object: &Regular,
    linked: &Linked,
    shared_content: SharedContent,
) -> Result<(Regular, Digest), Outcome> {
    let state = object.state().map_err(failed)?;
    let metadata = object.metadata(&[]).map_err(failed)?;
    let fresh = place.nameless_like(&metadata).map_err(failed)?;
    let digest = object.copy_into(&fresh, state.size).map_err(failed)?;
    // What was never protected may have been written to by a guest, and so may what one guest alone has: its
    // names have that content, and keep it.
    let damaged = digest != linked.object.content;
    if damaged && shared_content == SharedContent::Intact {
        return Err(Outcome::Refused(Refusal::DamagedObject {}));
    }
    let mtime: Time = linked.mtime.unwrap_or(state.mtime);
    fresh.set_metadata(&metadata, mtime).map_err(failed)?;
    let kept = fresh.metadata(&[]).map_err(failed)?;
    let fields = crate::rules::precondition::metadata_differs(
        &metadata,
        &kept,
        &[crate::model::Ignored::Mtime],
    );
    if fields.is_empty() {
        Ok((fresh, digest))
    } else {
        Err(not_kept(&fields))
    }
}

fn not_kept(fields: &[Moved]) -> Outcome {
    let names: Vec<String> = fields.iter().map(ToString::to_string).collect();
    Outcome::Failed(format!(
        "the private copy does not keep the file's {}",
        names.join(", ")
    ))
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(error: SysError) -> Outcome {
    Outcome::Failed(error.to_string())
}

fn bad(fate: &Fate) -> Outcome {
    fate.bad_outcome().unwrap_or(NOT_OURS)
}

/// The flags that go off and on again: each object once.
pub(super) fn flags_of(ready: &[Undoing]) -> Vec<Flagged> {
    let mut flags: Vec<Flagged> = Vec::new();
    for undoing in ready.iter().filter(|undoing| undoing.lifted) {
        if !flags.iter().any(|flag| flag.id == undoing.job.object) {
            flags.push(Flagged {
                id: undoing.job.object,
                file: Arc::clone(&undoing.object),
                content: undoing.content,
                lease: LeaseBy::Batch,
            });
        }
    }
    flags
}
