//! Exit codes, documented here and in the README. 0 to 9 say how it went, from 10 on it went well and the code is
//! the answer.

use std::io::{self, Write};
use std::process::ExitCode;

use super::manner::manner;
use crate::engine::{EngineError, ErrorKind, Stop};
use crate::model::{Trouble, harmless};
use crate::report::answer::error;

/// What `unify --help` says about exit codes.
pub const HELP: &str = "\
Exit codes:
  0         done
  1         could not do it, or the answer was no
  2         wrong use (flags, configuration)
  3         done, but some inputs could not be read
  4         applied in part: some actions were refused or failed; receipt kept
  5         plan refused as a whole (unknown version, unaccepted edits,
            other host, not this digest)
  6         verification found a difference, or nothing of the plan is applied
  7         another run holds the base
  8         this host or filesystem cannot do it
  9         stopped half way, nothing lost: run unify recover
            (status: a run is unfinished)
  10        \"yes, there is something\" and --exit-code was given
            (plan, show, diff, status)
  11        findings at or above --fail-on (check)
  12        something needs a person: in quarantine, or an object that may
            have been written to; it is listed
  130, 143  ended by a signal, batch finished or taken back

Examples:
  unify plan -o plan.json /srv/guests/web1 db=/srv/guests/db1
  unify show plan.json
  unify check /srv/guests/web1 db=/srv/guests/db1
  unify apply plan.json
  unify verify plan.json
  unify undo --base /srv/guests/.unify --run last

Notes:
Where no --base is given, it is what UNIFY_BASE says, or the one `.unify` at or
above the current directory. With --json the answer is one object on standard
output, and so is an error (kind unify.error), which stands on standard error as
a sentence, too; `unify schema` has the manual of each.";

/// How a command ended that did what it could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Done, but some inputs could not be read.
    Unread,
    /// The answer was no: nothing was done.
    Declined,
    /// Some actions were refused or failed.
    InPart,
    /// Verification found a difference, or nothing of the plan is applied.
    Differs,
    /// This host or file system cannot do it.
    CannotHere,
    /// A run was cut short, and what it left is not healed.
    Unhealed,
    /// There is something, and `--exit-code` was given.
    Something,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Something in quarantine, or an object that may have been written to, needs a person.
    Quarantine,
    /// Ended by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
    /// As a command ended that was run.
    Command(u8),
}

impl Exit {
    /// Ended by the signal that was received.
    pub fn stopped(stop: &Stop) -> Exit {
        if stop.was_interrupt() {
            Exit::Interrupted
        } else {
            Exit::Terminated
        }
    }

    /// The same, if all was done and every input could be read: what could not is no success.
    pub fn if_all_read(self, unread: bool) -> Exit {
        match self {
            Exit::Done if unread => Exit::Unread,
            other => other,
        }
    }

    /// As the process ends.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Declined => 1,
            Exit::Unread => 3,
            Exit::InPart => 4,
            Exit::Differs => 6,
            Exit::CannotHere => 8,
            Exit::Unhealed => 9,
            Exit::Something => 10,
            Exit::Findings => 11,
            Exit::Quarantine => 12,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
            Exit::Command(code) => code,
        }
    }
}

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Usage(String),
    /// An answer for programs had begun, and ends with what went wrong.
    #[error("{0}")]
    Begun(Box<Failure>),
}

/// The exit code of wrong use.
pub const USAGE: u8 = 2;

impl Failure {
    /// A sentence for people and, where the answer was to be JSON, an object in its place.
    fn tell(&self) {
        if self.code() == 0 {
            return;
        }
        say(&format!("unify: {self}"));
        if let Some((trouble, what, exit)) = self.parts().filter(|_| manner().json) {
            drop(error::json(&trouble, &what, exit, &mut io::stdout().lock()));
        }
    }

    /// What programs are told of it, the sentence, and the exit code; nothing where the answer has begun.
    pub fn parts(&self) -> Option<(Trouble, String, u8)> {
        Some((self.trouble()?, self.to_string(), self.code()))
    }

    /// What programs are told of it; nothing where the answer has begun.
    fn trouble(&self) -> Option<Trouble> {
        match self {
            Failure::Output(_) | Failure::Begun(_) => None,
            Failure::Engine(error) => Some(error.trouble()),
            Failure::Usage(_) => Some(Trouble::new("usage")),
        }
    }

    /// Ends an answer for programs that had begun.
    pub fn ends(self, out: &mut dyn Write) -> Failure {
        let is_of_output = matches!(self, Failure::Engine(EngineError::Output(_)));
        let Some((trouble, what, exit)) = self.parts().filter(|_| !is_of_output) else {
            return self;
        };
        match error::end_begun(&trouble, &what, exit, out) {
            Ok(()) => Failure::Begun(Box::new(self)),
            Err(error) => error.into(),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Begun(failure) => failure.code(),
            Failure::Usage(_) => USAGE,
            // The reader of a pipe has seen enough.
            Failure::Output(error) | Failure::Engine(EngineError::Output(error))
                if error.kind() == io::ErrorKind::BrokenPipe =>
            {
                0
            }
            Failure::Output(_) => 1,
            Failure::Engine(error) => match error.kind() {
                ErrorKind::Failed => 1,
                ErrorKind::Usage => USAGE,
                ErrorKind::PlanRefused => 5,
                ErrorKind::Locked => 7,
                ErrorKind::CannotHere => 8,
                ErrorKind::Halted => 9,
            },
        }
    }
}

/// Ends every command: prints its error, if there is one, and returns its exit code.
pub fn finish(result: Result<Exit, Failure>) -> ExitCode {
    let code = match result {
        Ok(exit) => exit.code(),
        Err(failure) => {
            failure.tell();
            failure.code()
        }
    };
    ExitCode::from(code)
}

/// Text for people, usually one line. Names in it were escaped where they were put in; what others say, such as a
/// library of the bytes that it could not read, is made harmless here. A closed standard error changes nothing.
pub fn say(text: &str) {
    let lines: Vec<String> = text.lines().map(harmless).collect();
    drop(writeln!(io::stderr(), "{}", lines.join("\n")));
}
