//! What the core reports while it works. Below `cli` nothing prints; a caller that wants to know passes an
//! [`Observer`].

use std::path::{Path, PathBuf};

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
    /// Making a guest from another one.
    Clone,
    /// Executing a plan or an undo.
    Apply,
    /// Putting the names of two guests side by side.
    Compare,
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
    /// The same about an input that could not be read, whatever it is: the work goes on without it.
    Unread(&'a str),
    /// An action that was not done.
    NotDone(Option<&'a GuestName>, &'a [GuestPath], &'a Outcome),
    /// Guests are frozen from now on: an observer that waits for a terminal or a reader keeps them waiting, too.
    Frozen,
    /// The guests run again. A run that ends in an error does not report this.
    GoOn,
}

/// Why a command could not do what was asked, in parts for programs. The sentence is the error's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// A word that never changes its meaning.
    pub code: &'static str,
    /// What it is about.
    pub place: TroublePlace,
    /// What to do next, where there is something.
    pub hint: Option<String>,
}

/// What an error is about: as much as is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TroublePlace {
    /// A file or directory of the host.
    pub file: Option<PathBuf>,
    /// A line of it.
    pub line: Option<u64>,
    /// A field of that line.
    pub field: Option<String>,
    /// An option or argument of the command line.
    pub option: Option<String>,
    /// A guest.
    pub guest: Option<GuestName>,
    /// A name in it.
    pub path: Option<GuestPath>,
}

impl Trouble {
    /// Nothing is known but the code.
    pub fn new(code: &'static str) -> Trouble {
        Trouble {
            code,
            ..Trouble::default()
        }
    }

    /// With what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Trouble {
        self.hint = Some(hint.into());
        self
    }

    /// About a file or directory of the host.
    pub fn file(mut self, file: &Path) -> Trouble {
        self.place.file = Some(file.to_owned());
        self
    }

    /// About a line of a file.
    pub fn line(mut self, line: u64) -> Trouble {
        self.place.line = Some(line);
        self
    }

    /// About a guest.
    pub fn guest(mut self, guest: &GuestName) -> Trouble {
        self.place.guest = Some(guest.clone());
        self
    }

    /// About an option or argument.
    pub fn option(mut self, option: impl Into<String>) -> Trouble {
        self.place.option = Some(option.into());
        self
    }
}

/// What listens to a run. It is called from several threads.
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
