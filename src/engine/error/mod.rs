//! Why a whole run could not be done, or was stopped. What befalls single actions is an outcome, not an error.

mod bad_use;
mod cannot_here;
mod refused_plan;
mod trouble;

use std::path::PathBuf;

use crate::base::BaseError;
use crate::ledger::PlanError;
use crate::model::{Escaped, GuestName, GuestPath};
use crate::sys::{Meaning, SysError};

pub use bad_use::BadUse;
pub use cannot_here::CannotHere;
pub use refused_plan::RefusedPlan;

/// The end of a run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The machine said no before anything was changed.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// The base cannot be used.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The plan is not one, or not one of ours.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The same, with the file that it came from.
    #[error("{}: {error}", Escaped::of(.path))]
    PlanFile {
        /// As the user named it.
        path: PathBuf,
        /// What is wrong with it.
        error: PlanError,
    },
    /// The plan is well-formed, and may not be executed as it is.
    #[error("plan refused: {0}")]
    PlanRefused(#[from] RefusedPlan),
    /// Something that was asked for makes no sense here.
    #[error(transparent)]
    Usage(#[from] BadUse),
    /// This host or file system cannot do it.
    #[error(transparent)]
    CannotHere(#[from] CannotHere),
    /// Another daemon answers writers already.
    #[error("another daemon answers the writers of this host already: {holder} ({})", Escaped::of(.lock))]
    AnsweredAlready {
        /// What the other one has locked.
        lock: PathBuf,
        /// What it wrote there.
        holder: String,
    },
    /// The selectors leave nothing of a plan that could be applied.
    #[error("the selectors leave nothing to do: no line that links or flags is selected")]
    NothingSelected,
    /// There is a file already where the plan shall go.
    #[error("{} exists already: name another file, or give --force to replace it", Escaped::of(.0))]
    OutputExists(PathBuf),
    /// The plan could not be written.
    #[error("cannot write the plan: {0}")]
    Output(#[source] std::io::Error),
    /// A file that was asked for cannot be read.
    #[error("{what} cannot be read: {why}")]
    NotRead {
        /// Which file, made safe to print.
        what: String,
        /// Why.
        why: String,
    },
    /// Another base may hold names of the guest before long.
    #[error(
        "another run, with another base, is at work in guest {guest} (process {pid}): wait until it is over, and try again; a plan that shares files of the guest is best made again"
    )]
    GuestHeld {
        /// The guest.
        guest: GuestName,
        /// The other run.
        pid: u32,
    },
    /// A guest that is an image cannot be read to its end.
    #[error("{error}")]
    BadImage {
        /// The guest.
        guest: GuestName,
        /// Would programs unpack it in different ways? Else it is damaged, or too large.
        is_ambiguous: bool,
        /// Where in it, and why.
        error: SysError,
    },
    /// Somebody is inside of the guest that shall be cloned.
    #[error(
        "guest {guest} runs ({who}), and a clone of a running guest has its files as they were one after the other, not at one moment: stop it first, or give --allow-running and take that"
    )]
    CloneOfRunning {
        /// The guest.
        guest: GuestName,
        /// Who is inside, as a sentence knows it.
        who: String,
    },
    /// A file of a guest that seemed to be stopped is another one than a moment ago.
    #[error(
        "{guest}:{path} changed while it was copied: somebody is at work in that guest; nothing was made"
    )]
    ChangedMeanwhile {
        /// The guest.
        guest: GuestName,
        /// The name.
        path: GuestPath,
    },
    /// The copy of a file is not what the file is.
    #[error("{guest}:{path} cannot be copied whole: its copy has another {what}; nothing was made")]
    NotCopiedWhole {
        /// The guest.
        guest: GuestName,
        /// The name.
        path: GuestPath,
        /// What differs.
        what: String,
    },
    /// A signal ended the work before anything was made.
    #[error("stopped by a signal; nothing was made")]
    Stopped,
    /// The run stopped in the middle of a batch. Nothing is lost; the next run or `recover` heals it.
    #[error("stopped half way, nothing is lost: {why}; run `unify recover --base {}`", Escaped::of(.base))]
    Halted {
        /// The base.
        base: PathBuf,
        /// What went wrong.
        why: String,
    },
}

/// What an error means to the caller: `cli` makes exit codes of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The machine said no.
    Failed,
    /// Wrong use.
    Usage,
    /// The plan as a whole.
    PlanRefused,
    /// Another run is at work.
    Locked,
    /// This host or file system.
    CannotHere,
    /// Stopped in the middle.
    Halted,
}

impl EngineError {
    /// What the error means.
    pub fn kind(&self) -> ErrorKind {
        match self {
            EngineError::Base(BaseError::Locked { .. })
            | EngineError::AnsweredAlready { .. }
            | EngineError::GuestHeld { .. } => ErrorKind::Locked,
            EngineError::Base(BaseError::Exposed { .. } | BaseError::Elsewhere(_)) => {
                ErrorKind::CannotHere
            }
            EngineError::Sys(_)
            | EngineError::Base(_)
            | EngineError::Output(_)
            | EngineError::NothingSelected
            | EngineError::OutputExists(_)
            | EngineError::CloneOfRunning { .. }
            | EngineError::ChangedMeanwhile { .. }
            | EngineError::NotCopiedWhole { .. }
            | EngineError::NotRead { .. }
            | EngineError::BadImage { .. }
            | EngineError::Stopped => ErrorKind::Failed,
            EngineError::Plan(_) | EngineError::PlanFile { .. } | EngineError::PlanRefused(_) => {
                ErrorKind::PlanRefused
            }
            EngineError::Usage(_) => ErrorKind::Usage,
            EngineError::CannotHere(_) => ErrorKind::CannotHere,
            EngineError::Halted { .. } => ErrorKind::Halted,
        }
    }

    /// What the system said, where it was the system.
    pub(super) fn system(&self) -> Option<&SysError> {
        match self {
            EngineError::Sys(error) | EngineError::Base(BaseError::Sys(error)) => Some(error),
            _ => None,
        }
    }

    /// Has another process what is wanted?
    pub(super) fn is_busy(&self) -> bool {
        let said = self.system();
        said.is_some_and(|error| error.meaning() == Meaning::Busy)
    }

    /// The same error with the name of the plan's file, where it is about one.
    pub(super) fn in_file(self, path: &std::path::Path) -> EngineError {
        match self {
            EngineError::Plan(error) => EngineError::PlanFile {
                path: path.to_owned(),
                error,
            },
            other => other,
        }
    }

    /// The same error where a run has begun: what it left must be healed.
    pub(super) fn in_a_run(self, base: &crate::base::Base) -> EngineError {
        match self {
            halted @ EngineError::Halted { .. } => halted,
            other => EngineError::halted(base, other),
        }
    }

    pub(super) fn halted(base: &crate::base::Base, why: impl std::fmt::Display) -> EngineError {
        EngineError::Halted {
            base: base.path().to_owned(),
            why: why.to_string(),
        }
    }
}

impl From<crate::rules::pattern::BadPattern> for EngineError {
    fn from(bad: crate::rules::pattern::BadPattern) -> EngineError {
        BadUse::from(bad).into()
    }
}
