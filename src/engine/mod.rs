//! Floor 4, the work: where decisions meet the disk.
//!
//! ```text
//! guests ─scan─▶ names ─classify─▶ candidates ─probe─▶ equal ones ─choose─▶ plan file
//!                                                                            │ review, edit
//!  receipt ◀─ commit ◀─ sync ◀─ prove ◀─ flag ◀─ exchange ◀─ journal ◀─ prepare ◀┘
//! ```
//!
//! `plan` cannot reach anything that writes to a guest: a test keeps that. `apply` and `undo` change guests only by way
//! of `exchange`: one batch at a time, one thread, every step in the journal before it is done. `recover` exchanges the
//! names that a journal left, one by one, by the same `link`. The plan is a
//! wish list: it can narrow what is done, and every fact in it is proven again. No decision here looks at a
//! reason.
//!
//! | act | what it does, and where |
//! | --- | --- |
//! | `planning` | makes a plan: `survey` reads a guest, `classify` judges its files, `matching` finds equal ones, `choose` decides, `lines` writes |
//! | `applying` | executes a plan: `ready` checks it whole, `prepare` proves each line, `objects` makes or proves objects, `batches` is the loop |
//! | `undoing` | gives names a private inode again: `select` finds the files, `prepare` makes the copies |
//! | `healing` | finishes or rolls back what an interrupted run left: `may_heal` asks whether it may, `run` heals a run, `name` one name; `restored` takes over a base that was brought elsewhere |
//! | `parting` | gives every holder of a spoiled object a file of its own again |
//! | `reviewing` | makes a narrower plan of a plan |
//! | `checking` | looks for what should not be in guests and plans: one file a rule or two, `guests` and `plans` put them together |
//! | `inspecting` | only reads: `verify`, `scrub`, `status`, `explain`, and which lines of a plan are stale |
//! | `comparing` | only reads: what two plans, a plan and now, two guests, or two files have not in common |
//! | `doctoring` | tries on scratch files what this host and some directories can do |
//! | `forgetting` | takes a guest's names of objects from it without a copy, because it goes |
//! | `cloning` | makes a guest from another one: `look` and `copy` go through the `tree`, `linking` has a plan of its own applied |
//! | `maintaining` | thaws a guest for a command that somebody runs, and shares again what is equal afterwards |
//! | `protecting` | moves the objects of a base from one protection to another |
//! | `breaking` | gives a guest a file of its own that is about to write to a shared one: the daemon of the guard |
//! | `guarding` | the guard of this kernel: loads it, looks at it, takes it out |
//! | `gc` | removes objects that no guest's name refers to |
//!
//! | ground | what all acts stand on |
//! | --- | --- |
//! | `exchange` | the one batch in which names come to refer to other inodes: jobs, journal, names, flags, commit, roll back |
//! | `records` | what the base remembers: receipts replayed, files that were linked, holders of an object, names found again, by a plan or by a walk; which base is meant |
//! | `paths` | paths and globs as guests resolve them, and names that were probably meant |
//! | `sources` | guests of every form, images too, as a person gives them and as a plan names them |
//! | `roots` | guests as a person gives them, met before anything is planned: is each a root, what is it called, where does the base go, what is odd about it |
//! | `activity` | who is inside a guest, who reaches the base, what is mounted, who could take flags off; `freeze` stops a guest for a moment |
//!
//! | file | what is in it |
//! | --- | --- |
//! | `error` | why a whole run could not be done: wrong use, a refused plan, a lack of this host |
//! | `guest` | guests as they are named, opened, and kept apart from each other and the base |
//! | `host` | the digest of this host, and the note in the lock file |
//! | `privileges` | what this process must be to change guests or the base |
//! | `sandbox` | how far each command that only reads is confined |
//! | `proof` | whether a shared inode, under its flag, is what it should be |
//! | `protection` | what this host can do: how objects will be protected, and whether names can be shared at all |
//! | `plan_file` | a plan as a person hands it over, read whole or line by line |
//! | `policy_files` | lists of patterns and policies, read from files |
//! | `receipt_file` | the receipt of the current run, and what the run came to |
//! | `read_ahead` | lines of a plan, decoded in a thread of their own |
//! | `lifting` | how healing and `gc` take a protection off: written down first, put back always |
//! | `limits` | how far and how fast a run may go |
//! | `threads` | the workers of a command that reads much, and the readers among them |
//! | `in_parallel` | looks at many things in parallel, and changes none |

mod activity;
mod applying;
mod breaking;
mod checking;
mod cloning;
mod comparing;
mod doctoring;
mod error;
mod exchange;
mod forgetting;
mod gc;
mod guarding;
mod guest;
mod healing;
mod host;
mod in_parallel;
mod inspecting;
mod lifting;
mod limits;
mod maintaining;
mod parting;
mod paths;
mod plan_file;
mod planning;
mod policy_files;
mod privileges;
mod proof;
mod protecting;
mod protection;
mod read_ahead;
mod receipt_file;
mod records;
mod reviewing;
mod roots;
mod sandbox;
mod sources;
mod threads;
mod undoing;

pub use activity::base::warn_of_base;
pub use applying::ready::{ApplyOptions, ApprovedBy, ReadyToApply};
pub use applying::rehearsal::rehearse;
pub use breaking::{Allowance, GuarddOptions, answer_writers};
pub use checking::guests::check_guests;
pub use checking::options::{BaselineUse, CheckOptions};
pub use checking::papers::{CheckPapers, PaperKind, WantedPaper, baseline, read_baseline};
pub use checking::plans::check_plan;
pub use cloning::{CloneOptions, MadeClone, ReadyToClone};
pub use comparing::{
    CompareHow, FilePlace, GuestPlace, NowOptions, TwoGuests, TwoPlans, compare_files,
    is_directory, plan_of_now, told_apart,
};
pub use doctoring::assistant::assist;
pub use doctoring::examine;
pub use error::{EngineError, ErrorKind};
pub use forgetting::ReadyToForget;
pub use gc::{Gc, collect};
pub use guarding::{guard_state, load_guard, unload_guard};
pub use guest::{Guest, GuestArg};
pub use healing::restored::take_over;
pub use healing::watching::{Watch, protect_after_death};
pub use healing::{heal_after_death, recover};
pub use inspecting::explain::explain;
pub use inspecting::scrub::scrub;
pub use inspecting::stale::stale;
pub use inspecting::status::status;
pub use inspecting::verify::verify;
pub use limits::Limits;
pub use maintaining::{
    CommandOutput, MaintainCommand, NoCommand, ReadyToThaw, Refrozen, ThawOptions, Thawed,
    look_at_thaw, maintained, refreeze,
};
pub use paths::choice::PathChoice;
pub use paths::selected::select;
pub use plan_file::{PlanFile, WholePlan};
pub use planning::options::PlanOptions;
pub use planning::output::Output;
pub use planning::{Planned, plan};
pub use policy_files::{read_check_policy, read_patterns, read_policy};
pub use protecting::move_protection;
pub use receipt_file::RunResult;
pub use records::bases::{any_base_near, base_at, base_near, bases_of_host, is_there};
pub use reviewing::{Replacing, cut};
pub use roots::{default_base, meet, named};
pub use sandbox::{to_papers, to_reading, to_scrubbing};
pub use sources::{GuestSources, ImageArg, SourceArg};
pub use threads::Readers;
pub use undoing::ReadyToUndo;
pub use undoing::look::look_at_undo;
pub use undoing::select::{UndoOptions, WhichRuns};

pub use crate::sys::PageCache;
pub use crate::sys::host::machine::{columns, moment};
pub use crate::sys::host::signals::Stop;
pub use crate::sys::own::papers::write_public;

/// Must be called once, before anything else: a broken lease must not kill the process.
pub fn prepare_process() -> Result<(), EngineError> {
    Ok(crate::sys::host::machine::prepare()?)
}

/// Lowest CPU priority, and the disk only when no other process wants it: for this process, until its end.
pub fn go_to_background() -> Result<(), EngineError> {
    Ok(crate::sys::host::machine::go_to_background()?)
}

/// From now on this process ends by itself only: guests may wait for it.
pub fn outlive_signals() -> Result<(), EngineError> {
    Ok(crate::sys::host::machine::ignore_ends()?)
}

/// Listens to SIGINT and SIGTERM from now on, as wishes to stop between two batches.
pub fn stop_on_signals() -> Result<Stop, EngineError> {
    Ok(Stop::on_signals()?)
}
