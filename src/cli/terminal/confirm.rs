//! Asking a person. Without a terminal, `--yes` must have been given.

use std::io::{self, BufRead, IsTerminal, Write};

use super::exit::{Exit, Failure, say};
use super::manner::manner;
use crate::engine::EngineError;
use crate::model::Trouble;
use crate::report::answer::error;

/// Returns `ready` if the user agrees; otherwise, and where no person can be asked, `cancel` calls it off.
pub fn agreed<R>(
    ready: R,
    question: &str,
    yes: bool,
    cancel: impl FnOnce(R) -> Result<(), EngineError>,
) -> Result<Option<R>, Failure> {
    match confirm(question, yes) {
        Ok(true) => Ok(Some(ready)),
        Ok(false) => {
            cancel(ready)?;
            say("No guest was changed.");
            declined()?;
            Ok(None)
        }
        Err(failure) => {
            cancel(ready)?;
            Err(failure)
        }
    }
}

/// Programs are told of it, too.
fn declined() -> io::Result<()> {
    if !manner().json {
        return Ok(());
    }
    let (trouble, what) = (Trouble::new("declined"), "No guest was changed.");
    error::json(
        &trouble,
        what,
        Exit::Declined.code(),
        &mut io::stdout().lock(),
    )
}

/// Asks on the terminal; true for yes.
fn confirm(question: &str, yes: bool) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask on: give --yes to go on without asking".into(),
        ));
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
