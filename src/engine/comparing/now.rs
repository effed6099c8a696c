//! The plan that would be made now: of the guests of another plan, by its choices, at its base.

use std::path::Path;

use crate::engine::planning::options::PlanOptions;
use crate::engine::planning::output::Output;
use crate::engine::planning::{Planned, plan};
use crate::engine::{EngineError, GuestArg, PlanFile};
use crate::model::{Event, GuestName, Observer, PlannedGuest, Policy, Protect};
use crate::sys::{Meaning, PageCache, canonical};

/// How it is made.
#[derive(Debug, Clone, Copy)]
pub struct NowOptions {
    /// May it use what the base remembers of earlier plans, and remember what it reads, as every plan does?
    pub cache: bool,
    /// What becomes of the pages of large files that are read.
    pub page_cache: PageCache,
}

/// Makes it, into a file without a name. The process is confined from then on, as that of `plan`. A guest whose root is
/// gone is not in it.
pub fn plan_of_now(
    old: &mut PlanFile,
    options: NowOptions,
    observer: &dyn Observer,
) -> Result<(PlanFile, Planned), EngineError> {
    let (header, guests) = old.head()?;
    let (base, protect) = match &header.target {
        Some(target) => {
            let protect = target.protection.as_ref().map(|how| how.mode);
            (
                Some(target.base.path.clone()),
                protect.unwrap_or(Protect::Auto),
            )
        }
        None => (None, Protect::Auto),
    };
    let guests = still_there(&guests, observer);
    let options = PlanOptions {
        images: Vec::new(),
        policy: policy_of(header.policy, &guests),
        guests,
        base,
        protect,
        refreezes: None,
        confine: true,
        cache: options.cache,
        jobs: None,
        page_cache: options.page_cache,
    };
    let (now, into) = PlanFile::unwritten(NOW)?;
    let planned = plan(&options, Output::Stream(into), &mut |_| {}, observer)?;
    Ok((now, planned))
}

/// How the plan is called.
const NOW: &str = "now";

/// The guests whose roots are where the plan says; all of them where none is, so that the first is named.
fn still_there(guests: &[PlannedGuest], observer: &dyn Observer) -> Vec<GuestArg> {
    let arg = |guest: &PlannedGuest| GuestArg {
        name: Some(guest.name.clone()),
        path: guest.root.clone(),
    };
    let (there, gone): (Vec<_>, Vec<_>) = guests.iter().partition(|guest| !is_gone(&guest.root));
    if there.is_empty() {
        return guests.iter().map(arg).collect();
    }
    for guest in gone {
        let name = &guest.name;
        observer.notice(&Event::Warning(&format!(
            "{name}: its root is not there any more"
        )));
    }
    there.into_iter().map(arg).collect()
}

/// The choices that are about these guests, or about all.
fn policy_of(mut policy: Policy, guests: &[GuestArg]) -> Policy {
    let is_there = |name: &GuestName| guests.iter().any(|guest| guest.name.as_ref() == Some(name));
    let patterns = &mut policy.patterns;
    patterns.retain(|pattern| pattern.guest.as_ref().is_none_or(is_there));
    policy
        .package_databases
        .guests
        .retain(|name, _| is_there(name));
    policy
}

fn is_gone(root: &Path) -> bool {
    canonical(root).is_err_and(|error| error.meaning() == Meaning::Gone)
}
