//! One link line against the world as it is: may it be done, and with which object? Nothing of a guest is changed
//! here. Every fact of the plan is derived anew; the plan can only narrow what is done.

mod in_use;

use std::collections::HashSet;

use super::objects::{ObjectsInUse, OpenObject};
use crate::engine::activity::Activity;
use crate::engine::exchange::job::Fate;
use crate::engine::exchange::job::{Job, Old};
use crate::engine::proof::differing;
use crate::engine::records::holders::Holding;
use crate::engine::{Guest, in_parallel};
use crate::model::{
    FileId, FileState, Ignored, Link, Making, Moved, ObjectId, Policy, Refusal, Time,
};
use crate::rules::precondition::{moved, shows_only_names};
use crate::sys::{Leased, Regular, SysError};

pub(super) use in_use::not_in_use;

/// A link line that may be done.
pub struct PreparedLink {
    pub job: Job,
    /// Set where the object is made from this file.
    pub made: Option<Making>,
    /// The file's own time, where the policy lets it differ from the object's.
    pub mtime: Option<Time>,
    /// The object that it is still to be compared with; an adopted file is the object, and is compared with its
    /// name.
    against: Option<OpenObject>,
}

/// Compares every file with its object, and looks whether it is still what it was. A line with `Ok` may be done.
pub(super) fn compare_all(
    ready: &mut [(Link, Box<PreparedLink>)],
    ignore: &[Ignored],
) -> Vec<Result<(), Fate>> {
    let compare = |(_, prepared): &mut (Link, Box<PreparedLink>)| prepared.compare(ignore);
    in_parallel::each_noting(ready, compare)
}

/// Objects that will not exist: the files that were to be adopted for them did not pass.
pub(super) fn not_adopted(
    ready: &[(Link, Box<PreparedLink>)],
    equal: &[Result<(), Fate>],
) -> HashSet<ObjectId> {
    let over = ready.iter().zip(equal).filter(|(_, equal)| equal.is_err());
    let makers = over.filter(|((_, prepared), _)| prepared.made == Some(Making::Adopt));
    makers
        .map(|((_, prepared), _)| prepared.job.object)
        .collect()
}

impl PreparedLink {
    /// A file that becomes the object itself; `open` is given for one of the lines about an inode.
    pub(super) fn adopting(job: Job, mtime: Option<Time>, open: Option<OpenObject>) -> Self {
        PreparedLink {
            job,
            made: Some(Making::Adopt),
            mtime,
            against: open,
        }
    }

    fn compare(&mut self, ignore: &[Ignored]) -> Result<(), Fate> {
        let PreparedLink { job, against, .. } = self;
        match against.take() {
            Some(open) if job.new.is_none() => open.is_itself(&job.object)?,
            Some(open) => equal(job.old.file(), &job.state, &open, ignore)?,
            None => {}
        }
        let still = job.old.file().state().map_err(failed)?;
        let fields = moved(&(&job.state).into(), &still);
        if !fields.is_empty() {
            return Err(Fate::Refused(Refusal::Changed { fields }));
        }
        job.state = still;
        Ok(())
    }
}

/// What a line comes to before anything is changed.
pub enum LinkVerdict {
    /// It may be done, if [`compare_all`] says so too.
    Ready(Box<PreparedLink>),
    /// All its names refer to the object already.
    AlreadyDone(ObjectId),
    /// It ends here, with this fate.
    Over(Fate),
}

/// What a line is compared with.
pub struct LinkFacts<'a> {
    pub index: usize,
    pub guest: &'a Guest,
    pub condition: &'a Activity,
    /// The activity of all guests that hold names of the base.
    pub conditions: &'a [Activity],
    pub policy: &'a Policy,
    /// The largest file for which guests are frozen.
    pub most_frozen: u64,
    /// May objects be adopted at all? Not without the flag.
    pub may_adopt: bool,
    /// Is the guest being maintained?
    pub is_maintained: bool,
}

/// The file of a line, opened.
pub type OpenedFile = Result<(Regular, FileState), Fate>;

/// Opens the files of all lines in parallel, and the objects that they may refer to; does nothing where they are
/// few.
pub fn open_all<'w>(
    links: &[(Link, ObjectId)],
    world: impl Fn(&Link) -> Option<LinkFacts<'w>> + Sync,
    objects: &mut ObjectsInUse<'_>,
) -> Vec<Option<OpenedFile>> {
    if links.len() < in_parallel::MANY {
        return Vec::new();
    }
    objects.open_ahead(links.iter().map(|(_, start)| *start));
    let open = |(link, _): &(Link, ObjectId)| world(link).map(|world| open(link, &world));
    in_parallel::each(links, open)
}

/// Compares `link` with the disk; its file may have been opened before.
pub fn prepare(
    link: &Link,
    start: ObjectId,
    world: &LinkFacts<'_>,
    opened: Option<OpenedFile>,
    objects: &mut ObjectsInUse<'_>,
    holding: &mut Holding<'_>,
) -> LinkVerdict {
    match try_prepare(link, start, world, opened, objects, holding) {
        Ok(verdict) => verdict,
        Err(fate) => LinkVerdict::Over(fate),
    }
}

fn try_prepare(
    link: &Link,
    start: ObjectId,
    world: &LinkFacts<'_>,
    opened: Option<OpenedFile>,
    objects: &mut ObjectsInUse<'_>,
    holding: &mut Holding<'_>,
) -> Result<LinkVerdict, Fate> {
    let (file, state) = opened.unwrap_or_else(|| open(link, world))?;
    if let Some(id) = refers_already(link, &state, objects)? {
        also_refer(link, &state, world)?;
        return Ok(LinkVerdict::AlreadyDone(id));
    }
    not_in_use(link, &state, world.condition, world.policy)?;
    as_recorded(link, &file, &state, world)?;
    not_sealed(&file)?;
    all_names(link, &state, world)?;
    let old = lease(file)?;
    let names = 1 + link.also.len() as u64;
    let (id, present) = objects.find(start, names)?;
    frozen_in_time(&id, &state, world, holding)?;
    let (open, made) = match present {
        Some(open) => (open, None),
        None => {
            let guest = (world.index, world.guest);
            let how = objects.making(making(link, world), old.file(), guest, link);
            (objects.make(id, &old, how)?, Some(how))
        }
    };
    may_lift(&id, &open, world, holding)?;
    let adopted = made == Some(Making::Adopt);
    if !adopted {
        objects.add_names(&id, names);
    }
    let untimed = world.policy.ignore.contains(&Ignored::Mtime);
    let mtime = untimed.then_some(state.mtime);
    let job = Job {
        guest: world.index,
        names: link.names().cloned().collect(),
        object: id,
        old: Old::Leased(old),
        state,
        new: (!adopted).then(|| open.new_inode()),
    };
    Ok(LinkVerdict::Ready(Box::new(PreparedLink {
        job,
        made,
        mtime,
        against: Some(open),
    })))
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(error: SysError) -> Fate {
    Fate::Failed(error.to_string())
}

fn quiet_and_uncovered(link: &Link, world: &LinkFacts<'_>) -> Result<(), Fate> {
    if world.is_maintained {
        return Err(Fate::Refused(Refusal::BeingMaintained {}));
    }
    if let Some(who) = world.condition.in_the_way() {
        return Err(Fate::Refused(Refusal::GuestRunning { who: who.clone() }));
    }
    if link.names().any(|name| world.condition.covers(name)) {
        return Err(Fate::Refused(Refusal::MountedOver {}));
    }
    Ok(())
}

pub(super) fn open(link: &Link, world: &LinkFacts<'_>) -> OpenedFile {
    quiet_and_uncovered(link, world)?;
    let opened = world.guest.root.open_regular_seen(link.path.relative());
    let opened = opened.map_err(|error| match error.meaning() {
        crate::sys::Meaning::Busy => Fate::Refused(Refusal::OpenForWriting {}),
        _ => Fate::from_path_error(&error),
    })?;
    opened.ok_or(Fate::Refused(Refusal::Changed {
        fields: vec![Moved::Type],
    }))
}

/// The object that all names of the line refer to already, of whatever generation: only those are asked that are there.
pub(super) fn refers_already(
    link: &Link,
    state: &FileState,
    objects: &mut ObjectsInUse<'_>,
) -> Result<Option<ObjectId>, Fate> {
    let first = ObjectId {
        generation: 0,
        ..link.object
    };
    if objects.inode(&first)? == Some(state.id) {
        return Ok(Some(first));
    }
    for id in objects.later_generations(&first)? {
        if objects.inode(&id)? == Some(state.id) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Compares the file with the evidence. Where only ctime shows that something changed, looks what it was.
pub(super) fn as_recorded(
    link: &Link,
    file: &Regular,
    state: &FileState,
    world: &LinkFacts<'_>,
) -> Result<(), Fate> {
    let Some(before) = &link.before else {
        return Err(Fate::Failed("the line has no evidence".into()));
    };
    let mut fields = moved(before, state);
    if link.size != state.size && !fields.contains(&Moved::Size) {
        fields.push(Moved::Size);
    }
    if fields.is_empty() {
        return Ok(());
    }
    if state.size == before.size && fields.iter().copied().all(shows_only_names) {
        fields.extend(hidden_change(link, file, state, world));
    }
    Err(Fate::Refused(Refusal::Changed { fields }))
}

/// What a guest has sealed itself, no object takes the place of: its seal is in no comparison.
fn not_sealed(file: &Regular) -> Result<(), Fate> {
    match Regular::means_sealed(file.flags().map_err(failed)?) {
        true => Err(Fate::Refused(Refusal::Changed {
            fields: vec![Moved::Flags],
        })),
        false => Ok(()),
    }
}

/// What changed while a time was restored: a help for the reader, so an error adds nothing.
fn hidden_change(
    link: &Link,
    file: &Regular,
    state: &FileState,
    world: &LinkFacts<'_>,
) -> Vec<Moved> {
    let mut fields = Vec::new();
    if file
        .digest(state.size)
        .is_ok_and(|content| content != link.object.content)
    {
        fields.push(Moved::Content);
    }
    if let Ok(metadata) = file.metadata(&world.policy.ignore) {
        fields.extend(differing(&metadata, &link.object, link.before.as_ref()));
    }
    fields
}

/// Is every other name of the line a name of the same file?
pub(super) fn also_refer(
    link: &Link,
    state: &FileState,
    world: &LinkFacts<'_>,
) -> Result<(), Fate> {
    for name in &link.also {
        let seen: FileId = world
            .guest
            .root
            .look(name.relative())
            .map_err(|e| Fate::from_path_error(&e))?
            .id;
        if seen != state.id {
            return Err(Fate::Refused(Refusal::Changed {
                fields: vec![Moved::Ino],
            }));
        }
    }
    Ok(())
}

/// The same, and do no further names exist?
fn all_names(link: &Link, state: &FileState, world: &LinkFacts<'_>) -> Result<(), Fate> {
    also_refer(link, state, world)?;
    if link.has_names_elsewhere() {
        return Err(Fate::without_the_others(link));
    }
    if u64::from(state.nlink) != 1 + link.also.len() as u64 {
        return Err(Fate::Refused(Refusal::Changed {
            fields: vec![Moved::Nlink],
        }));
    }
    Ok(())
}

pub(super) fn lease(file: Regular) -> Result<Leased, Fate> {
    Leased::take(file)
        .map_err(failed)?
        .map_err(|_| Fate::Refused(Refusal::OpenForWriting {}))
}

/// Chooses between copy and adoption: the plan proposes, apply decides. Adoption needs the flag, and the plan's
/// own word that the file is not more fragmented than its twins; that the guest is quiet, the lease granted and
/// all names known was seen before.
fn making(link: &Link, world: &LinkFacts<'_>) -> Making {
    // A descriptor of a guest that runs would outlive its freeze.
    let quiet = world.condition.running.is_none();
    match link.makes {
        Some(Making::Adopt) if world.may_adopt && quiet => Making::Adopt,
        _ => Making::Copy,
    }
}

/// Guests are not frozen for a file that takes far longer than they may stand still.
fn frozen_in_time(
    id: &ObjectId,
    state: &FileState,
    world: &LinkFacts<'_>,
    holding: &Holding<'_>,
) -> Result<(), Fate> {
    if state.size <= world.most_frozen {
        return Ok(());
    }
    let holders = holding.holders(id).map_err(failed)?;
    let waits = |at: usize| world.conditions.get(at).is_some_and(|one| one.can_freeze);
    if waits(world.index) || holders.into_iter().any(waits) {
        let most = world.most_frozen;
        return Err(Fate::Refused(Refusal::TooLargeToFreeze { most }));
    }
    Ok(())
}

/// May the flag come off? A flag that is on may come off only while every holder is known and quiet; and where it
/// is off, a holder that runs could write to the object after it was compared. A flag that stays on keeps all of them
/// from it.
fn may_lift(
    id: &ObjectId,
    open: &OpenObject,
    world: &LinkFacts<'_>,
    holding: &mut Holding<'_>,
) -> Result<(), Fate> {
    if open.made.is_some() || open.stays_protected() {
        return Ok(());
    }
    let lift = holding.may_lift(id, &open.state, 1, world.conditions);
    lift.map_err(failed)?.map_err(Fate::Refused)
}

fn equal(
    old: &Regular,
    state: &FileState,
    open: &OpenObject,
    ignore: &[Ignored],
) -> Result<(), Fate> {
    let fields = open.differs(old, state, ignore).map_err(failed)?;
    if fields.is_empty() {
        Ok(())
    } else {
        Err(Fate::Refused(Refusal::DiffersFromObject { fields }))
    }
}
