//! A guest that was looked at, and can be cloned.

use std::path::PathBuf;

use super::contents::Contents;
use super::copy::{Copied, Copying};
use super::known::KnownFiles;
use super::linking::Linking;
use super::look::{CloneCensus, look};
use super::place::NewPlace;
use super::tree::Original;
use crate::base::{Base, Index};
use crate::engine::activity::{Activity, Sight};
use crate::engine::error::CannotHere;
use crate::engine::host::{disk_change, lock_note};
use crate::engine::paths::links::GuestLinks;
use crate::engine::privileges::{entitled, must_see_all};
use crate::engine::records::{History, receipts};
use crate::engine::{EngineError, Guest, GuestArg, guest};
use crate::model::{
    Blocks, CloneRemarks, ClonedGuest, Event, GuestClone, Observer, Running, Stage as Part, Unit,
};
use crate::rules::identity::Identity;
use crate::rules::secrets::Secrets;
use crate::sys::host::machine;
use crate::sys::host::machine::Filesystem;
use crate::sys::host::signals::Stop;
use crate::sys::own::papers::Lock;
use crate::sys::own::stage::TreeStage;
use crate::sys::{Patience, View};

/// What shall be cloned, and how.
#[derive(Debug, Clone)]
pub struct CloneOptions {
    /// The guest.
    pub guest: GuestArg,
    /// The new one, which does not exist.
    pub new: GuestArg,
    /// The base in which the guest's files may be shared.
    pub base: Option<PathBuf>,
    /// Shall the new guest have what stands for one machine?
    pub keep_identity: bool,
    /// What is done about guests that run.
    pub running: Running,
    /// Is it only looked at? Then no other run is kept waiting, and nothing is removed.
    pub dry_run: bool,
}

/// A guest that was looked at and can be cloned once.
pub struct ReadyToClone {
    source: Guest,
    view: View,
    place: NewPlace,
    base: Option<Base>,
    known: KnownFiles,
    identity: Option<Identity>,
    looked: CloneCensus,
    condition: Activity,
    disk: Filesystem,
    blocks: Blocks,
    not_linked: Option<String>,
    running: Running,
    lock: Option<Lock>,
}

/// A guest that was made, and what is still to be linked in it.
pub struct MadeClone {
    /// What was made.
    pub clone: GuestClone,
    /// Files that shall refer to objects.
    pub linking: Linking,
}

impl ReadyToClone {
    /// Looks at the whole guest, and at the place of the new one. Nothing is changed, but that what a clone left goes
    /// whose process died.
    pub fn check(
        options: &CloneOptions,
        observer: &dyn Observer,
        stop: &Stop,
    ) -> Result<ReadyToClone, EngineError> {
        entitled("clone", "it makes files of all owners")?;
        must_see_all("clone")?;
        let source = Guest::from_arg(&options.guest)?;
        let place = NewPlace::of(&options.new, &source, options.base.as_deref())?;
        let base = options.base.as_deref().map(Base::existing).transpose()?;
        let lock = match (&base, options.dry_run) {
            (Some(base), false) => Some(held(base)?),
            _ => None,
        };
        let known = remembered(base.as_ref(), &source, &place, observer)?;
        if !options.dry_run {
            guest::hold([&source])?;
        }
        let condition = quiet(&source, options.running)?;
        let view = View::of(&source.root)?;
        if !view.is_private() {
            return Err(CannotHere::NotPrivileged("clone").into());
        }
        let files = source.files()?;
        let links = GuestLinks::of(&*files);
        let identity = identity(&source, options, &links)?;
        observer.notice(&Event::Begin(Part::Scan, Unit::Names, None));
        let original = Original {
            view: &view,
            guest: &source,
            identity: identity.as_ref(),
            stop,
        };
        let looked = look(&original, &known, Secrets::of_guest(&links), observer)?;
        observer.notice(&Event::End);
        let blocks = match looked.reflinks_to(&view, place.parent())? {
            true => Blocks::Shared,
            false => Blocks::Copied,
        };
        Ok(ReadyToClone {
            disk: machine::filesystem(place.parent())?,
            not_linked: match looked.totals.shared_files {
                0 => None,
                _ => place.cannot_link(base.as_ref())?,
            },
            running: options.running,
            source,
            view,
            place,
            base,
            known,
            identity,
            looked,
            condition,
            blocks,
            lock,
        })
    }

    /// What it would make.
    pub fn view(&self) -> GuestClone {
        GuestClone {
            source: ClonedGuest {
                name: self.source.name.clone(),
                root: self.source.path.clone(),
            },
            new: ClonedGuest {
                name: self.place.name.clone(),
                root: self.place.path.clone(),
            },
            blocks: self.blocks,
            base: self.base.as_ref().map(|base| base.path().to_owned()),
            not_linked: self.not_linked.clone(),
            totals: self.looked.totals,
            needed: self.looked.needed(self.blocks),
            free: self.disk.free,
            left_out: self.looked.left_out.clone(),
            remarks: self.remarks(self.looked.remarks.clone()),
            running: self.condition.running.clone(),
            disk: None,
        }
    }

    fn remarks(&self, mut remarks: CloneRemarks) -> CloneRemarks {
        for mount in &self.condition.covered {
            remarks.mounts.push(mount);
        }
        remarks
    }

    /// Is there room for it?
    pub fn has_room(&self) -> Result<(), EngineError> {
        let place = self.place.parent().path().to_owned();
        let (needed, free) = (self.looked.needed(self.blocks), self.disk.free);
        if needed > free {
            return Err(CannotHere::NoRoomToClone {
                place,
                needed,
                free,
            }
            .into());
        }
        let needed = self.looked.inodes();
        match self.disk.free_inodes {
            Some(free) if free < needed => Err(CannotHere::NoNamesToClone {
                place,
                needed,
                free,
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Makes it.
    pub fn execute(self, observer: &dyn Observer, stop: &Stop) -> Result<MadeClone, EngineError> {
        self.has_room()?;
        // What a clone has left that was killed here, with a base or without.
        drop(TreeStage::remove_all_stale(&self.place.path));
        let at = TreeStage::place_beside(&self.place.path);
        if let Some(base) = &self.base {
            base.note_clone(&at)?;
        }
        let made = self.make(&at, observer, stop);
        if let Some(base) = &self.base {
            base.end_clone()?;
        }
        let copied = made?;
        let mut clone = self.view();
        clone.totals.reflinked = copied.reflinked;
        clone.left_out = copied.left_out;
        clone.remarks = self.remarks(copied.remarks);
        let counts_later = self.blocks == Blocks::Shared;
        clone.disk = disk_change(&self.disk, self.place.parent(), counts_later);
        let linking = Linking {
            guest: self.place.as_guest(),
            base: clone.base.clone().filter(|_| self.not_linked.is_none()),
            files: copied.shared,
            running: self.running,
        };
        // `apply` takes it again.
        drop(self.lock);
        Ok(MadeClone { clone, linking })
    }

    fn make(
        &self,
        at: &std::path::Path,
        observer: &dyn Observer,
        stop: &Stop,
    ) -> Result<Copied, EngineError> {
        let stage = TreeStage::make(at)?;
        let files = Some(self.looked.totals.files);
        observer.notice(&Event::Begin(Part::Clone, Unit::Files, files));
        let copying = Copying {
            original: Original {
                view: &self.view,
                guest: &self.source,
                identity: self.identity.as_ref(),
                stop,
            },
            known: &self.known,
            is_running: self.condition.running.is_some(),
            observer,
        };
        let contents = Contents::at(self.place.parent(), self.blocks)?;
        let mut copied = copying.copy(stage.root()?, contents)?;
        copied.remarks.secrets = self.looked.remarks.secrets.clone();
        observer.notice(&Event::End);
        // Before anything is where it is looked for, all of it is on the disk.
        stage.root()?.sync_filesystem()?;
        self.place.take(stage)?;
        Ok(copied)
    }
}

/// What the new guest shall not have. All of it must be known, wherever the links of the guest lead.
fn identity(
    source: &Guest,
    options: &CloneOptions,
    links: &GuestLinks<'_>,
) -> Result<Option<Identity>, EngineError> {
    let identity = (!options.keep_identity).then(|| Identity::of_guest(links));
    match identity.as_ref().is_some_and(Identity::is_cut_short) {
        true => Err(CannotHere::IdentityNotFound(source.name.clone()).into()),
        false => Ok(identity),
    }
}

/// The lock of the base; a clone that was being made when its process died goes.
fn held(base: &Base) -> Result<Lock, EngineError> {
    let lock = base.lock(&lock_note("clone"))?;
    base.clear_clone()?;
    Ok(lock)
}

/// What the base remembers of the source. A name that another guest has is refused.
fn remembered(
    base: Option<&Base>,
    source: &Guest,
    place: &NewPlace,
    observer: &dyn Observer,
) -> Result<KnownFiles, EngineError> {
    let Some(base) = base else {
        return Ok(KnownFiles::default());
    };
    let history = History::read(base)?;
    receipts::tell(&history.damaged, base, observer);
    place.is_no_others(&history)?;
    KnownFiles::of(Index::read(base)?, &history, source)
}

/// Refuses a guest in which somebody is at work, unless that is wished.
fn quiet(source: &Guest, running: Running) -> Result<Activity, EngineError> {
    let sight = Sight::take(&[source], None, &[], Patience::ToChange)?;
    let condition = sight.conditions(&[]).pop().unwrap_or_default();
    match (&condition.running, running) {
        (Some(who), Running::Refuse) => Err(EngineError::CloneOfRunning {
            guest: source.name.clone(),
            who: who.clone(),
        }),
        _ => Ok(condition),
    }
}
