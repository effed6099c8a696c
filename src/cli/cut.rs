//! `unify cut`

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::args::plan_mode;
use super::args::select::SelectArgs;
use super::terminal::exit::{Exit, Failure};
use super::terminal::manner::manner;
use super::terminal::screen::Screen;
use crate::engine::{self, Output, PlanFile, Replacing};
use crate::report::cut;

/// Write the narrower plan: only the lines that the selectors mean
///
/// Lines that stay are not touched, as if the others had been deleted in an editor: `unify apply` takes the plan
/// without a question, and counts what is gone. A line moves with all its names, and the flag of an object with the
/// names that stay. A digest that was approved is that of the whole plan: the narrower one has its own, which is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan; `-` is standard input
    plan: PathBuf,
    /// Where the narrower plan goes: a document, JSON Lines for `.jsonl`, compressed for `.zst`; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
    /// Permission bits of the narrower plan, in octal: it shows every name of every guest
    #[arg(long, value_name = "MODE", value_parser = plan_mode, default_value = "0600")]
    mode: u32,
    /// Print what was kept as JSON on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    select: SelectArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let selection = args.select.take()?;
    if selection.is_all() {
        return Err(Failure::Usage(
            "say which lines stay: --guest, --path, --reason, --package, --min-saves, or one of the --not-… forms"
                .into(),
        ));
    }
    let output = output(args)?;
    let replacing = match args.force {
        true => Replacing::Yes,
        false => Replacing::No,
    };
    let mut plan = PlanFile::open(&args.plan)?;
    let cut = engine::cut(&mut plan, &selection, output, replacing, &Screen::new())?;
    if args.json {
        cut::json(&cut, &args.output, &mut io::stdout().lock())?;
    } else if !manner().quiet {
        cut::text(&cut, &args.output, &mut io::stderr().lock())?;
    }
    Ok(Exit::Done)
}

fn output(args: &Args) -> Result<Output, Failure> {
    if args.output != Path::new("-") {
        return Ok(Output::File(args.output.clone(), args.mode));
    }
    if args.json || io::stdout().is_terminal() {
        let why = "standard output is needed for the answer: give the plan a file with --output";
        return Err(Failure::Usage(why.into()));
    }
    Ok(Output::Stream(Box::new(io::stdout())))
}
