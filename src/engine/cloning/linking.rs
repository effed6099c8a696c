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
use crate::model::{Event, Ignored, ObjectId, Objects, Observer, Policy, Protect, Running};
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

/// Files whose objects are proven in one way.
struct Kind {
    files: Vec<SharedCopy>,
    /// What is ignored of them.
    ignore: Vec<Ignored>,
    /// How their objects are protected now: the clone changes nothing about that. Where none is, no run ever protected
    /// them.
    protect: Protect,
}

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
        let (kinds, bare) = sorted(&opened, self.files, &protected)?;
        if bare > 0 {
            observer.notice(&Event::Warning(&format!(
                "{bare} files of the clone stay its own: the shared files that the source has in their place have lost their protection; `unify recover` gives it back, and a plan shares them then"
            )));
        }
        let mut results = Vec::new();
        for kind in kinds.into_iter().filter(|kind| !kind.files.is_empty()) {
            let options = PlanOptions {
                images: Vec::new(),
                guests: vec![self.guest.clone()],
                base: Some(base.clone()),
                protect: kind.protect,
                policy: policy(kind.ignore),
                refreezes: None,
                confine: false,
                cache: false,
                jobs: None,
                page_cache: PageCache::Keep,
            };
            let twins = kind.files.into_iter().map(|file| Twin {
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
        objects: Objects::Copy,
        ..Policy::default()
    }
}

/// Files by their kinds, those made with the files' times first; each object is opened once. Files are left out, and
/// counted, whose objects have lost the protection that a run gave them: a clone that got names of such would be open
/// to the writes of all holders.
fn sorted(
    base: &Base,
    files: Vec<SharedCopy>,
    protected: &HashMap<ObjectId, bool>,
) -> Result<([Kind; 2], u64), EngineError> {
    let mut kinds = [Vec::new(), vec![Ignored::Mtime]].map(|ignore| Kind {
        files: Vec::new(),
        ignore,
        protect: Protect::None,
    });
    let mut bare = 0;
    for file in files {
        let Some(object) = base.object(&file.object)? else {
            continue;
        };
        let on = protect::on(&object)?;
        if on.is_none() && protected.get(&file.object) != Some(&false) {
            bare += 1;
            continue;
        }
        let is_timed = is_timed(&object.metadata(&[])?, &file.object);
        let kind = &mut kinds[usize::from(!is_timed)];
        if let (Protect::None, Some(on)) = (kind.protect, on) {
            kind.protect = on.mode();
        }
        kind.files.push(file);
    }
    Ok((kinds, bare))
}
