//! What a reviewer makes of a plan: a narrower one. It reads plans, and of guests the links on the way to paths that
//! selectors name, behind the same walls.

use std::path::Path;

use super::planning::output::{Output, OutputFile, is_there};
use super::sandbox::to_rewriting;
use super::{EngineError, PlanFile};
use crate::engine::paths::selected::select;
use crate::model::{Action, Cut, Observer};
use crate::rules::selectors::Selection;

/// May a file be replaced that is there already?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacing {
    /// It is refused.
    No,
    /// It is.
    Yes,
}

/// Writes the plan that has the selected lines alone. All else of it stays: whoever applies it sees a plan from which
/// lines were deleted.
pub fn cut(
    plan: &mut PlanFile,
    selection: &Selection,
    output: Output,
    replacing: Replacing,
    observer: &dyn Observer,
) -> Result<Cut, EngineError> {
    if let (Output::File(path, _), Replacing::No) = (&output, replacing)
        && is_there(path)?
    {
        return Err(EngineError::OutputExists(path.clone()));
    }
    let (header, guests) = plan.head()?;
    let guests = guests.iter().map(|guest| guest.root.as_path());
    let base = header
        .target
        .as_ref()
        .map(|target| target.base.path.as_path());
    let file = OutputFile::create(output, &guests.chain(base).collect::<Vec<&Path>>())?;
    // Where paths are asked for, the guests' links are followed.
    to_rewriting(file.directory(), selection.has_paths(), observer);
    let lines = select(plan, selection)?;
    let mut cut = Cut::default();
    let (mut out, form) = file.writer().map_err(EngineError::Output)?;
    let mut keep = |action: &Action| {
        let kept = lines.has(action);
        cut.count(action, kept);
        kept
    };
    let narrowed = plan.write_narrowed(Some(form), &mut out, &mut keep)?;
    out.publish()?;
    cut.content = Some(narrowed.digest.content);
    Ok(cut)
}
