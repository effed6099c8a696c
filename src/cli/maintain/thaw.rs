//! `unify thaw`

use std::io::{self, Write};
use std::path::Path;

use super::selection::ThawArgs;
use super::telling::{StaysThawed, being_maintained, nothing};
use crate::cli::apply::{exit, report};
use crate::cli::args::{BaseArg, FreezeArgs, OutputArgs, this_command_for_real};
use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::screen::Screen;
use crate::cli::terminal::voice::{remark, tell_fitted};
use crate::engine::{self, ReadyToThaw, ThawOptions, stop_on_signals};
use crate::model::{GuestName, RunKind, UndoView};
use crate::report::layout::size::{counted, iec};
use crate::report::{run, undo_view};

/// Give a guest private copies of shared files, until `unify refreeze` shares again what is equal
///
/// The first half of `unify maintain`. No plan and no apply links names of the guest meanwhile, and `unify status` says
/// so. It can be given again, to thaw more.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the result as JSON on standard output")))]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    thaw: ThawArgs,
    #[command(flatten)]
    base: BaseArg,
    /// Say what would be thawed and how much room it takes, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let base = args.base.find()?;
    let options = args.thaw.options(args.freeze.running());
    if args.dry_run {
        return look(&base, &options, args.output.json, &screen);
    }
    let stop = stop_on_signals()?;
    let ready = ReadyToThaw::check(&base, &options, &screen)?;
    announce(&options.guest, &ready);
    let thawed = ready.execute(&screen, &stop)?;
    being_maintained(&base, &options.guest, StaysThawed::AsAsked);
    let Some(result) = thawed.result else {
        if args.output.json {
            run::json_of_nothing(RunKind::Undo, &base, &mut io::stdout().lock())?;
        }
        return Ok(Exit::Done);
    };
    let unread = screen.has_unread();
    let told = report(&base, &[], &result, &screen.not_done(), args.output);
    match exit(&result, &stop, told)? {
        // What was refused is private, as it was asked for.
        Exit::InPart if thawed.left == 0 => Ok(Exit::Done.if_all_read(unread)),
        exit => Ok(exit.if_all_read(unread)),
    }
}

/// What is about to be thawed.
pub(super) fn announce(guest: &GuestName, ready: &ReadyToThaw) {
    match ready.files() {
        (0, _) => nothing(guest),
        (files, needed) => remark(&format!(
            "THAWING: {} of {guest} get an inode, or blocks, of their own, which takes up to {}",
            counted(files, "file"),
            iec(needed)
        )),
    }
}

/// Says what would be thawed.
pub(super) fn look(
    base: &Path,
    options: &ThawOptions,
    json: bool,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let found = engine::look_at_thaw(base, options, screen)?;
    let exit = match Exit::Done.if_all_read(screen.has_unread()) {
        _ if found.needed > found.free => Exit::InPart,
        exit => exit,
    };
    if json {
        let command = this_command_for_real();
        undo_view::json(&found, &command, &mut io::stdout().lock())?;
    } else {
        tell_fitted(exit, false, |_, out| text(&options.guest, &found, out))?;
    }
    Ok(exit)
}

fn text(guest: &GuestName, found: &UndoView, out: &mut dyn Write) -> io::Result<()> {
    let (files, names) = (counted(found.files, "file"), counted(found.names, "name"));
    writeln!(out, "DRY RUN, nothing was changed.\n")?;
    writeln!(
        out,
        "WOULD THAW: {files} of {guest} with {names}; takes {} of {} that may be used",
        iec(found.needed),
        iec(found.free)
    )?;
    if found.needed > found.free {
        writeln!(
            out,
            "NO ROOM: make room, or thaw less with --packages or --path"
        )?;
    }
    Ok(())
}
