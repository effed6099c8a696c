//! Codes as words: the sentence of each, what it means, what would change it, and which kind it counts among. A new
//! code does not compile until each of them knows it.

pub mod chose_nothing;
pub mod explain_code;
pub(super) mod flag_clearers;
pub(super) mod idle;
pub mod left_open;
pub mod list;
pub(super) mod not_done;
pub(super) mod promise;
pub(super) mod root_notes;
pub mod sentence;
pub(super) mod skip_kinds;
