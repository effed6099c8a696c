//! What is found by comparing guests with each other.

pub(super) mod configs;
pub(super) mod differences;
pub(super) mod drift;
pub(super) mod hardlinks;
pub(super) mod rights;
pub(super) mod sharing;
