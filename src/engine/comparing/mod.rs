//! `diff`: what two plans, a plan and now, two guests, or one file of two guests have not in common. It only reads, as
//! `plan` does, and writes nothing anywhere but what `plan` remembers in its base.
//!
//! | file | what it compares |
//! | --- | --- |
//! | `plans` | two plans, streamed side by side |
//! | `now` | a plan with one that is made now, of the same guests by the same choices |
//! | `guests` | two guests, directory by directory, in step |
//! | `walk` | the names of two guests, in step |
//! | `measure` | what counts: what both guests can hold |
//! | `entry` | one name that both have: what it is, its metadata, its content |
//! | `packages` | what the package databases of two guests list |
//! | `file` | one file of two guests: every fact side by side, and the text |
//! | `text` | the lines of two texts |
//! | `places` | which guest and which file is meant, by whatever knows the guest |
//!
//! Guests are asked through `GuestFiles`, so that it does not matter which form they have: what one of the two forms
//! cannot hold is no difference.

mod entry;
mod file;
mod guests;
mod measure;
mod now;
mod packages;
mod places;
mod plans;
#[cfg(test)]
mod tests;
mod text;
mod walk;

pub use file::{FilePlace, compare_files};
pub use guests::TwoGuests;
pub use now::{NowOptions, plan_of_now};
pub use places::{GuestPlace, is_directory, told_apart};
pub use plans::{CompareHow, TwoPlans};
