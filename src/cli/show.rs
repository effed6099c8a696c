//! `unify show`

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::args::OutputArgs;
use super::args::code::code;
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use crate::engine::{self, PlanFile};
use crate::report::{By, Format, PlanView, Show, Tally};

/// Show a plan: totals first; never refuses a stale one
#[derive(Debug, clap::Args)]
#[command(mut_arg("json", |json| json.help("The same as --format json").conflicts_with("format")))]
pub(super) struct Args {
    /// The plan; `-` is standard input
    plan: PathBuf,
    /// A table of groups as well; packages with their versions, as the guests' databases say
    #[arg(long, value_parser = code::<By>())]
    by: Option<By>,
    /// One line for every action as well
    #[arg(long)]
    lines: bool,
    /// Files of equal content that only their metadata keeps apart, one by one
    #[arg(long)]
    near_misses: bool,
    /// How it is written
    #[arg(long, value_parser = code::<Format>(), default_value = "text")]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let by = args.by;
    let format = if args.output.json {
        Format::Json
    } else {
        args.format
    };
    let mut plan = PlanFile::open(&args.plan)?;
    engine::to_papers(&Screen::new());
    let mut tally = Tally::new(by);
    let whole = plan.read(&mut |action| {
        tally.take(action);
        Ok(())
    })?;
    let digest = Some(whole.closing.digest_now);
    let view = PlanView {
        header: &whole.header,
        guests: &whole.guests,
        summary: &whole.closing.summary,
        tally: &tally,
        digest,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut shown = Show {
        by,
        format,
        lines: args.lines,
        near_misses: args.near_misses,
        bytes: args.output.bytes,
    }
    .begin(&view, &mut out)?;
    if args.lines {
        plan.read(&mut |action| shown.line(action))?;
    }
    shown.end()?;
    out.flush()?;
    Ok(Exit::Done)
}
