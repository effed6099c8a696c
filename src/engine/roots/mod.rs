//! What a person gives as guests, before anything is planned of them: is each a root, what are they called, where does
//! their base go, and what is odd about them.
//!
//! What is refused here would share what must stay private, or nothing at all. What may be meant so is noted, and the
//! plan says it.

mod base_place;
mod door;
mod known_before;
mod likely;
mod naming;
pub(super) mod notes;
pub(super) mod one_filesystem;
pub(super) mod one_mount;

pub use base_place::default_base;
pub use door::meet;
pub use naming::named;
