//! The three answers, with the manager that they are about.

use std::path::Path;

use crate::model::{ClearsFlags, Escaped, FlagClearing};

/// What nothing is known of: no manager has a configuration of it.
pub fn no_manager() -> FlagClearing {
    FlagClearing {
        answer: ClearsFlags::Unknown,
        why: "no manager's configuration of it was found".into(),
        manager: None,
        remedy: None,
    }
}

/// A manager by its name in plans.
#[derive(Debug, Clone, Copy)]
pub struct Manager(pub &'static str);

impl Manager {
    /// It starts nothing that could take the flag off.
    pub fn no(self, why: String) -> FlagClearing {
        self.answer(ClearsFlags::No, why, None)
    }

    /// What it will start is not known.
    pub fn unknown(self, why: String) -> FlagClearing {
        self.answer(ClearsFlags::Unknown, why, None)
    }

    /// It starts what could take the flag off, until `remedy` is done.
    pub fn yes(self, why: String, remedy: String) -> FlagClearing {
        self.answer(ClearsFlags::Yes, why, Some(remedy))
    }

    fn answer(self, answer: ClearsFlags, why: String, remedy: Option<String>) -> FlagClearing {
        FlagClearing {
            answer,
            why,
            manager: Some(self.0.to_owned()),
            remedy,
        }
    }
}

/// A path for a sentence.
pub fn shown(path: &Path) -> Escaped<'_> {
    Escaped::of(path)
}
