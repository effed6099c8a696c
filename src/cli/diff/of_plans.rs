//! `unify diff PLAN PLAN`, `unify diff --now PLAN`

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::given::Args;
use crate::cli::args::MannerArgs;
use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::screen::Screen;
use crate::engine::{self, CompareHow, NowOptions, PlanFile, TwoPlans};
use crate::report::diff::plans::FirstChanges;
use crate::report::diff::{plans, plans_json};
use crate::rules::changes::Depth;
use crate::rules::selectors::Selection;

const WHAT: &str = "plans";

pub(super) fn two(args: &Args, old: &Path, new: &Path) -> Result<Exit, Failure> {
    args.only(&["--evidence"], WHAT)?;
    if old == Path::new("-") && new == old {
        let why = "only one of the two plans can be standard input";
        return Err(Failure::Usage(why.into()));
    }
    let selection = args.select.take()?;
    let (old, new) = (PlanFile::open(old)?, PlanFile::open(new)?);
    // Where paths are asked for, the guests' links are followed.
    match selection.has_paths() {
        true => engine::to_reading(&Screen::new()),
        false => engine::to_papers(&Screen::new()),
    }
    compare(args, (old, new), &selection, false)
}

pub(super) fn now(args: &Args, old: &Path) -> Result<Exit, Failure> {
    args.only(&["--evidence"], WHAT)?;
    let selection = args.select.take()?;
    let mut old = PlanFile::open(old)?;
    let screen = Screen::new();
    let options = NowOptions {
        cache: !args.no_cache,
        page_cache: MannerArgs::default().take()?,
    };
    let (new, planned) = engine::plan_of_now(&mut old, options, &screen)?;
    let unread = screen.has_unread() || planned.is_partial();
    compare(args, (old, new), &selection, unread)
}

fn compare(
    args: &Args,
    (old, new): (PlanFile, PlanFile),
    selection: &Selection,
    unread: bool,
) -> Result<Exit, Failure> {
    let depth = match args.evidence {
        true => Depth::Evidence,
        false => Depth::Decision,
    };
    let how = CompareHow { selection, depth };
    let mut both = TwoPlans::new(old, new, how)?;
    let found = both.compare()?;
    let view = args.view();
    let mut out = BufWriter::new(io::stdout().lock());
    if args.output.json {
        let mut listed = plans_json::begin(&found, view, &mut out)?;
        if !view.stat {
            both.each_change(&mut |change| listed.change(change).map(|()| true))?;
        }
        listed.end()?;
    } else if args.tells() {
        let mut first = FirstChanges::default();
        if view.most() > 0 && found.lines() > 0 {
            both.each_change(&mut |change| Ok(first.take(change, view)))?;
        }
        plans::text(&found, &first, view, &mut out)?;
    }
    out.flush()?;
    Ok(args.exit(found.has_something(), unread))
}
