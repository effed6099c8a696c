//! The turn of this process, if it has it.

use std::sync::{Mutex, Weak};

use crate::sys::own::papers::Lock;

/// The turn of this process, if it has it.
#[derive(Debug, Default)]
pub(super) struct OwnTurn(pub Mutex<Weak<Lock>>);
