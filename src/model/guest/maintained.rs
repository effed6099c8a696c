//! Which guest is being worked on.

use serde::Serialize;

use super::GuestName;

/// A guest that has private copies of what it shared, while somebody works on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaintainedGuest {
    /// Its name in the base.
    pub name: GuestName,
    /// Since when, RFC 3339, UTC.
    pub since: String,
}
