//! Where the lines of each guest stand in the text of a plan, so that a reader that has read it whole can read
//! those of all guests in parallel.

use std::io::BufRead;

use super::error::PlanError;
use super::form::Form;
use super::frames::Frames;
use super::line;
use crate::model::{Action, PlanKind};

/// Where an action begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextPlace {
    pub line: u64,
    /// In bytes, of the text before it was compressed.
    pub at: u64,
    /// The form of the plan that it stands in.
    pub form: Form,
}

/// The lines of one guest in a row, and the flag lines after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    first: TextPlace,
    actions: u64,
}

impl Section {
    /// The byte where its first line begins.
    pub fn begins(&self) -> u64 {
        self.first.at
    }
}

/// The sections of the lines that were read so far.
#[derive(Default)]
pub(super) struct Sections {
    all: Vec<Section>,
    guest: Option<usize>,
}

impl Sections {
    pub fn all(&self) -> &[Section] {
        &self.all
    }

    /// Takes in the next action; `guest` is the one whose line it is, or the last one was.
    pub fn add(&mut self, guest: Option<usize>, place: TextPlace) {
        match self.all.last_mut() {
            Some(section) if self.guest == guest => section.actions += 1,
            _ => self.all.push(Section {
                first: place,
                actions: 1,
            }),
        }
        self.guest = guest;
    }
}

/// Reads the actions of one section of a plan that was read whole before, and trusts that it is the same text. It is a
/// plan that is being applied.
pub struct SectionReader<R> {
    frames: Frames<R>,
    left: u64,
}

impl<R: BufRead> SectionReader<R> {
    /// `input` begins where the section does.
    pub fn new(input: R, section: &Section) -> SectionReader<R> {
        let TextPlace { line, form, .. } = section.first;
        SectionReader {
            frames: Frames::at_action(input, line, form),
            left: section.actions,
        }
    }

    /// The next action; `None` after the last. A text that was truncated since is an error.
    pub fn next_action(&mut self) -> Result<Option<Action>, PlanError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let Some((line, _)) = self.frames.next()? else {
            let (line, part) = (self.frames.line(), "actions");
            return Err(PlanError::Missing { line, part });
        };
        let decoded =
            line::decode(self.frames.value(), PlanKind::Plan).map_err(PlanError::at(line))?;
        Ok(Some(decoded.action))
    }
}
