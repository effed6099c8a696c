//! What `unify show` shows of a plan: totals first, then what is left alone and why, then which guests share how
//! much; groups and single actions only where asked for.
//!
//! A plan is read twice where its lines are wanted: once to count (see [`super::Tally`]), once to list. So the
//! totals stand first and nothing is held in memory.
//!
//! ```text
//! let mut shown = show.begin(&view, &mut out)?;
//! for action in second_reading { shown.line(&action)?; }   // only with `lines`
//! shown.end()?;
//! ```
//!
//! The JSON form is one object on one line; its keys are the fields of `ShowJson`, then `actions`, an array of
//! `LineJson`, where lines are wanted.

mod json;
mod line_json;
mod markdown;
mod request;
pub mod stale;
mod text;

use std::io::{self, Write};

use crate::model::Action;

use super::Format;
use super::plan_view::PlanView;

pub use request::Show;

impl Show {
    /// Writes everything but the actions. [`Shown::end`] must follow.
    pub fn begin<'w>(self, plan: &PlanView<'_>, out: &'w mut dyn Write) -> io::Result<Shown<'w>> {
        match self.format {
            Format::Text => text::begin(self, plan, out)?,
            Format::Json => json::begin(self, plan, out)?,
            Format::Markdown => markdown::begin(self, plan, out)?,
        }
        Ok(self.lines_alone(out))
    }

    /// Nothing but the actions, which follow what was shown before.
    pub fn lines_alone(self, out: &mut dyn Write) -> Shown<'_> {
        Shown {
            show: self,
            out,
            first: true,
        }
    }
}

/// A plan that is being shown.
pub struct Shown<'w> {
    show: Show,
    out: &'w mut dyn Write,
    first: bool,
}

impl Shown<'_> {
    /// Writes one action if lines are wanted; otherwise does nothing.
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

#[cfg(test)]
mod tests;
