//! Files that guests of the plan share already by hard links, against the world as it is: may their inode become an
//! object? All lines about it are proven together, and all its names are accounted for; no name is exchanged.

use std::collections::HashSet;

use super::objects::{ObjectsInUse, OpenObject};
use super::prepare::{
    LinkFacts, OpenedFile, PreparedLink, also_refer, as_recorded, lease, not_in_use, open,
    refers_already,
};
use crate::engine::exchange::job::{Fate, Job, Old};
use crate::model::{
    FileState, GuestName, GuestPath, Ignored, Link, Making, Moved, ObjectId, Refusal, Time,
};
use crate::sys::{Leased, Regular};

/// What the lines of one inode come to before anything is changed.
pub(super) enum SharedVerdict {
    /// It may become the object: one job for each line.
    Ready(Vec<PreparedLink>),
    /// It is the object already: each line has to be looked at by itself.
    AlreadyDone,
}

/// The lines of one inode may not be done: the number of the one that is in the way, and why.
pub(super) type InTheWay = (usize, Fate);

/// Compares all `lines` about one object with the disk.
pub(super) fn prepare_shared<'w>(
    lines: &[Link],
    world: impl Fn(&Link) -> Option<LinkFacts<'w>>,
    objects: &mut ObjectsInUse<'_>,
) -> Result<SharedVerdict, InTheWay> {
    let mut files = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let world = world(line).ok_or((at, Fate::Refused(Refusal::Gone {})))?;
        let (file, state) = open_at_rest(line, &world).map_err(|fate| (at, fate))?;
        files.push((world, file, state));
    }
    let (Some(line), Some((_, _, state))) = (lines.first(), files.first()) else {
        return Ok(SharedVerdict::Ready(Vec::new()));
    };
    let whole = |fate| (0, fate);
    if refers_already(line, state, objects)
        .map_err(whole)?
        .is_some()
    {
        return Ok(SharedVerdict::AlreadyDone);
    }
    for (at, (line, (world, file, now))) in lines.iter().zip(&files).enumerate() {
        proven(line, file, now, state, world).map_err(|fate| (at, fate))?;
    }
    all_accounted(lines, state).map_err(whole)?;
    adopted(lines, files, objects).map(SharedVerdict::Ready)
}

/// A guest that runs, frozen or not, may have a descriptor of the inode that outlives every look.
fn open_at_rest(line: &Link, world: &LinkFacts<'_>) -> OpenedFile {
    match &world.condition.running {
        Some(who) => Err(Fate::Refused(Refusal::GuestRunning { who: who.clone() })),
        None => open(line, world),
    }
}

/// Is it what the line says, and the same inode as that of the first line?
fn proven(
    line: &Link,
    file: &Regular,
    now: &FileState,
    first: &FileState,
    world: &LinkFacts<'_>,
) -> Result<(), Fate> {
    not_in_use(line, now, world.condition, world.policy)?;
    as_recorded(line, file, now, world)?;
    also_refer(line, now, world)?;
    if now.id == first.id {
        return Ok(());
    }
    let fields = vec![Moved::Ino];
    Err(Fate::Refused(Refusal::Changed { fields }))
}

/// Is each of its names one of the lines'? A name that stands there twice is one name.
fn all_accounted(lines: &[Link], state: &FileState) -> Result<(), Fate> {
    let names = lines
        .iter()
        .flat_map(|line| line.names().map(move |name| (&line.guest, name)));
    let names: HashSet<(&GuestName, &GuestPath)> = names.collect();
    match u64::from(state.nlink).checked_sub(names.len() as u64) {
        Some(0) => Ok(()),
        left => Err(Fate::Refused(Refusal::NamesElsewhere {
            names: left.unwrap_or_default(),
        })),
    }
}

/// The jobs of an inode that becomes the object: each line has its own lease, and all stand or fall together.
fn adopted(
    lines: &[Link],
    files: Vec<(LinkFacts<'_>, Regular, FileState)>,
    objects: &mut ObjectsInUse<'_>,
) -> Result<Vec<PreparedLink>, InTheWay> {
    let mut jobs: Vec<(Job, Option<Time>)> = Vec::with_capacity(lines.len());
    for (at, (line, (world, file, state))) in lines.iter().zip(files).enumerate() {
        let old = lease(file).map_err(|fate| (at, fate))?;
        adoptable(line, &old, &world, objects).map_err(|fate| (at, fate))?;
        let job = Job {
            guest: world.index,
            names: line.names().cloned().collect(),
            object: line.object,
            old: Old::Leased(old),
            state,
            new: None,
        };
        let untimed = world.policy.ignore.contains(&Ignored::Mtime);
        jobs.push((job, untimed.then_some(state.mtime)));
    }
    let Some((first, _)) = jobs.first() else {
        return Ok(Vec::new());
    };
    let (object, open) = made(first, objects).map_err(|fate| (0, fate))?;
    let mut open = Some(open);
    let prepared = jobs.into_iter().map(|(job, mtime)| {
        let job = Job { object, ..job };
        PreparedLink::adopting(job, mtime, open.take())
    });
    Ok(prepared.collect())
}

/// Makes the object of this file, in a generation of its own: its names are not moved to an object that is there.
fn made(job: &Job, objects: &mut ObjectsInUse<'_>) -> Result<(ObjectId, OpenObject), Fate> {
    let id = objects.free(job.object, u64::from(job.state.nlink))?;
    let Old::Leased(old) = &job.old else {
        return Err(Fate::Refused(Refusal::OpenForWriting {}));
    };
    Ok((id, objects.make(id, old, Making::Adopt)?))
}

/// Without the flag nothing is adopted, nor what could not be given back its project, or its place.
fn adoptable(
    line: &Link,
    old: &Leased,
    world: &LinkFacts<'_>,
    objects: &mut ObjectsInUse<'_>,
) -> Result<(), Fate> {
    let guest = (world.index, world.guest);
    let can = objects.can_give_back(old.file(), guest, line);
    let fields = match (can, world.may_adopt) {
        (true, true) => return Ok(()),
        (false, _) => vec![Moved::Project],
        (true, false) => vec![Moved::Flags],
    };
    Err(Fate::Refused(Refusal::Changed { fields }))
}
