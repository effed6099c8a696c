//! A command of the user's, run as he would have run it: with his standard input and output, his mask and limits, and
//! none of what this process has set for itself.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, getpgid, getpgrp};
use rustix::fs::{Access, access};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::signals::Stop;
use crate::model::CommandEnd;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult, ffi};

/// How this process was called.
#[derive(Debug)]
struct Caller {
    mask: u32,
    files: Rlimit,
}

static CALLER: OnceLock<Caller> = OnceLock::new();

/// Remembers the mask and the limit of open files that this process was called with.
pub(super) fn remember_caller(mask: u32) {
    CALLER.get_or_init(|| Caller {
        mask,
        files: getrlimit(Resource::Nofile),
    });
}

/// A command that can be run.
#[derive(Debug)]
pub struct UserCommand {
    program: PathBuf,
    words: Vec<OsString>,
}

/// Why a command cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCommand {
    /// There is no such program.
    Missing,
    /// It is no program that this user may run.
    NoProgram,
}

/// Where its standard output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandOutput {
    /// To ours.
    Ours,
    /// To our standard error, because ours holds the answer.
    Messages,
}

/// How often it is looked whether the command has ended, or a signal came.
const LOOKS: Duration = Duration::from_millis(20);

impl UserCommand {
    /// Finds the program of a command, as a shell does.
    pub fn find(words: &[OsString]) -> Result<UserCommand, NoCommand> {
        let first = words.first().ok_or(NoCommand::Missing)?;
        Ok(UserCommand {
            program: program(first)?,
            words: words.to_vec(),
        })
    }

    /// Runs it, and waits for its end. A signal that asks us to stop goes on to it.
    pub fn run(&self, output: CommandOutput, stop: &Stop) -> SysResult<CommandEnd> {
        let failed = |e| SysError::new("run", &self.program, e);
        let (first, others) = self.words.split_first().unzip();
        let mut command = Command::new(&self.program);
        command
            .arg0(first.map_or(self.program.as_os_str(), OsString::as_os_str))
            .args(others.unwrap_or_default())
            .env_remove("UNIFY_FAULT");
        if output == CommandOutput::Messages {
            let messages = rustix::stdio::stderr().try_clone_to_owned();
            command.stdout(messages.map_err(failed)?);
        }
        let mut child = started(&mut command).map_err(failed)?;
        let mut told = false;
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(ended(status));
            }
            if stop.asked() && !std::mem::replace(&mut told, true) {
                pass_on(child.id(), stop);
            }
            std::thread::sleep(LOOKS);
        }
    }
}

/// Starts it as this process was called. Nothing of ours is under a lease now, so that no signal of one can come.
fn started(command: &mut Command) -> std::io::Result<Child> {
    let Some(caller) = CALLER.get() else {
        return call("spawn", || command.spawn());
    };
    let own = getrlimit(Resource::Nofile);
    let mask = umask(Mode::from_bits_truncate(caller.mask));
    let child = setrlimit(Resource::Nofile, caller.files)
        .map_err(Into::into)
        .and_then(|()| ffi::heed_signals())
        .and_then(|()| call("spawn", || command.spawn()));
    umask(mask);
    let mine = setrlimit(Resource::Nofile, own).map_err(Into::into);
    ffi::ignore_deadly_signals().and(mine).and(child)
}

/// What a terminal sends reaches all of its foreground group; everything else came to us alone.
fn pass_on(child: u32, stop: &Stop) {
    let Ok(pid) = i32::try_from(child).map(Pid::from_raw) else {
        return;
    };
    let signal = match stop.was_interrupt() {
        true if is_in_foreground(pid) => return,
        true => Signal::SIGINT,
        false => Signal::SIGTERM,
    };
    // Where it has ended, its end is seen next.
    let _ = kill(pid, signal);
}

/// Is the command in our group, and that the one which our terminal interrupts?
fn is_in_foreground(child: Pid) -> bool {
    let foreground = rustix::termios::tcgetpgrp(rustix::stdio::stdin());
    let foreground = foreground.map(|group| Pid::from_raw(group.as_raw_nonzero().get()));
    foreground.is_ok_and(|group| group == getpgrp() && getpgid(Some(child)) == Ok(group))
}

fn ended(status: ExitStatus) -> CommandEnd {
    let narrow = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match (status.code(), status.signal()) {
        (Some(code), _) => CommandEnd::Code(narrow(code)),
        (None, signal) => CommandEnd::Signal(narrow(signal.unwrap_or_default())),
    }
}

fn program(word: &OsStr) -> Result<PathBuf, NoCommand> {
    if word.as_encoded_bytes().contains(&b'/') {
        return runnable(Path::new(word)).map(|()| PathBuf::from(word));
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let mut why = NoCommand::Missing;
    for place in std::env::split_paths(&path).filter(|_| !word.is_empty()) {
        let place = place.join(word);
        match runnable(&place) {
            Ok(()) => return Ok(place),
            Err(NoCommand::NoProgram) => why = NoCommand::NoProgram,
            Err(NoCommand::Missing) => {}
        }
    }
    Err(why)
}

fn runnable(path: &Path) -> Result<(), NoCommand> {
    match std::fs::metadata(path) {
        Err(_) => Err(NoCommand::Missing),
        Ok(found) if found.is_file() && access(path, Access::EXEC_OK).is_ok() => Ok(()),
        Ok(_) => Err(NoCommand::NoProgram),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(word: &str) -> Result<(), NoCommand> {
        UserCommand::find(&[word.into()]).map(drop)
    }

    #[test]
    fn programs_are_found_as_shells_find_them() {
        assert_eq!(found("sh"), Ok(()));
        assert_eq!(found("/bin/sh"), Ok(()));
        assert_eq!(found("no-such-program"), Err(NoCommand::Missing));
        assert_eq!(found("/no/such/program"), Err(NoCommand::Missing));
        assert_eq!(found("/etc/passwd"), Err(NoCommand::NoProgram));
        assert_eq!(found("/bin"), Err(NoCommand::NoProgram));
        assert_eq!(found(""), Err(NoCommand::Missing));
    }

    #[test]
    fn its_end_is_told_as_shells_tell_it() {
        let run = |script: &str| {
            let words = ["sh", "-c", script].map(OsString::from);
            let command = UserCommand::find(&words).unwrap();
            command.run(CommandOutput::Ours, &Stop::default()).unwrap()
        };
        assert_eq!(run("exit 7"), CommandEnd::Code(7));
        assert_eq!(run("kill -9 $$").code(), 137);
    }
}
