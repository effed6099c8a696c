//! The order of a plan's lines: what makes doubles and shuffles visible without remembering lines.
//!
//! Link and skip lines go by guest, in the order of the list of guests, then by path, in the order of
//! its bytes, and rise strictly. One path may have several lines only where all are skips: first
//! at most one for the name itself, then those that stand for what is beneath it (they have `files`),
//! by reason. The source of a reflink is of a guest of the plan. Flag lines, and flags that were held, stand anywhere.

use std::collections::HashMap;

use super::error::PlanError;
use crate::model::{Action, GuestName, GuestPath, Left, PlannedGuest, SkipReason};

/// The place of a line among its neighbours.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct LinePosition {
    guest: usize,
    path: GuestPath,
    beneath: Option<SkipReason>,
}

/// Knows the guests and the last line.
#[derive(Default)]
pub(super) struct PlanOrder {
    guests: HashMap<GuestName, usize>,
    last: Option<(LinePosition, bool)>,
}

impl PlanOrder {
    /// Takes in the next guest of the list.
    pub(super) fn add_guest(&mut self, line: u64, guest: &PlannedGuest) -> Result<(), PlanError> {
        let index = self.guests.len();
        match self.guests.insert(guest.name.clone(), index) {
            None => Ok(()),
            Some(_) => Err(PlanError::GuestTwice {
                line,
                guest: guest.name.clone(),
            }),
        }
    }

    /// Checks that the action may follow those before it.
    pub fn check(&mut self, line: u64, action: &Action) -> Result<(), PlanError> {
        let (guest, path, beneath, is_link) = match action {
            Action::Link(link) => (&link.guest, &link.path, None, true),
            Action::Reflink(link) => {
                self.index(line, &link.source.guest)?;
                (&link.guest, &link.path, None, true)
            }
            Action::Flag(_) => return Ok(()),
            Action::Skip(skip) => {
                let (guest, path, beneath) = match &skip.left {
                    Left::Name { guest, path, .. } => (guest, path, None),
                    Left::Beneath { guest, top, .. } => (guest, top, Some(skip.reason)),
                    Left::Flag { .. } => return Ok(()),
                };
                (guest, path, beneath, false)
            }
        };
        let place = LinePosition {
            guest: self.index(line, guest)?,
            path: path.clone(),
            beneath,
        };
        if self
            .last
            .as_ref()
            .is_some_and(|last| !follows(last, &place, is_link))
        {
            return Err(PlanError::Order { line });
        }
        self.last = Some((place, is_link));
        Ok(())
    }

    /// The number of the guest whose line was last.
    pub fn guest(&self) -> Option<usize> {
        self.last.as_ref().map(|(place, _)| place.guest)
    }

    fn index(&self, line: u64, guest: &GuestName) -> Result<usize, PlanError> {
        let index = self.guests.get(guest).copied();
        index.ok_or_else(|| PlanError::UnknownGuest {
            line,
            guest: guest.clone(),
        })
    }
}

fn follows(
    (last, last_is_link): &(LinePosition, bool),
    place: &LinePosition,
    is_link: bool,
) -> bool {
    let same_name = (last.guest, &last.path) == (place.guest, &place.path);
    last < place && !(same_name && (is_link || *last_is_link))
}
