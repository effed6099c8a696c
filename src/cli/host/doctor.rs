//! `unify doctor`

use std::io;
use std::path::PathBuf;

use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::voice::tell_fitted;
use crate::engine;
use crate::model::Examination;
use crate::report::doctor;

/// Tell what this host and these directories can do, by trying it on scratch files
///
/// Nothing is concluded from a version or the name of a file system. Scratch files lie in a directory of their own that
/// is gone afterwards, even if this command is killed; in a guest nothing is tried, but beside it. What this user may
/// not try is said to be untried, and is no failure: the exit code is 3 then, and 8 where files cannot be shared by any
/// method.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Directories: where guests or a base are or will be. Default: the base at or above the current directory, else
    /// this directory
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let stop = engine::stop_on_signals()?;
    let examination = engine::examine(&args.paths)?;
    if stop.asked() {
        return Ok(Exit::stopped(&stop));
    }
    let exit = exit(&examination);
    if args.json {
        doctor::json(&examination, &mut io::stdout().lock())?;
    } else {
        tell_fitted(exit, true, |_, out| doctor::text(&examination, out))?;
    }
    Ok(exit)
}

fn exit(examination: &Examination) -> Exit {
    match examination.has_useless_place() {
        true => Exit::CannotHere,
        false => Exit::Done.if_all_read(examination.has_untried()),
    }
}
