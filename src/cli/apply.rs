//! `unify apply`

mod rehearsal;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::args::select::SelectArgs;
use super::args::this_command;
use super::args::{FreezeArgs, LimitArgs, OutputArgs};
use super::terminal::confirm::agreed;
use super::terminal::exit::{Exit, Failure, say};
use super::terminal::screen::Screen;
use super::terminal::voice::{before_asking, remark, tell_fitted};
use crate::engine::{
    ApplyOptions, ApprovedBy, PlanFile, ReadyToApply, RunResult, Stop, stop_on_signals,
};
use crate::model::{DigestPrefix, RunKind, Totals};
use crate::report::layout::size::{counted, iec};
use crate::report::run::{self, NotDone, RunView};
use crate::report::words::left_open;
use crate::rules::selectors::Selection;

/// Execute a plan: every claim in it is proven again before a name is touched
///
/// Names that are not what the plan says any more are refused one by one; the rest is done. The receipt in the
/// base says what became of every action. Lines are taken by path, and those of one path by guest, so that files
/// which share an object are linked together; those of a compressed plan, and of one whose flag lines were cut,
/// are taken as they stand. With selectors only the lines that they mean are executed, as of the plan that `unify cut`
/// writes with them.
///
/// From then on guests have files with a flag and with names in other guests. A backup program that keeps both sets the
/// flag with the first name, and can make no second one when it restores (borg: use --noflags): try a restore. What was
/// restored is taken over by `unify recover --restored`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("json", |json| json.help("Print the result as JSON on standard output")))]
pub(super) struct Args {
    /// The plan; `-` is standard input
    plan: PathBuf,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Prove every line as apply does, name each that would be refused with the fields that differ, and change nothing:
    /// exits with 4 if there is one
    #[arg(long)]
    dry_run: bool,
    /// Execute lines that were changed or added by hand; they are proven like all others
    #[arg(long)]
    accept_edits: bool,
    /// Execute the plan only if this digest of it was approved: of its content, for this host, or of its decision, for
    /// equal guests anywhere; the first 12 digits are enough
    #[arg(long, value_name = "DIGEST")]
    approved: Option<DigestPrefix>,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    select: SelectArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let selection = args.select.take()?;
    let mut plan = PlanFile::open(&args.plan)?;
    let options = ApplyOptions {
        accept_edits: args.accept_edits,
        approved: args.approved,
        running: args.freeze.running(),
        limits: args.limits.take()?,
    };
    if args.dry_run {
        return rehearsal::run(&mut plan, &selection, options, args.output);
    }
    execute(args, &mut plan, &selection, options)
}

fn execute(
    args: &Args,
    plan: &mut PlanFile,
    selection: &Selection,
    options: ApplyOptions,
) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let ready = ReadyToApply::check(plan, selection, options, &screen)?;
    let what = announce(&ready, !args.yes);
    if !args.yes {
        say(&format!("WOULD APPLY: {what}"));
    }
    let question = "Apply this plan?";
    let Some(ready) = agreed(ready, question, args.yes, ReadyToApply::cancel)? else {
        return Ok(Exit::Declined);
    };
    remark(&format!("APPLYING: {what}"));
    let (base, guests) = (ready.target().base.path.clone(), ready.guest_words());
    let stop = stop_on_signals()?;
    let result = ready.execute(&screen, &stop)?;
    let unread = screen.has_unread();
    let told = report(&base, &guests, &result, &screen.not_done(), args.output);
    Ok(exit(&result, &stop, told)?.if_all_read(unread))
}

/// Says what must not be overlooked, and returns what would be done.
fn announce(ready: &ReadyToApply, asks: bool) -> String {
    let (totals, edits) = (ready.totals(), ready.edits());
    if let Some(by) = ready.approved_by() {
        before_asking(&approval(by), asks);
    }
    let removed = edits.removed + edits.held;
    if removed > 0 {
        let line = format!(
            "{} taken out of the plan, by hand or by selectors",
            counted(removed, "action")
        );
        before_asking(&line, asks);
    }
    let protect = ready.target().protect();
    let open = left_open::warnings(ready.unflagged(), protect);
    open.iter().for_each(|line| say(line));
    would_do(totals)
}

/// Flags alone are something to do, too.
fn would_do(totals: &Totals) -> String {
    let links = format!(
        "{} for {}; up to {} come back",
        counted(totals.links, "link action"),
        counted(totals.names, "name"),
        iec(totals.saves)
    );
    match (totals.links, totals.flags) {
        (0, flags @ 1..) => format!("{} on shared files", counted(flags, "flag")),
        _ => links,
    }
}

/// Which digest was approved, and what that means.
fn approval(by: ApprovedBy) -> String {
    match by {
        ApprovedBy::Content(digest) => {
            format!("Approved by its content digest, for this host: {digest}")
        }
        ApprovedBy::Decision(digest) => {
            format!("Approved by its decision digest, for equal guests anywhere: {digest}")
        }
    }
}

/// The end of a run, within the answer of another command.
pub(super) fn view<'a>(
    base: &'a Path,
    result: &'a RunResult,
    not_done: &'a NotDone,
) -> RunView<'a> {
    RunView {
        what: result.what,
        run: Some(&result.run),
        base,
        command: &[],
        guests: &[],
        totals: Some(&result.totals),
        not_done,
        stillness: &result.stillness,
        clearers: &result.clearers,
        spoiled: &result.spoiled,
        in_use: &result.in_use,
        disk: result.disk,
    }
}

/// What a run came to, for people or for programs.
pub(super) fn report(
    base: &Path,
    guests: &[OsString],
    result: &RunResult,
    not_done: &NotDone,
    output: OutputArgs,
) -> Result<(), Failure> {
    let command = this_command();
    let view = RunView {
        command: &command,
        guests,
        ..view(base, result, not_done)
    };
    if output.json {
        run::json(&view, &mut io::stdout().lock())?;
    } else {
        let well = result.totals.refused + result.totals.failed == 0;
        let exit = if well { Exit::Done } else { Exit::InPart };
        tell_fitted(exit, false, |_, out| run::text(&view, output.sizes(), out))?;
    }
    if result.quarantined > 0 {
        say(&format!(
            "unify: {} in the base's quarantine; `unify recover --base {}` lists what is there",
            counted(result.quarantined, "file"),
            run::shell_word(base)
        ));
    }
    let why = if result.interrupted {
        Some("a signal, between two batches")
    } else {
        result.limit
    };
    if let Some(why) = why {
        let again = match result.what {
            RunKind::Apply => "apply",
            RunKind::Undo => "undo",
            RunKind::Forget => "forget",
            RunKind::Break => "guardd",
        };
        say(&format!(
            "unify: ended by {why}; `unify {again}` goes on from there"
        ));
    }
    Ok(())
}

/// The exit code of a run. A report that could not be written gives an error message, and decides where nothing
/// else does.
pub(super) fn exit(
    result: &RunResult,
    stop: &Stop,
    told: Result<(), Failure>,
) -> Result<Exit, Failure> {
    match (ended(result, stop), told) {
        (Exit::Done, Err(failure)) => Err(failure),
        (exit, Err(failure)) => {
            say(&format!("unify: {failure}"));
            Ok(exit)
        }
        (exit, Ok(())) => Ok(exit),
    }
}

/// The same, as far as the run itself says.
pub(super) fn ended(result: &RunResult, stop: &Stop) -> Exit {
    if result.interrupted {
        return Exit::stopped(stop);
    }
    if result.quarantined > 0 || !result.spoiled.is_empty() {
        return Exit::Quarantine;
    }
    if result.totals.refused + result.totals.failed > 0 || result.limit.is_some() {
        Exit::InPart
    } else {
        Exit::Done
    }
}
