//! `unify undo`

use std::path::{Path, PathBuf};

use super::apply::{exit, report};
use super::args::select::{FactSelectArgs, NameSelectArgs};
use super::args::{BaseArg, FreezeArgs, LimitArgs, OutputArgs, this_command_for_real};
use super::terminal::confirm::agreed;
use super::terminal::exit::{Exit, Failure, say};
use super::terminal::manner::manner;
use super::terminal::screen::Screen;
use super::terminal::voice::{remark, tell_fitted};
use crate::engine::{self, GuestArg, ReadyToUndo, UndoOptions, WhichRuns, stop_on_signals};
use crate::model::{ChoseNothing, GuestName, RunKind};
use crate::report::layout::size::{counted, iec};
use crate::report::run;
use crate::report::undo_view;
use crate::report::words::chose_nothing;

/// Give names a private inode again, with the content and metadata that they have
///
/// Inode number, change time and birth time cannot come back. The room that came back is needed again.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the result as JSON on standard output")))]
pub(super) struct Args {
    #[command(flatten)]
    base: BaseArg,
    /// What to undo: `last` (the last apply that still has names), `all`, or a run's name
    #[arg(long, value_name = "RUN", value_parser = which)]
    run: WhichRuns,
    /// Only this guest; may be given several times. A glob over names, unless a guest has just this name. With `=PATH`
    /// (and `--run all`) its names are found by a walk of that directory, also those that no receipt tells of; give all
    /// guests so that share with it
    #[arg(long, value_name = "NAME[=PATH]", value_parser = guest)]
    guest: Vec<WantedGuest>,
    /// Look on the disk for blocks that the guests given by their place have in common, whoever shared them, and give
    /// each file its own: for reflinks whose receipts are lost, even with the base. Hard links are found without it
    #[arg(long, conflicts_with = "dry_run")]
    from_disk: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Say what would become private again and how much room it takes, and change nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    names: NameSelectArgs,
    #[command(flatten)]
    facts: FactSelectArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let walked = args.guest.iter().filter_map(|guest| guest.path.clone());
    let base = args.base.find_near(&walked.collect::<Vec<_>>())?;
    let guests = args.guest.iter().map(|guest| guest.name.to_string());
    let options = UndoOptions {
        which: args.run.clone(),
        walked: args.guest.iter().filter_map(WantedGuest::walked).collect(),
        from_disk: args.from_disk,
        paths: args.names.paths().to_vec(),
        names: None,
        selection: args.names.take_but_paths(guests.collect(), &args.facts)?,
        running: args.freeze.running(),
        limits: args.limits.take()?,
    };
    if args.dry_run {
        return look(&base, args, &options, &screen);
    }
    let ready = ReadyToUndo::check(&base, &options, &screen)?;
    let is_slip = tell_idle(ready.chose_nothing());
    if ready.files() == 0 {
        ready.cancel()?;
        nothing(&base, args.from_disk)?;
        // A package, reason or size that no file has is a slip, as a name that is not there is; a name that is private
        // is as it was asked for.
        return Ok(match is_slip || options.selection.needs_lines() {
            true => Exit::Declined,
            false => Exit::Done.if_all_read(screen.has_unread()),
        });
    }
    let files = counted(ready.files(), "file");
    if !args.yes {
        say(&format!(
            "WOULD UNDO: {files} would get an inode, or blocks, of their own again, which takes up to {}",
            iec(ready.needed())
        ));
    }
    let Some(ready) = agreed(ready, "Undo this?", args.yes, ReadyToUndo::cancel)? else {
        return Ok(Exit::Declined);
    };
    remark(&format!("UNDOING: {files}"));
    let stop = stop_on_signals()?;
    let result = ready.execute(&screen, &stop)?;
    let unread = screen.has_unread();
    let told = report(&base, &[], &result, &screen.not_done(), args.output);
    match exit(&result, &stop, told)?.if_all_read(unread) {
        Exit::Done if is_slip => Ok(Exit::InPart),
        exit => Ok(exit),
    }
}

/// Says which globs chose nothing. Is one of them a slip? A name that is there and private is as it was asked for; one
/// that is not there is a slip.
fn tell_idle(globs: &[ChoseNothing]) -> bool {
    let lines = chose_nothing::lines(globs, "shared file of this undo");
    lines.iter().for_each(|line| say(line));
    globs.iter().any(|glob| glob.there.is_none())
}

/// Says what an undo would be about.
fn look(base: &Path, args: &Args, options: &UndoOptions, screen: &Screen) -> Result<Exit, Failure> {
    let found = engine::look_at_undo(base, options, screen)?;
    let is_slip = tell_idle(&found.chose_nothing);
    let exit = match Exit::Done.if_all_read(screen.has_unread()) {
        _ if found.needed > found.free => Exit::InPart,
        Exit::Done if is_slip => Exit::InPart,
        exit => exit,
    };
    let command = this_command_for_real();
    if args.output.json {
        undo_view::json(&found, &command, &mut std::io::stdout().lock())?;
    } else {
        tell_fitted(exit, false, |_, out| {
            undo_view::text(&found, &command, args.output.sizes(), out)
        })?;
    }
    Ok(exit)
}

/// No run begins, and programs are told so.
fn nothing(base: &Path, from_disk: bool) -> Result<(), Failure> {
    remark(match from_disk {
        true => {
            "Nothing to undo: no file that was asked for has blocks in common with another of these guests."
        }
        false => "Nothing to undo: no name that was asked for refers to an object.",
    });
    if !manner().json {
        return Ok(());
    }
    Ok(run::json_of_nothing(
        RunKind::Undo,
        base,
        &mut std::io::stdout().lock(),
    )?)
}

fn which(text: &str) -> Result<WhichRuns, String> {
    match text {
        "last" => Ok(WhichRuns::Last),
        "all" => Ok(WhichRuns::All),
        name => name
            .parse()
            .map(WhichRuns::Run)
            .map_err(|error: crate::model::BadRunId| error.to_string()),
    }
}

/// A guest, and where it is, if its names shall be found there.
#[derive(Debug, Clone)]
struct WantedGuest {
    name: GuestName,
    path: Option<PathBuf>,
}

impl WantedGuest {
    fn walked(&self) -> Option<GuestArg> {
        let (name, path) = (Some(self.name.clone()), self.path.clone()?);
        Some(GuestArg { name, path })
    }
}

fn guest(text: &str) -> Result<WantedGuest, String> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) => (name, Some(path.into())),
        None => (text, None),
    };
    let name = GuestName::new(name).map_err(|error| error.to_string())?;
    Ok(WantedGuest { name, path })
}
