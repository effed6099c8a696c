//! What became of the protection of a base.

use serde::Serialize;

use super::Protect;

/// The objects of a base came under another protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProtectionMove {
    /// What protected them.
    pub from: Protect,
    /// What protects them now.
    pub to: Protect,
    /// How many were moved.
    pub objects: u64,
}
