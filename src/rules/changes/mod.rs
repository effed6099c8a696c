//! What two plans have not in common: a merge of their lines, which both have in one order, and what a line that both
//! have says otherwise.
//!
//! A line is known by its guest, its path, and for one that stands for a directory its reason. Flag lines have no place
//! in that order, so they are matched by what they say, whatever stands around them.
//!
//! What counts is what is *decided*, as the decision digest has it, and for lines that are left alone the verdict with
//! what says so. Inodes, times, sizes, what comes back, versions, notes and the numbers of objects are *evidence*, and
//! count where they are asked for. A new kind of line is an arm in `merge`, which says its place, and one in `fields`.
//! Memory: two lines, and twelve bytes for each flag line that the other plan has not.

mod fields;
mod flags;
mod header;
mod merge;
mod order;
#[cfg(test)]
mod tests;

pub use fields::{Depth, changed_fields};
pub use flags::LooseLines;
pub use header::header_changes;
pub use merge::{MergedLine, merged};
pub use order::common_order;
