//! The base as a plan sees it: what is in it, what can be done there, and what it says of earlier runs.

use std::path::{Path, PathBuf};

use super::choices::method::{DecidedMethod, TrialPlace, decide_method};
use super::classify::Classified;
use super::options::PlanOptions;
use crate::base::{Base, BaseError, Digests, FrozenPaper, Index, MaintainedPaper, check_place};
use crate::engine::host::host_digest;
use crate::engine::records::unprotected::left_unprotected;
use crate::engine::records::{History, receipts};
use crate::engine::roots::one_mount::one_mount;
use crate::engine::{EngineError, Guest, protection};
use crate::model::{
    BaseFacts, Event, FileId, GuestName, MaintainedGuest, Method, MethodChoice, Observer,
    PlanMethods, PlanTarget, Protect,
};
use crate::rules::crossing::Crossing;
use crate::sys::host::machine::{self, Filesystem};
use crate::sys::{Dir, Meaning};

/// Guests that an earlier run left frozen, before anything else is said. What cannot be read is no reason not to plan.
fn warn_of_frozen(base: &Base, observer: &dyn Observer) {
    let left = FrozenPaper::left_standing(base).unwrap_or_else(|error| {
        let why = format!("{error}; whether guests were left frozen is not known");
        observer.notice(&Event::Unread(&why));
        Vec::new()
    });
    if left.is_empty() {
        return;
    }
    let which: Vec<String> = left.iter().map(ToString::to_string).collect();
    observer.notice(&Event::Warning(&format!(
        "guests stand still: a run that was cut short left them frozen ({}); run `unify recover --base {}` now",
        which.join(", "),
        base.path().display()
    )));
}

/// The objects of the base once all guests are read, where a file has names elsewhere; `None` where the base may not be
/// read.
pub(super) fn objects_now(
    base: Option<&Base>,
    path: Option<&Path>,
    classified: &[Classified],
) -> Result<Option<Index>, EngineError> {
    let is_asked = classified.iter().any(|judged| !judged.tied.is_empty());
    Ok(match base {
        Some(base) if is_asked => Some(Index::read(base)?),
        None if path.is_some_and(Path::exists) => None,
        _ => Some(Index::default()),
    })
}

/// How many objects of the base lack their flag, those of other guests as well.
pub(super) fn unprotected(
    base: Option<&Base>,
    index: &Index,
    observer: &dyn Observer,
) -> Result<u64, EngineError> {
    let Some(base) = base else { return Ok(0) };
    let known = || {
        let history = History::read(base)?;
        receipts::tell(&history.damaged, base, observer);
        Ok(history.protection()?)
    };
    Ok(left_unprotected(base, index, known, observer)?.len() as u64)
}

/// Where a plan may write in the base; a base that cannot be written in remembers nothing.
pub(super) fn cache_of(base: &Base, observer: &dyn Observer) -> Option<PathBuf> {
    let place = Digests::place(base);
    let place = place.map_err(|error| {
        observer.notice(&Event::Warning(&format!("{error}; all files are read")));
    });
    place.ok()
}

/// Without root the base is closed: what it holds is then not known, and a warning says so. An audit has none.
pub(super) fn open_base(
    path: Option<&Path>,
    observer: &dyn Observer,
) -> Result<Option<Base>, EngineError> {
    let Some(path) = path else { return Ok(None) };
    match Base::open(path) {
        Err(BaseError::Sys(error)) if error.meaning() == Meaning::Denied && !machine::is_root() => {
            observer.notice(&Event::Unread(&format!(
                "{error}; the objects in it are not considered"
            )));
            Ok(None)
        }
        other => {
            let base = other?;
            base.iter().for_each(|base| warn_of_frozen(base, observer));
            Ok(base)
        }
    }
}

/// What there is of a base, and what can be done there.
pub(super) struct SeenBase {
    /// What the plan would be executed on; an audit is executed nowhere.
    pub target: Option<PlanTarget>,
    /// How files will be shared.
    pub methods: PlanMethods,
    /// Roots of guests that no hard link reaches.
    pub beyond: Vec<FileId>,
    /// How objects will be protected; in no way where none is made.
    pub mode: Protect,
    /// Most names that an object may have.
    pub max_links: u64,
    pub crossing: Crossing,
    pub index: Index,
    /// Guests that are being maintained.
    maintained: Vec<MaintainedGuest>,
}

impl SeenBase {
    /// Nothing was seen, for there is no place to try anything: an audit shows what could be shared where the flag
    /// holds, no limit is met, and names may leave their directories.
    fn nothing(asked: MethodChoice) -> SeenBase {
        let methods = match asked {
            MethodChoice::Hardlink | MethodChoice::Auto => PlanMethods::Hardlink,
            MethodChoice::Reflink => PlanMethods::Reflink,
            MethodChoice::Both => PlanMethods::Both,
        };
        SeenBase {
            target: None,
            methods,
            beyond: Vec::new(),
            mode: protect_for(methods, Protect::Immutable),
            max_links: u64::MAX,
            crossing: Crossing::default(),
            index: Index::default(),
            maintained: Vec::new(),
        }
    }

    /// Guests of which nothing is linked, because they are being maintained; but for the one that is refrozen.
    pub fn maintained_but(&self, refrozen: Option<&GuestName>) -> Vec<MaintainedGuest> {
        let all = self.maintained.iter();
        let others = all.filter(|one| refrozen != Some(&one.name));
        others.cloned().collect()
    }
}

/// Looks at the base and tries what a plan relies on; an audit has no base.
pub(super) fn look_at_base(
    options: &PlanOptions,
    path: Option<&Path>,
    base: Option<&Base>,
    guests: &[Guest],
) -> Result<SeenBase, EngineError> {
    let Some(path) = path else {
        return Ok(SeenBase::nothing(options.policy.method));
    };
    // A base that is not there yet is tried in the directory that it will be made in.
    let place = match base {
        Some(base) => base.dir().duplicate()?,
        None => Dir::open(path.parent().unwrap_or(path))?,
    };
    check_place(path)?;
    let filesystem = machine::filesystem(&place)?;
    let scratch = scratch_of(path, base);
    let tried = TrialPlace {
        base: path,
        dir: &place,
        scratch_beside: &scratch,
    };
    let DecidedMethod { taken, beyond } = decide_method(options.policy.method, guests, tried)?;
    let mode = taken.as_ref().map(|taken| taken.mode);
    let methods = mode.unwrap_or(PlanMethods::Hardlink);
    let index = base.map(Index::read).transpose()?.unwrap_or_default();
    let (crossing, protection) = match methods.has(Method::Hardlink) {
        true => {
            // Where reflinks are made as well, some guests may be beyond the reach of hard links.
            if methods == PlanMethods::Hardlink {
                one_mount(guests, path, &place)?;
            }
            let crossing = protection::names_can_be_shared(&place, &scratch, guests)?;
            let objects = base.map(|base| (base, index.len() as u64));
            let protection = protection::decide(options.protect, &place, objects)?;
            (crossing, Some(protection))
        }
        false => (Crossing::default(), None),
    };
    let facts = facts_of(path, filesystem, index.len() as u64);
    Ok(SeenBase {
        methods,
        beyond,
        mode: protection.as_ref().map_or(Protect::None, |it| it.mode),
        max_links: facts.max_links,
        crossing,
        index,
        maintained: base.map_or(Ok(Vec::new()), MaintainedPaper::read)?,
        target: Some(PlanTarget {
            host: host_digest()?,
            base: facts,
            method: taken,
            protection,
        }),
    })
}

fn facts_of(path: &Path, filesystem: Filesystem, objects: u64) -> BaseFacts {
    BaseFacts {
        path: path.to_owned(),
        filesystem: filesystem.name,
        max_links: filesystem.max_links,
        objects,
    }
}

/// Nothing is protected where no object is made.
fn protect_for(methods: PlanMethods, of_objects: Protect) -> Protect {
    match methods.has(Method::Hardlink) {
        true => of_objects,
        false => Protect::None,
    }
}

/// What a scratch directory is made beside: in the base, or where it will be.
fn scratch_of(path: &Path, base: Option<&Base>) -> PathBuf {
    match base {
        Some(base) => base.path().join("rehearsal"),
        None => {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(".rehearsal");
            path.with_file_name(name)
        }
    }
}
