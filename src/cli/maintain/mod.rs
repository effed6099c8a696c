//! `unify maintain`, and its halves

pub(in crate::cli) mod refreeze;
mod selection;
mod telling;
pub(in crate::cli) mod thaw;

use std::ffi::OsString;
use std::path::Path;

use super::args::{BaseArg, FreezeArgs};
use super::terminal::exit::{Exit, Failure, say};
use super::terminal::screen::Screen;
use crate::engine::{MaintainCommand, NoCommand, ReadyToThaw, Stop, ThawOptions, stop_on_signals};
use crate::model::{Escaped, GuestName};
use crate::report::layout::shell::shell_word;
use crate::report::layout::size::counted;
use refreeze::shared_again;
use selection::ThawArgs;
use telling::refused;

/// Give a guest private copies of shared files, run a command that changes them, and share what is equal again
///
/// For upgrades on hosts where shared files are immutable: no package manager can replace or remove such files. Other
/// guests keep what they have, and stand still for moments at most (--allow-running). The command has our input and
/// output, and its exit code is ours. However it ends, the guest is planned anew by the choices of the last plan, and
/// the lines that it has a part in are applied. After a signal, and where this process is killed, the guest stays
/// thawed until `unify refreeze`.
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
    /// The command, as it is typed on this host: `chroot`, `lxc-attach`, `systemd-nspawn`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let command = match MaintainCommand::find(&args.command) {
        Ok(command) => command,
        Err(why) => return Ok(not_found(&args.command, why)),
    };
    let screen = Screen::new();
    let base = args.base.find()?;
    let options = ThawOptions {
        is_first: true,
        ..args.thaw.options(args.freeze.running())
    };
    if args.dry_run {
        return thaw::look(&base, &options, false, &screen);
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
    maintenance.of(ready, &command, screen)
}

/// As a shell tells it, before anything is thawed.
fn not_found(words: &[OsString], why: NoCommand) -> Exit {
    let first = words.first().map(OsString::as_os_str).unwrap_or_default();
    let shown = Escaped(first.as_encoded_bytes());
    let (what, code) = match why {
        NoCommand::Missing => ("there is no such command", 127),
        NoCommand::NoProgram => ("it is no program that can be run", 126),
    };
    say(&format!("unify: {shown}: {what}; nothing was thawed"));
    Exit::Command(code)
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
    ) -> Result<Exit, Failure> {
        let thawed = ready
            .execute(&screen, self.stop)
            .inspect_err(|_| self.stays_thawed())?;
        if self.stop.asked() {
            self.stays_thawed();
            return Ok(Exit::stopped(self.stop));
        }
        if thawed.left > 0 {
            say(&format!(
                "unify: {} of {} could not be thawed, so the command was not run{}",
                counted(thawed.left, "name"),
                self.guest,
                refused(screen)
            ));
            return Ok(self.refreeze(Exit::InPart));
        }
        let end = command
            .run(self.stop)
            .inspect_err(|_| self.stays_thawed())?;
        if self.stop.asked() {
            self.stays_thawed();
            return Ok(Exit::stopped(self.stop));
        }
        let exit = Exit::Command(end);
        if self.args.no_refreeze {
            self.stays_thawed();
            return Ok(exit);
        }
        Ok(self.refreeze(exit))
    }

    /// What was not shared again is told; the command's own code comes before it.
    fn refreeze(&self, exit: Exit) -> Exit {
        let running = self.args.freeze.running();
        let refrozen = shared_again(self.base, self.guest, running, self.stop);
        let told = refrozen.unwrap_or_else(|failure| {
            say(&format!("unify: {failure}"));
            self.stays_thawed();
            Exit::InPart
        });
        match exit {
            Exit::Command(0) if told != Exit::Done => told,
            exit => exit,
        }
    }

    fn stays_thawed(&self) {
        let (base, guest) = (shell_word(self.base), self.guest);
        say(&format!(
            "{guest} IS BEING MAINTAINED: `unify refreeze --base {base} {guest}` shares again what is equal"
        ));
    }
}
