//! `unify maintain`, and its halves

mod course;
pub(in crate::cli) mod refreeze;
mod selection;
mod telling;
pub(in crate::cli) mod thaw;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::args::{BaseArg, FreezeArgs};
use super::terminal::exit::{Exit, Failure, say};
use super::terminal::screen::Screen;
use crate::engine::{
    CommandOutput, MaintainCommand, NoCommand, ReadyToThaw, Stop, ThawOptions, stop_on_signals,
};
use crate::model::{Escaped, GuestName, Trouble};
use crate::report::answer::error;
use crate::report::layout::size::counted;
use course::Course;
use refreeze::shared_again;
use selection::ThawArgs;
use telling::{StaysThawed, being_maintained, refused};

/// Give a guest private copies of shared files, run a command that changes them, and share what is equal again
///
/// For upgrades on hosts where shared files are immutable: no package manager can replace or remove such files. Other
/// guests keep what they have, and stand still for moments at most (--allow-running). The command has our input and
/// output (with --json its output goes to our standard error), and its exit code is ours. However it ends, the guest
/// is planned anew by the choices of the last plan, and the lines that it has a part in are applied. After a signal,
/// and where this process is killed, the guest stays thawed until `unify refreeze`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    thaw: ThawArgs,
    /// Leave the guest thawed after the command, for `unify refreeze`
    #[arg(long)]
    no_refreeze: bool,
    #[command(flatten)]
    base: BaseArg,
    /// Say what would be thawed, and change and run nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    freeze: FreezeArgs,
    /// Print what was thawed, how the command ended and what was shared again as JSON, when all is over. What the
    /// command prints goes to standard error then
    #[arg(long)]
    json: bool,
    /// The command, as it is typed on this host: `chroot`, `lxc-attach`, `systemd-nspawn`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let command = match MaintainCommand::find(&args.command) {
        Ok(command) => command,
        Err(why) => return not_found(args, why),
    };
    let screen = Screen::new();
    let base = args.base.find()?;
    let options = ThawOptions {
        is_first: true,
        ..args.thaw.options(args.freeze.running())
    };
    if args.dry_run {
        return thaw::look(&base, &options, args.json, &screen);
    }
    let stop = stop_on_signals()?;
    let ready = ReadyToThaw::check(&base, &options, &screen)?;
    thaw::announce(&options.guest, &ready);
    let maintenance = Maintenance {
        args,
        base: &base,
        guest: &options.guest,
        stop: &stop,
    };
    let mut course = Course::default();
    let exit = maintenance.of(ready, &command, screen, &mut course)?;
    let told = match args.json {
        true => course.json(&base, &options.guest, &mut io::stdout().lock()),
        false => Ok(()),
    };
    // What happened is said by the exit code, also where nobody could be told more.
    match (exit, told) {
        (Exit::Done | Exit::Command(0), Err(error)) => Err(error.into()),
        (exit, Err(error)) => {
            say(&format!("unify: {}", Failure::from(error)));
            Ok(exit)
        }
        (exit, Ok(())) => Ok(exit),
    }
}

/// As a shell tells it, before anything is thawed.
fn not_found(args: &Args, why: NoCommand) -> Result<Exit, Failure> {
    let first = args.command.first().map(OsString::as_os_str);
    let shown = Escaped(first.unwrap_or_default().as_encoded_bytes());
    let (code, what, exit) = match why {
        NoCommand::Missing => ("no-command", "there is no such command", 127),
        NoCommand::NoProgram => ("no-program", "it is no program that can be run", 126),
    };
    let what = format!("{shown}: {what}; nothing was thawed");
    say(&format!("unify: {what}"));
    if args.json {
        let trouble = Trouble::new(code).option("COMMAND");
        error::json(&trouble, &what, exit, &mut io::stdout().lock())?;
    }
    Ok(Exit::Command(exit))
}

/// A guest from its thaw to its refreeze.
struct Maintenance<'a> {
    args: &'a Args,
    base: &'a Path,
    guest: &'a GuestName,
    stop: &'a Stop,
}

impl Maintenance<'_> {
    fn of(
        &self,
        ready: ReadyToThaw,
        command: &MaintainCommand,
        screen: Screen,
        course: &mut Course,
    ) -> Result<Exit, Failure> {
        let thawed = ready
            .execute(&screen, self.stop)
            .inspect_err(|_| self.stays_thawed())?;
        course.thaw(thawed, screen.not_done());
        if !self.args.json {
            course.in_use().iter().for_each(|line| say(line));
        }
        if self.stop.asked() {
            self.stays_thawed();
            return Ok(Exit::stopped(self.stop));
        }
        if course.not_thawed > 0 {
            say(&format!(
                "unify: {} of {} could not be thawed, so the command was not run{}",
                counted(course.not_thawed, "name"),
                self.guest,
                refused(&course.thaw_not_done)
            ));
            return Ok(self.refreeze(Exit::InPart, course));
        }
        let end = command
            .run(self.output(), self.stop)
            .inspect_err(|_| self.stays_thawed())?;
        course.ended = Some(end);
        if self.stop.asked() {
            self.stays_thawed();
            return Ok(Exit::stopped(self.stop));
        }
        let exit = Exit::Command(end.code());
        if self.args.no_refreeze {
            self.stays_thawed();
            return Ok(exit);
        }
        Ok(self.refreeze(exit, course))
    }

    fn output(&self) -> CommandOutput {
        match self.args.json {
            true => CommandOutput::Messages,
            false => CommandOutput::Ours,
        }
    }

    /// What was not shared again is told; the command's own code comes before it.
    fn refreeze(&self, exit: Exit, course: &mut Course) -> Exit {
        let running = self.args.freeze.running();
        let told = match shared_again(self.base, self.guest, running, self.stop) {
            Ok((refrozen, not_done, told)) => {
                course.refreeze(refrozen, not_done);
                told
            }
            Err(failure) => {
                say(&format!("unify: {failure}"));
                self.stays_thawed();
                course.error = Some(failure);
                Exit::InPart
            }
        };
        match exit {
            Exit::Command(0) if told != Exit::Done => told,
            exit => exit,
        }
    }

    fn stays_thawed(&self) {
        being_maintained(self.base, self.guest, StaysThawed::ForCommand);
    }
}
