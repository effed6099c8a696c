//! Floor 3, the papers: plan, receipt and journal as bytes.
//!
//! | paper | form | who writes | who reads |
//! | --- | --- | --- | --- |
//! | plan | a JSON document or JSON Lines, maybe zstd | `plan`, and people | people, `apply` and every command that shows a plan |
//! | receipt | JSON Lines | `apply`, `undo` | `undo`, `status`, `verify` |
//! | journal | JSON Lines with a check each | `apply`, `undo` | `recover`, and the start of every run |
//!
//! All three are written and read as streams: memory does not grow with their length. This room works
//! on `Read` and `Write` and opens no file; names, permissions and syncs are the caller's.
//!
//! What it may assume: nothing. A plan comes through editors, formatters and strangers; a receipt or
//! journal may be cut by a crash. What it never does: guess. A field that is unknown, missing or double
//! refuses the plan and is named with its line, and no number found in a paper sizes an allocation.
//! Whether what a plan says is *true* is not known here: `apply` proves it against the guests.
//!
//! How a plan is read, from the bottom: [`PaperReader`] undoes compression, `frames` cuts the text into
//! values and counts lines, `parts` puts the values of both forms in order, `line` reads one action,
//! `plan_order` and `edits` compare it with its neighbours and with what the planner wrote, and
//! [`PlanReader`] is what the other floors see. It knows in the end where the lines of each guest stand, and a
//! [`SectionReader`] reads those alone.

mod codec;
mod codes;
mod content;
mod edits;
mod extent;
mod frames;
pub mod journal;
mod journal_wire;
mod json;
mod line;
mod lines;
mod name;
mod object;
mod parts;
mod plan_error;
mod plan_order;
mod plan_reader;
mod plan_writer;
pub mod policy_file;
mod receipt;
mod receipt_wire;
mod schema;
mod seal;
mod sealed;
mod sections;
#[cfg(test)]
mod tests;
mod wire;
mod wire_skip;

pub use codec::{PaperReader, PaperWriter};
pub use edits::Edits;
pub use frames::{Fault, FrameError};
pub use json::BadValue;
pub use line::{Decoded, Edit, decode, encode};
pub use plan_error::PlanError;
pub use plan_reader::{Closing, PlanReader};
pub use plan_writer::{Encoded, Form, PlanWriter};
pub use receipt::{ReceiptEnd, ReceiptError, ReceiptReader, ReceiptWriter};
pub use schema::{PLAN_SCHEMA, PLAN_SCHEMA_ID, RECEIPT_SCHEMA};
pub use sections::{Section, SectionReader};
