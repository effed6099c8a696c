//! What two plans, two guests or two files have not in common, for people and for programs.
//!
//! In text `-` stands before what only the first has, `+` before what only the second has, `~` before what both have
//! and is not the same, `?` before what could not be compared. Long lists are cut after 20 lines with the number of the
//! others; JSON has all. Every byte of a guest or a plan is escaped here.
//!
//! The JSON forms are `PlansDiffJson`, `GuestsDiffJson` and `FilesDiffJson`; lists come last, as they are found.

pub mod files;
pub mod files_json;
pub mod guests;
pub mod guests_json;
mod line;
pub mod plans;
pub mod plans_json;
mod words;

use std::io::{self, Write};

use serde::Serialize;

use crate::report::layout::json;
use crate::report::layout::size::{Sizes, counted};
use crate::report::words::list::MOST;

/// How a difference is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiffView {
    /// The sums alone.
    pub stat: bool,
    /// All lines of long lists.
    pub all: bool,
    /// How sizes are written.
    pub sizes: Sizes,
}

impl DiffView {
    /// So many lines of a list are shown.
    pub fn most(self) -> usize {
        match (self.stat, self.all) {
            (true, _) => 0,
            (false, true) => usize::MAX,
            (false, false) => MOST,
        }
    }

    /// What was not shown of a list with so many lines.
    fn more(self, all: u64, thing: &str, out: &mut dyn Write) -> io::Result<()> {
        match all.saturating_sub(self.most() as u64) {
            0 => Ok(()),
            _ if self.stat => Ok(()),
            more => {
                let more = counted(more, &format!("more {thing}"));
                writeln!(out, "… and {more}: --all shows all, and so does --json")
            }
        }
    }
}

/// A JSON object with a list that is written while it is found.
pub struct ListedJson<'w> {
    out: &'w mut dyn Write,
    items: u64,
    is_listed: bool,
}

impl<'w> ListedJson<'w> {
    /// Writes all that is known before the list; without `list` there is none.
    fn begin(
        head: &impl Serialize,
        list: Option<&str>,
        out: &'w mut dyn Write,
    ) -> io::Result<ListedJson<'w>> {
        let mut text = Vec::new();
        json::write(&mut text, head)?;
        out.write_all(text.strip_suffix(b"}").unwrap_or(&text))?;
        if let Some(list) = list {
            write!(out, ",\"{list}\":[")?;
        }
        Ok(ListedJson {
            out,
            items: 0,
            is_listed: list.is_some(),
        })
    }

    fn item(&mut self, item: &impl Serialize) -> io::Result<()> {
        self.items += 1;
        let between: &[u8] = if self.items > 1 { b",\n" } else { b"\n" };
        self.out.write_all(between)?;
        json::write(self.out, item)
    }

    fn end_list(&mut self) -> io::Result<()> {
        match self.is_listed {
            true => self.out.write_all(b"\n]"),
            false => Ok(()),
        }
    }

    /// Ends the list, and writes the keys of this object behind it.
    fn end_with(mut self, rest: &impl Serialize) -> io::Result<()> {
        self.end_list()?;
        let mut text = Vec::new();
        json::write(&mut text, rest)?;
        self.out.write_all(b",")?;
        self.out
            .write_all(text.strip_prefix(b"{").unwrap_or(&text))?;
        writeln!(self.out)
    }

    /// Ends the list and the object.
    pub fn end(mut self) -> io::Result<()> {
        self.end_list()?;
        writeln!(self.out, "}}")
    }
}
