//! What `unify show` tells about a plan: totals first, then what is left alone and why, then who
//! shares with whom; groups and single actions only where asked for.
//!
//! A plan is read twice where its lines are wanted: once to count (see [`super::Tally`]), once to
//! list. So the totals stand first and nothing is held in memory.
//!
//! ```text
//! let mut shown = show.begin(&view, &mut out)?;
//! for action in second_reading { shown.line(&action)?; }   // only with `lines`
//! shown.end()?;
//! ```
//!
//! The JSON form is one object on one line; its keys are the fields of `json::Shown`, then
//! `actions`, an array of `json::Line`, where lines are wanted.

mod json;
mod markdown;
mod text;

use std::io::{self, Write};

use crate::model::Action;

use super::plan_view::PlanView;
use super::size::Sizes;
use super::totals::{By, GroupKey};
use super::{Format, sentence};

/// How a plan is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// A table of groups; the [`super::Tally`] must have been made with the same.
    pub by: Option<By>,
    /// Text, JSON or markdown.
    pub format: Format,
    /// A line for every action.
    pub lines: bool,
    /// A line for every near miss that the plan lists.
    pub near_misses: bool,
    /// Exact sizes.
    pub bytes: bool,
}

impl Show {
    /// Writes everything but the actions. [`Shown::end`] must follow.
    pub fn begin<'w>(self, plan: &PlanView<'_>, out: &'w mut dyn Write) -> io::Result<Shown<'w>> {
        match self.format {
            Format::Text => text::begin(self, plan, out)?,
            Format::Json => json::begin(self, plan, out)?,
            Format::Markdown => markdown::begin(self, plan, out)?,
        }
        Ok(Shown {
            show: self,
            out,
            first: true,
        })
    }

    fn sizes(self) -> Sizes {
        Sizes { exact: self.bytes }
    }
}

/// A plan that is being shown.
pub struct Shown<'w> {
    show: Show,
    out: &'w mut dyn Write,
    first: bool,
}

impl Shown<'_> {
    /// Writes one action; nothing, unless lines are wanted.
    pub fn line(&mut self, action: &Action) -> io::Result<()> {
        if !self.show.lines {
            return Ok(());
        }
        match self.show.format {
            Format::Text => text::line(self.show.sizes(), action, self.out)?,
            Format::Json => json::line(self.first, action, self.out)?,
            Format::Markdown => text::line(self.show.sizes(), action, self.out)?,
        }
        self.first = false;
        Ok(())
    }

    /// Closes what is open.
    pub fn end(self) -> io::Result<()> {
        match self.show.format {
            Format::Text => Ok(()),
            Format::Json => json::end(self.show.lines, self.out),
            Format::Markdown => markdown::end(self.show.lines, self.out),
        }
    }
}

/// What the groups are called.
fn heading(by: By) -> &'static str {
    match by {
        By::Guest => "guest",
        By::Reason => "reason",
        By::Directory => "directory",
        By::Package => "package",
    }
}

/// A group's name, safe to print.
fn label(by: By, key: &GroupKey) -> String {
    match key {
        GroupKey::Guest(guest) => guest.to_string(),
        GroupKey::Reason(code) => (*code).to_owned(),
        GroupKey::Directory(path) => path.to_string(),
        GroupKey::Package(name) => sentence::safe(name),
        GroupKey::None => format!("(no {})", heading(by)),
    }
}

#[cfg(test)]
mod tests;
