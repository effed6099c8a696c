//! What the core says while it works. Nobody below `cli` prints; whoever wants to know listens.

use super::{GuestName, GuestPath, Outcome};

/// A stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Walking the guests.
    Scan,
    /// Reading files that may have twins.
    Hash,
    /// Reading the plan.
    ReadPlan,
    /// Executing a plan or an undo.
    Apply,
    /// Checking names and objects against a plan.
    Verify,
    /// Reading all objects of a base again.
    Scrub,
}

/// What a stage counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nothing: it takes no step.
    Nothing,
    /// Names that the walk met.
    Names,
    /// Bytes that were read.
    Bytes,
    /// Lines of a plan.
    Lines,
    /// Link actions.
    Actions,
    /// Files that get an inode of their own.
    Files,
    /// Objects of the base.
    Objects,
}

/// Something happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A stage begins: what it counts, and how much there is of that, where it is known.
    Begin(Stage, Unit, Option<u64>),
    /// The stage came this much further.
    Advance(u64),
    /// The stage is over.
    End,
    /// Something that a person should know, and that stops nothing.
    Warning(&'a str),
    /// An action that was not done.
    NotDone(Option<&'a GuestName>, &'a [GuestPath], &'a Outcome),
    /// Guests stand still from now on: whoever waits for a terminal or a reader lets them wait, too.
    Frozen,
    /// They go on. Where a run ends in an error this is not said.
    GoOn,
}

/// Somebody who listens. Called from several threads.
pub trait Observer: Sync {
    /// Takes notice of an event. Must not fail, should not wait, and must not between [`Event::Frozen`] and
    /// [`Event::GoOn`].
    fn notice(&self, event: &Event<'_>);
}

/// Listens to nothing: for tests and library users.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Observer for Quiet {
    fn notice(&self, _: &Event<'_>) {}
}
