//! Floor 3, the papers: plan, receipt and journal as bytes.
//!
//! | paper | form | written by | read by |
//! | --- | --- | --- | --- |
//! | plan | a JSON document or JSON Lines, maybe zstd | `plan`, and people | people, `apply` and every command that shows a plan |
//! | receipt | JSON Lines with a check each | `apply`, `undo` | `undo`, `status`, `verify` |
//! | journal | JSON Lines with a check each | `apply`, `undo` | `recover`, and the start of every run |
//!
//! All three are written and read as streams: memory does not grow with their length. This room works
//! on `Read` and `Write` and opens no file; names, permissions and syncs are the caller's.
//!
//! What it may assume: nothing. A plan comes through editors, formatters and strangers; a receipt or journal may
//! be truncated by a crash and damaged by a disk. What it never does: guess. A field that is unknown, missing or
//! double refuses the plan, or the line of the receipt, and is named with its line, and no number found in a paper
//! sizes an allocation. Whether what a plan says is *true* is not known here: `apply` proves it against the guests.
//!
//! A plan is read through [`PaperReader`], which undoes compression, and [`PlanReader`], which is what the other floors
//! see. It knows in the end where the lines of each guest stand, and a [`SectionReader`] reads those alone.

pub mod check_policy;
mod codec;
mod codes;
pub mod journal;
mod json;
mod lines;
mod name;
mod plan;
pub mod policy_file;
mod receipt;
mod schema;
#[cfg(test)]
mod tests;
pub mod writes;

pub use codec::{PaperReader, PaperWriter};
pub use json::BadValue;
pub use plan::edits::Edits;
pub use plan::error::PlanError;
pub use plan::facts::plan_facts;
pub use plan::form::Form;
pub use plan::frames::{FrameError, JsonFault};
pub use plan::line::{Decoded, Edit};
pub use plan::narrowed::{NarrowError, Narrowed, narrow};
pub use plan::reader::{Closing, PlanReader};
pub use plan::sections::{Section, SectionReader};
pub use plan::writer::{Encoded, PlanWriter};
pub use receipt::{BadLine, ReceiptError, ReceiptReader, ReceiptWriter};
pub use schema::{
    IMAGE_PLAN_SCHEMA, IMAGE_PLAN_SCHEMA_ID, PLAN_SCHEMA, PLAN_SCHEMA_ID, RECEIPT_SCHEMA,
};
