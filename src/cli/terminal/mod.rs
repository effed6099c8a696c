//! The person at the other end: what the screen shows while a command works, the question before it, the exit code.

pub(super) mod confirm;
pub(super) mod exit;
pub(super) mod help;
pub(super) mod manner;
pub(super) mod screen;
pub(super) mod usage;
pub(super) mod voice;
