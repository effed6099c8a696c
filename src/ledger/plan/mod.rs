//! The plan as bytes: read, written, compared with what the planner wrote.
//!
//! From the bottom: [`frames`] splits the text into values and counts lines, `parts` puts the values of both
//! forms in order, `line` reads one action, `order` and [`edits`] compare it with its neighbours and with what
//! the planner wrote, and [`reader`] is what the other floors see. [`writer`] makes the text, `seal` the
//! marks that show a hand's change, and `digest` what people approve; [`narrowed`] copies a plan without some of its
//! lines.

mod digest;
pub(super) mod edits;
pub(super) mod error;
mod extent;
pub(super) mod facts;
pub(super) mod form;
pub(super) mod frames;
pub(super) mod line;
pub(super) mod narrowed;
pub(super) mod object;
mod order;
mod parts;
pub(super) mod reader;
mod seal;
mod sealed;
pub(super) mod sections;
mod wire;
pub(super) mod writer;
