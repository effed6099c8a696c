//! Which guest is being worked on.

use serde::Serialize;

use super::GuestName;
use crate::model::RunId;

/// A guest that has private copies of what it shared, while somebody works on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaintainedGuest {
    /// Its name in the base.
    pub name: GuestName,
    /// Since when, RFC 3339, UTC.
    pub since: String,
    /// The run that thawed it first; not known of one that an earlier version thawed.
    #[serde(skip)]
    pub run: Option<RunId>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandEnd {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

impl CommandEnd {
    /// As shells tell it.
    pub fn code(self) -> u8 {
        match self {
            CommandEnd::Code(code) => code,
            CommandEnd::Signal(signal) => signal.saturating_add(128),
        }
    }
}
