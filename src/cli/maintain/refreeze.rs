//! `unify refreeze`

use std::io;
use std::path::Path;

use super::selection::guest;
use super::telling::{StaysThawed, being_maintained, refused};
use crate::cli::apply::{ended, exit, report};
use crate::cli::args::{BaseArg, FreezeArgs, OutputArgs};
use crate::cli::terminal::exit::{Exit, Failure, say};
use crate::cli::terminal::screen::Screen;
use crate::cli::terminal::voice::remark;
use crate::engine::{self, Refrozen, RunResult, Stop, stop_on_signals};
use crate::model::{GuestName, RunKind, Running};
use crate::report::layout::size::counted;
use crate::report::run::{self, NotDone};

/// Share again what is equal in a guest that was thawed, and end its maintenance
///
/// The second half of `unify maintain`, and what finishes one that was interrupted. The guest and all others of the
/// base are planned by the choices of the last plan; of that the lines are applied that share what was shared before
/// the thaw. Other files that could be shared are counted.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the result as JSON on standard output")))]
pub(in crate::cli) struct Args {
    /// The guest, by its name in the base (`unify status` lists them)
    #[arg(value_name = "GUEST", value_parser = guest)]
    guest: GuestName,
    #[command(flatten)]
    base: BaseArg,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let base = args.base.find()?;
    let name = &args.guest;
    let being = engine::maintained(&base, name)?;
    if !being {
        remark(&format!(
            "Nothing to refreeze: {name} is not being maintained."
        ));
        return nothing(&base, args.output);
    }
    let stop = stop_on_signals()?;
    remark(&format!("REFREEZING: {name}"));
    let Refrozen {
        result,
        guests,
        left_out,
        goes_on,
    } = engine::refreeze(&base, name, args.freeze.running(), &screen, &stop)?;
    if goes_on {
        being_maintained(&base, name, StaysThawed::Still);
    }
    tell_left_out(left_out);
    let Some(result) = result else {
        remark(&format!("Nothing of {name} is to be shared again."));
        return nothing(&base, args.output);
    };
    let unread = screen.has_unread();
    let told = report(&base, &guests, &result, &screen.not_done(), args.output);
    Ok(exit(&result, &stop, told)?.if_all_read(unread))
}

fn nothing(base: &Path, output: OutputArgs) -> Result<Exit, Failure> {
    if output.json {
        run::json_of_nothing(RunKind::Apply, base, &mut io::stdout().lock())?;
    }
    Ok(Exit::Done)
}

/// The same after a command, whose output is the answer. Returns as well what was not done, and how it ended.
pub(super) fn shared_again(
    base: &Path,
    name: &GuestName,
    running: Running,
    stop: &Stop,
) -> Result<(Refrozen, NotDone, Exit), Failure> {
    let screen = Screen::new();
    let refrozen = engine::refreeze(base, name, running, &screen, stop)?;
    let not_done = screen.not_done();
    tell_left_out(refrozen.left_out);
    let exit = match &refrozen.result {
        Some(result) => {
            tell_shared(name, result, &not_done);
            ended(result, stop)
        }
        None => {
            remark(&format!(
                "REFROZEN: nothing of {name} is to be shared again"
            ));
            Exit::Done
        }
    };
    if refrozen.goes_on {
        being_maintained(base, name, StaysThawed::Still);
    }
    Ok((refrozen, not_done, exit))
}

fn tell_shared(name: &GuestName, result: &RunResult, not_done: &NotDone) {
    let totals = &result.totals;
    remark(&format!(
        "REFROZEN: {} of {name} and others are shared again",
        counted(totals.names, "name")
    ));
    let lines = totals.refused + totals.failed;
    if lines > 0 {
        say(&format!(
            "unify: {} could not be done{}",
            counted(lines, "line"),
            refused(not_done)
        ));
    }
}

/// They were not shared before the thaw, so that somebody may have left them out of the plan.
fn tell_left_out(files: u64) {
    if files > 0 {
        remark(&format!(
            "LEFT OUT: {} would be linked that nobody had shared before; `unify plan` shows them",
            counted(files, "further file")
        ));
    }
}
