//! `plan`: guests → scan → classify → match → choose → plan file. Nothing here can write to a guest.
//!
//! An audit goes the same way without a base: where there is none, nothing is tried, asked or remembered, and what is
//! written has no evidence to be applied by.

mod choices;
mod choose;
mod classify;
mod common_secrets;
mod evidence;
mod guest_limits;
mod leftover;
mod let_in;
mod lines;
mod matching;
pub(super) mod near_misses;
pub(super) mod options;
pub(super) mod output;
pub(super) mod purposes;
mod seen_base;
mod shared_inodes;
mod skip_lines;
pub(super) mod survey;
#[cfg(test)]
mod tests;
pub(super) mod twins;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::threads;
use super::threads::Threads;
use super::{EngineError, Guest, guest, sandbox};
use crate::base::Base;
use crate::ledger::{IMAGE_PLAN_SCHEMA_ID, PLAN_SCHEMA_ID};
use crate::model::{
    Action, Event, FORMAT, Header, Method, NearMisses, Objects, Observer, PlanMethods, PlanTarget,
    Policy,
};
use crate::protect;
use crate::rules::care::Care;
use crate::rules::pattern::BadPattern;
use crate::rules::secrets::Secrets;
use crate::rules::totals::SummaryBuilder;
use crate::sys::guest::Sharing;
use crate::sys::host::machine;
use crate::sys::{Reads, swap_files};
use choices::idle::idle_choices;
use choose::choose_all;
use classify::{Classified, Judge};
use common_secrets::same_secrets;
use evidence::Evidence;
use guest_limits::MostStored;
use leftover::Leftover;
use matching::Matcher;
use matching::compare::Reader;
use matching::digest_cache::Memory;
use near_misses::Near;
use options::PlanOptions;
use output::Output;
pub use purposes::writing::Planned;
use purposes::writing::WritePlan;
use purposes::{Decided, Purpose};
use seen_base::{SeenBase, cache_of, look_at_base, objects_now, open_base, unprotected};
use shared_inodes::other_bases::near;
use shared_inodes::{Adoption, SharedInodes};
use survey::all::survey_all;
use survey::opening::{open_guests, open_views, places};
use survey::{OpenedGuest, Survey};

/// Makes a plan and writes it to `output`; `each` sees every action as it is written.
pub fn plan(
    options: &PlanOptions,
    output: Output,
    each: &mut dyn FnMut(&Action),
    observer: &dyn Observer,
) -> Result<Planned, EngineError> {
    plan_for(options, WritePlan::to(output, each), observer)
}

/// Decides everything that a plan does, for this purpose.
pub(super) fn plan_for<P: Purpose>(
    options: &PlanOptions,
    mut purpose: P,
    observer: &dyn Observer,
) -> Result<P::Made, EngineError> {
    machine::large_tables_grow_in_place();
    let base_path = options.base.as_deref().map(guest::base_path).transpose()?;
    let base_path = base_path.as_deref();
    let (guests, images) = open_guests(options, base_path)?;
    let base = open_base(base_path, observer)?;
    let seen = look_at_base(options, base_path, base.as_ref(), &guests)?;
    let (care, then) = both_cares(&options.policy, seen.methods)?;
    let open = unprotected(base.as_ref(), &seen.index, observer)?;
    purpose.prepare(&places(&guests, &images, base_path))?;
    let reading = threads::reading(&guests, options.jobs)?;
    let most_stored = most_in(&guests)?;
    let (memory, place) = memory_in(base.as_ref(), options, observer);
    let other_bases = near(&guests, base_path);
    let swap_files = swap_files();
    let views = open_views(guests, images, base.as_ref(), seen.mode, observer)?;
    let opened = confined(views, options, &purpose, place.as_deref(), observer);
    let memory = memory.map_or_else(Memory::default, Memory::of);
    let threads = Threads::start(reading)?;
    let judge = Judge {
        maintained: &seen.maintained_but(options.refreezes.as_ref()),
        care: &care,
        secrets: &Secrets::new(),
        index: &seen.index,
        policy: &options.policy,
        most_stored,
        beyond: &seen.beyond,
    };
    let (surveys, mut classified) = threads.work(|| survey_all(opened, &judge, observer))?;
    let then = then.as_ref().map(|care| judge.of_all(care));
    let then = threads.work(|| Some(Leftover::judge(&surveys, &then?, &mut classified)));
    all_followed(&surveys, &mut classified, observer)?;
    let idle = threads.work(|| idle_choices(&options.policy, &surveys, &classified));
    let adoption = adoption(options, &seen);
    let objects = objects_now(base.as_ref(), base_path, &classified)?;
    let find = || SharedInodes::find(&surveys, &mut classified, adoption, objects.as_ref());
    let found = Evidence {
        options,
        care: &care,
        surveys: &surveys,
        max_links: seen.max_links,
        base: base.as_ref(),
        index: &seen.index,
        shared: &threads.work(find),
        other_bases: &other_bases,
        mode: seen.mode,
        crossing: &seen.crossing,
        swap: &swap_files,
        sharing: &Sharing::default(),
        threads: &threads,
        keeps_misses: P::KEEPS_MISSES,
    };
    let mut decided = decide(&found, (classified, then), &memory, observer)?;
    decided.sum.noticed_before(open, idle);
    purpose.finish(&found, header(options, seen.target), decided)
}

/// The rules by which files are judged and matched at first, and those by which what is left alone then.
fn both_cares(policy: &Policy, methods: PlanMethods) -> Result<(Care, Option<Care>), BadPattern> {
    let of = |method| Care::new(policy, method);
    Ok(match methods {
        PlanMethods::Hardlink => (of(Method::Hardlink)?, None),
        PlanMethods::Reflink => (of(Method::Reflink)?, None),
        PlanMethods::Both => (of(Method::Hardlink)?, Some(of(Method::Reflink)?)),
    })
}

/// The base that remembers what plans have read, and where, if it does.
fn memory_in<'b>(
    base: Option<&'b Base>,
    options: &PlanOptions,
    observer: &dyn Observer,
) -> (Option<&'b Base>, Option<PathBuf>) {
    let memory = base.filter(|_| remembers(options));
    let place = memory.and_then(|base| cache_of(base, observer));
    (memory.filter(|_| place.is_some()), place)
}

/// Says where a guest has more links than are followed for patterns. Refuses excludes of which this is so: files would
/// be shared that shall not be.
fn all_followed(
    surveys: &[Survey],
    classified: &mut [Classified],
    observer: &dyn Observer,
) -> Result<(), EngineError> {
    let mut excludes = classified
        .iter_mut()
        .filter_map(|one| one.unfollowed.take());
    if let Some(bad) = excludes.next() {
        return Err(bad.into());
    }
    drop(excludes);
    let both = surveys.iter().zip(classified);
    for (survey, _) in both.filter(|(_, judged)| judged.more_links) {
        let name = &survey.guest.name;
        observer.notice(&Event::Warning(&format!(
            "{name}: the patterns match too many directories there: not every link was followed, so write such paths without links"
        )));
    }
    Ok(())
}

/// May the plan use what earlier ones have read, and write down what it reads?
fn remembers(options: &PlanOptions) -> bool {
    options.cache && machine::is_root()
}

/// Most bytes that files of a guest may have together, by what its file system stores.
fn most_in(guests: &[Guest]) -> Result<MostStored, EngineError> {
    let mut most = MostStored::default();
    for guest in guests {
        if !most.knows(guest.id.dev) {
            most.stores(guest.id.dev, machine::filesystem(&guest.root)?.used);
        }
    }
    Ok(most)
}

/// May an inode that guests share already become an object?
fn adoption(options: &PlanOptions, seen: &SeenBase) -> Adoption {
    let never = if !seen.methods.has(Method::Hardlink) {
        Some("reflinks make no objects, so it stays as it is")
    } else if !protect::by(seen.mode).protects() {
        Some("objects are not protected (--protect none), so it stays as it is")
    } else if !protect::by(seen.mode).adopts() {
        Some("what is sealed (--protect verity) cannot be given back, so it stays as it is")
    } else if options.policy.objects == Objects::Copy {
        Some("objects are copies (--objects copy), so it stays as it is")
    } else {
        None
    };
    Adoption {
        never,
        max_links: seen.max_links,
    }
}

/// Matches and chooses: comes to a decision for every file.
fn decide<'a>(
    found: &Evidence<'a>,
    (mut classified, then): (Vec<Classified>, Option<Leftover<'_>>),
    memory: &Memory<'_>,
    observer: &dyn Observer,
) -> Result<Decided<'a>, EngineError> {
    let surveys = found.surveys;
    let mut sum = SummaryBuilder::new(surveys.iter().map(|s| s.guest.name.clone()).collect());
    for (reason, count) in classified.iter().flat_map(|judged| &judged.skipped) {
        sum.skipped(*reason, count.files, count.bytes);
    }
    let reader = Reader {
        surveys,
        care: found.care,
        policy: found.policy(),
        crossing: found.crossing,
        memory,
        shared: found.shared,
        threads: found.threads,
        cache: found.options.page_cache,
        sharing: found.sharing,
        crowded: AtomicBool::new(false),
    };
    let matched = found
        .threads
        .work(|| Matcher::new(&reader, found.index))
        .run(&classified, observer);
    let near = || match found.care.method() {
        // What differs in its metadata alone shares its blocks.
        Method::Hardlink if then.is_none() => {
            let (misses, lost) = Near(&reader).find(&classified, &matched);
            (Near(&reader).sum(&misses), misses, lost)
        }
        // Where metadata need not be equal, none keep files apart.
        Method::Hardlink | Method::Reflink => (NearMisses::default(), Vec::new(), 0),
    };
    let (near_misses, mut misses, lost) = found.threads.work(near);
    tell_coarse(lost, observer);
    misses.retain(|_| found.keeps_misses);
    memory.hand_over(surveys, &matched.groups, observer);
    sum.noticed(near_misses, same_secrets(surveys, &classified));
    let choose = || choose_all(matched, found, &mut classified, &mut sum);
    let mut choices = found.threads.work(choose)?;
    let shared = found.shared;
    sum.shared_unprotected(shared.unprotected(surveys, &classified, found.other_bases));
    if let Some(then) = then {
        let so_far = (&mut choices, &mut sum);
        classified = then.decide(classified, &reader, so_far, found, observer);
    }
    Ok(Decided {
        classified,
        choices,
        sum,
        misses,
    })
}

/// Says how many files are neither linked nor near misses, because an image cannot say as much of them as others do.
fn tell_coarse(lost: u64, observer: &dyn Observer) {
    if lost > 0 {
        observer.notice(&Event::Warning(&format!(
            "{lost} kinds of files differ from others only in what an image cannot hold or does not say (times between two seconds, attributes, inode flags): they are neither linked nor called near misses"
        )));
    }
}

/// Gives up what is not needed from here on.
fn confined<P: Purpose>(
    opened: Vec<OpenedGuest>,
    options: &PlanOptions,
    purpose: &P,
    cache: Option<&Path>,
    observer: &dyn Observer,
) -> Vec<OpenedGuest> {
    if options.confine {
        let reads = match opened.iter().all(OpenedGuest::is_private) {
            true => Reads::Views,
            false => Reads::Disk,
        };
        sandbox::to_plan(reads, &purpose.renames_in(), cache, observer);
    }
    opened
}

fn header(options: &PlanOptions, target: Option<PlanTarget>) -> Header {
    let (schema, edit) = match target {
        Some(_) => (PLAN_SCHEMA_ID, EDITS),
        None => (IMAGE_PLAN_SCHEMA_ID, NO_EDITS),
    };
    let sees_all = machine::sees_all_attributes();
    Header {
        schema: schema.to_owned(),
        format: FORMAT.into(),
        created: machine::now(),
        tool: concat!("unify ", env!("CARGO_PKG_VERSION")).into(),
        edit: edit.into(),
        target,
        policy: options.policy.clone(),
        unseen_attributes: Vec::from_iter((!sees_all).then(|| "trusted.*".into())),
    }
}

/// What a reviewer may do.
const EDITS: &str =
    "delete lines, turn link or flag into skip, add notes; anything else needs --accept-edits";
const NO_EDITS: &str =
    "this is an audit, to be looked at: nothing can be applied from it, whatever is changed in it";
