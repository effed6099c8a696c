//! What two plans, two guests or two files have not in common. The older, or first, side is `old`, the other `new`.

mod files;
mod guests;
mod plans;

pub use files::{
    ContentCompared, FileCompared, FileSide, HunkLine, LineFrom, NoText, TextHunk, TextOfTwo,
};
pub use guests::{
    ComparedGuest, EntrySide, EntryVerdict, GuestsCompared, NameDifference, PackageDifference,
};
pub use plans::{
    GuestChanges, HeaderChange, LineChange, LineTotals, PlanChanges, PlanSide, SideOf,
};
