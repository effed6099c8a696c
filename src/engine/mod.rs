//! Floor 4, the work: where decisions meet the disk.
//!
//! ```text
//! guests ─scan─▶ names ─classify─▶ candidates ─probe─▶ equal ones ─choose─▶ plan file
//!                                                                            │ review, edit
//!        receipt ◀─ commit ◀─ sync ◀─ flag ◀─ exchange ◀─ journal ◀─ prepare ◀┘
//! ```
//!
//! `plan` cannot reach anything that writes to a guest. `apply`, `undo` and `recover` change guests only by way of
//! `batch`: one batch at a time, one thread, every step in the journal before it is done. The plan is a
//! wish list: it can narrow what is done, and every fact in it is proven again. No decision here looks at a reason.

mod abreast;
mod adopted;
mod ahead;
mod apply;
mod apply_loop;
mod aside;
mod batch;
mod bounds;
mod by_hash;
mod by_path;
mod choices;
mod classify;
mod compare;
mod concerned;
mod confined;
mod crew;
mod cut_run;
mod dropper;
mod emit;
mod equal;
mod error;
mod explain;
mod flight;
mod gc;
mod groups;
mod guests;
mod heal;
mod history;
mod holding;
mod journal_file;
mod likely;
mod limits;
mod looks;
mod matching;
mod memory;
mod near;
mod object_set;
mod objects;
mod order;
mod output;
mod parents;
mod patterns;
mod pending;
mod plains;
mod plan;
mod plan_file;
mod prepare;
mod probe;
mod protection;
mod put_right;
mod quiet;
mod receipts;
mod recover;
mod recovered;
mod remembered;
mod rights;
mod safety;
mod scrub;
mod secrets;
mod sound;
mod status;
mod still;
mod survey;
mod surveys;
mod sweep;
mod table;
mod teach;
mod undo;
mod undo_choice;
mod undo_prepare;
mod verify;

pub use apply::{ApplyOptions, ReadyToApply};
pub use confined::{to_papers, to_reading, to_scrubbing};
pub use crew::Readers;
pub use error::{EngineError, ErrorKind};
pub use explain::explain;
pub use gc::collect;
pub use guests::{Guest, GuestArg, default_base, names_of};
pub use limits::Limits;
pub use output::Output;
pub use patterns::{read_patterns, read_policy};
pub use plan::{PlanOptions, Planned, plan};
pub use plan_file::{PlanFile, WholePlan};
pub use receipts::RunResult;
pub use recover::{guard, recover};
pub use scrub::scrub;
pub use status::status;
pub use undo::{ReadyToUndo, UndoOptions, Which};
pub use verify::verify;

pub use crate::sys::machine::moment;
pub use crate::sys::signals::Stop;
pub use crate::sys::{ALL_IS_WELL, PageCache};

/// Must be called once, before anything else: a broken lease must not kill the process.
pub fn prepare_process() -> Result<(), EngineError> {
    Ok(crate::sys::machine::prepare()?)
}

/// Lowest CPU priority, and the disk only when nobody else wants it: for this process, until its end.
pub fn go_to_background() -> Result<(), EngineError> {
    Ok(crate::sys::machine::go_to_background()?)
}

/// From now on this process ends by itself only: guests may wait for it.
pub fn outlive_signals() -> Result<(), EngineError> {
    Ok(crate::sys::machine::ignore_ends()?)
}

/// Listens to SIGINT and SIGTERM from now on, as wishes to stop between two batches.
pub fn stop_on_signals() -> Result<Stop, EngineError> {
    Ok(Stop::on_signals()?)
}
