//! What people are told, and how it fits their screen.

use std::io::{self, Write};

use super::exit::{Exit, say};
use super::manner::manner;
use crate::engine;
use crate::report::layout::fit::Fitted;
use crate::report::words::list::ListLimits;

/// A line for people that nobody needs to act on.
pub fn remark(line: &str) {
    if !manner().quiet {
        say(line);
    }
}

/// The same before a question: whoever is asked must know about what.
pub fn before_asking(line: &str, asks: bool) {
    if asks || !manner().quiet {
        say(line);
    }
}

/// An answer for people: on standard output; of a quiet program on standard error, where it is no good news.
pub fn tell(exit: Exit, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match (manner().quiet, exit) {
        (false, _) => text(&mut io::stdout().lock()),
        (true, Exit::Done) => Ok(()),
        (true, _) => text(&mut io::stderr().lock()),
    }
}

/// The same, in lines that fit the screen.
pub fn tell_fitted(
    exit: Exit,
    all: bool,
    text: impl FnOnce(ListLimits, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let columns = columns();
    tell(exit, |out| {
        text(ListLimits::on(columns, all), &mut Fitted::new(out, columns))
    })
}

/// The width of the screen: what COLUMNS says, else the terminal, else the usual.
fn columns() -> usize {
    let said = std::env::var("COLUMNS").ok();
    let said = said
        .and_then(|columns| columns.parse().ok())
        .filter(|columns| *columns > 0);
    let columns = said.or_else(engine::columns).unwrap_or(USUAL_COLUMNS);
    columns.max(LEAST_COLUMNS)
}

const USUAL_COLUMNS: usize = 80;

/// On a narrower screen nothing can be read.
const LEAST_COLUMNS: usize = 40;
