//! `apply --dry-run`: every proof that `apply` makes, up to the first change, and no change at all. No run begins, no
//! paper is written, no flag comes off, and nothing is healed.
//!
//! What cannot be proven without a change is not: that the protection works is tried on scratch files, and whether
//! there is room shows when objects are made. A file of which an object would be made is proven by the object's name,
//! which is the digest of its content and metadata; its twins are compared with it byte by byte where they come in one
//! batch, and proven by the name where they do not. Where a file system is mounted read-only all proofs can be made,
//! and this is said.

use super::batches::{AfterProof, ApplyLoop, LoopWorld};
use super::plan_lines::{PlanLines, Selected};
use super::ready::{ApplyOptions, Checked, allowed, fits_here, read_whole};
use super::teach;
use crate::base::Base;
use crate::engine::activity::base::must_be_ours;
use crate::engine::activity::freeze::Freeze;
use crate::engine::limits::Pace;
use crate::engine::paths::selected::select;
use crate::engine::plan_file::PlanFile;
use crate::engine::privileges::{entitled, must_see_all};
use crate::engine::receipt_file::{ReceiptFile, RunResult};
use crate::engine::records::holders::Holding;
use crate::engine::records::object_set::ObjectSet;
use crate::engine::records::{History, receipts};
use crate::engine::{EngineError, healing};
use crate::model::{
    Action, Event, Header, Observer, PlanTarget, Protect, RunId, RunKind, Stage, Totals, Unit,
};
use crate::rules::selectors::Selection;
use crate::sys::guest::Sharing;
use crate::sys::host::machine;
use crate::sys::host::signals::Stop;

/// What `apply` would come to.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The counts of a run that did all that would be done.
    pub result: RunResult,
    /// What the lines promise.
    pub promised: Totals,
    /// Lines of links and flags that are not among them any more.
    pub left_out: u64,
    /// Shared files that would have no protection, because their flag lines were taken out.
    pub unflagged: u64,
    /// How shared files would be protected; `None` where the plan makes none.
    pub protect: Option<Protect>,
    /// Is the file system mounted read-only? Then `apply` can do nothing of it.
    pub is_read_only: bool,
}

/// Proves every line of the plan that is selected.
pub fn rehearse(
    plan: &mut PlanFile,
    selection: &Selection,
    options: ApplyOptions,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<Rehearsal, EngineError> {
    entitled("apply", "it sets owners and flags")?;
    must_see_all("apply")?;
    let path = plan.path().to_owned();
    prove(plan, selection, options, observer, stop).map_err(|error| error.in_file(&path))
}

fn prove(
    plan: &mut PlanFile,
    selection: &Selection,
    options: ApplyOptions,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<Rehearsal, EngineError> {
    let (header, target) = fits_here(plan, selection, options)?;
    let base = Base::looked_at(&target.base.path)?;
    is_at_rest(&base)?;
    let history = History::read(&base)?;
    receipts::tell(&history.damaged, &base, observer);
    let lines = select(plan, selection)?;
    let keep = |action: &Action| lines.has(action);
    let (mut whole, found) = read_whole(plan.reader()?, &keep, observer)?;
    if !selection.is_all() {
        let narrowed = plan.write_narrowed(None, std::io::sink(), &mut |action| keep(action))?;
        (whole.closing.digest_now, whole.closing.edits) = (narrowed.digest, narrowed.edits);
    }
    let approved_by = allowed(&whole.closing, options)?;
    let left_out = whole.closing.edits.removed + whole.closing.edits.held;
    let mut lines = Selected {
        plan,
        lines: &lines,
    };
    let checked = Checked::of(&base, &history, whole, &found, &mut lines, approved_by)?;
    let world = Rehearsing {
        base: &base,
        plan: (&header, &target),
        history: &history,
        checked: &checked,
    };
    Ok(Rehearsal {
        result: world.run(&mut lines, options, observer, stop)?,
        promised: checked.totals,
        left_out,
        unflagged: checked.unflagged,
        protect: target.protect(),
        is_read_only: machine::is_read_only(base.dir())?,
    })
}

/// Refuses a base at which another run is at work, that others reach, or that is to be healed first: what lines would
/// come to then, nobody can tell.
fn is_at_rest(base: &Base) -> Result<(), EngineError> {
    if !base.is_made() {
        return Ok(());
    }
    drop(base.hold_still()?);
    must_be_ours(base)?;
    healing::must_be_whole(base, "apply")
}

struct Rehearsing<'a> {
    base: &'a Base,
    plan: (&'a Header, &'a PlanTarget),
    history: &'a History,
    checked: &'a Checked,
}

impl Rehearsing<'_> {
    fn run(
        &self,
        lines: &mut dyn PlanLines,
        options: ApplyOptions,
        observer: &dyn Observer,
        stop: &Stop,
    ) -> Result<RunResult, EngineError> {
        let (base, checked) = (self.base, self.checked);
        let mut receipt = ReceiptFile::unwritten(no_run(base)?, RunKind::Apply, observer);
        let holders = self.history.holders(&checked.guests);
        let everybody = checked.guests.iter().chain(&holders).collect();
        let mut holding = Holding::new(everybody, base, self.history)?;
        if checked.shared {
            teach(base, self.history, lines, &mut holding, &mut receipt)?;
        }
        let links = Some(checked.totals.links);
        observer.notice(&Event::Begin(Stage::Apply, Unit::Actions, links));
        let still = Freeze::new(base, options.running, observer)?;
        let sharing = Sharing::default();
        let world = LoopWorld::of(base, self.plan, checked, &sharing)?;
        let pace = Pace::new(options.limits);
        let landing = AfterProof::Rehearse(ObjectSet::new(base));
        let mut work = ApplyLoop::new(&world, holding, still, pace, landing, &mut receipt);
        if checked.has_both_methods() {
            work.take_blocks_first(lines, stop, observer)?;
        }
        if checked.names_elsewhere {
            work.take_in_shared(lines, stop, observer)?;
        }
        let mut all = lines.lines()?;
        while let Some(action) = all.next_line()? {
            work.take(action, stop, observer)?;
            if work.is_over(stop) {
                break;
            }
        }
        work.finish(stop, observer)?;
        observer.notice(&Event::End);
        Ok(receipt.finish()?)
    }
}

/// A run has a name, and this one is none.
fn no_run(base: &Base) -> Result<RunId, EngineError> {
    let id = RunId::new(&machine::stamp(), 0);
    let failed = |error| {
        crate::sys::SysError::new("name a run of", base.path(), std::io::Error::other(error))
    };
    Ok(id.map_err(failed)?)
}
