//! The second step: files whose source refers to an object refer to it as well, by a plan that `apply` proves and
//! executes like any other.

use std::collections::HashMap;
use std::path::PathBuf;

use super::copy::SharedCopy;
use crate::base::Base;
use crate::engine::applying::ready::{ApplyOptions, ReadyToApply};
use crate::engine::error::EngineError;
use crate::engine::plan_file::PlanFile;
use crate::engine::planning::options::PlanOptions;
use crate::engine::planning::twins::{Twin, plan_of_twins};
use crate::engine::proof::is_timed;
use crate::engine::receipt_file::RunResult;
use crate::engine::records::History;
use crate::engine::{GuestArg, Limits};
use crate::model::{
    DatabaseUse, Event, FlagClearers, Ignored, MethodChoice, ObjectId, Objects, Observer,
    OnDamaged, Policy, Protect, Running, SkipDetail,
};
use crate::protect;
use crate::rules::selectors::Selection;
use crate::sys::PageCache;
use crate::sys::host::signals::Stop;

/// Files that shall refer to objects.
pub struct Linking {
    pub(super) guest: GuestArg,
    /// `None` where nothing can be linked.
    pub(super) base: Option<PathBuf>,
    pub(super) files: Vec<SharedCopy>,
    pub(super) running: Running,
}

/// Files of one kind, and what is ignored of them.
type Kind = (Vec<SharedCopy>, Vec<Ignored>);

impl Linking {
    /// Is there anything to link?
    pub fn is_due(&self) -> bool {
        self.base.is_some() && !self.files.is_empty()
    }

    /// Links them. Objects that were made with the files' times and those that were made without are proven in
    /// different ways, so that each kind has a run of its own where there are both.
    pub fn execute(
        self,
        observer: &dyn Observer,
        stop: &Stop,
    ) -> Result<Vec<RunResult>, EngineError> {
        let Some(base) = &self.base else {
            return Ok(Vec::new());
        };
        let opened = Base::existing(base)?;
        let protected = History::read(&opened)?.protection()?;
        let (files, bare) = protected_as_promised(&opened, self.files, &protected)?;
        if bare > 0 {
            observer.notice(&Event::Warning(&format!(
                "{bare} files of the clone stay its own: the shared files that the source has in their place have lost their protection; `unify recover` gives it back, and a plan shares them then"
            )));
        }
        let kinds = by_kind(&opened, files)?;
        let mut results = Vec::new();
        for (files, ignore) in kinds.into_iter().filter(|(files, _)| !files.is_empty()) {
            let protect = protection_of(&opened, &files)?;
            let options = PlanOptions {
                images: Vec::new(),
                guests: vec![self.guest.clone()],
                base: Some(base.clone()),
                protect,
                policy: policy(ignore),
                confine: false,
                cache: false,
                jobs: None,
                page_cache: PageCache::Keep,
            };
            let twins = files.into_iter().map(|file| Twin {
                names: file.names,
                object: file.object,
            });
            let mut plan = PlanFile::of_our_own(base, |out| {
                plan_of_twins(&options, twins.collect(), out, observer)
            })?;
            let apply = ApplyOptions {
                running: self.running,
                limits: Limits::default(),
                ..ApplyOptions::default()
            };
            let ready = ReadyToApply::check(&mut plan, &Selection::default(), apply, observer)?;
            let result = ready.execute(observer, stop)?;
            let ended = result.interrupted;
            results.push(result);
            if ended {
                break;
            }
        }
        Ok(results)
    }
}

/// What decides is known already: no rule is asked.
fn policy(ignore: Vec<Ignored>) -> Policy {
    Policy {
        ignore,
        same_path: false,
        min_size: 0,
        allow: Vec::new(),
        patterns: Vec::new(),
        objects: Objects::Copy,
        skips: SkipDetail::Summary,
        on_damaged_database: OnDamaged::ExcludeGuest,
        package_databases: DatabaseUse::default(),
        flag_clearers: FlagClearers::Warn,
        method: MethodChoice::Hardlink,
        within: false,
        reflink_config: false,
        file: None,
    }
}

/// Files whose objects are protected, or never were by any run; and how many others there are. A clone that got names
/// of an object that lost its flag would be open to the writes of all its holders.
fn protected_as_promised(
    base: &Base,
    files: Vec<SharedCopy>,
    protected: &HashMap<ObjectId, bool>,
) -> Result<(Vec<SharedCopy>, u64), EngineError> {
    let (mut sound, mut bare) = (Vec::with_capacity(files.len()), 0);
    for file in files {
        let object = base.object(&file.object)?;
        let is_on = match &object {
            Some(object) => protect::on(object)?.is_some(),
            None => true,
        };
        match is_on || protected.get(&file.object) == Some(&false) {
            true => sound.push(file),
            false => bare += 1,
        }
    }
    Ok((sound, bare))
}

fn by_kind(base: &Base, files: Vec<SharedCopy>) -> Result<[Kind; 2], EngineError> {
    let (mut timed, mut untimed) = (Vec::new(), Vec::new());
    for file in files {
        let Some(object) = base.object(&file.object)? else {
            continue;
        };
        match is_timed(&object.metadata(&[])?, &file.object) {
            true => timed.push(file),
            false => untimed.push(file),
        }
    }
    Ok([(timed, Vec::new()), (untimed, vec![Ignored::Mtime])])
}

/// How the objects are protected now: the clone changes nothing about that. Where none is, no run ever protected them.
fn protection_of(base: &Base, files: &[SharedCopy]) -> Result<Protect, EngineError> {
    for file in files {
        let object = base.object(&file.object)?;
        if let Some(on) = object
            .map(|object| protect::on(&object))
            .transpose()?
            .flatten()
        {
            return Ok(on.mode());
        }
    }
    Ok(Protect::None)
}
