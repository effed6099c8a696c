//! What may be done next: commands with the reason, as words for programs and as lines that can be pasted.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::report::layout::json::CommandJson;
use crate::report::layout::shell::shell_word;

/// Words of a command that a line has room for; JSON has all.
const MOST_WORDS: usize = 16;

/// A command that may come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// Its words; the first is the program.
    command: Vec<OsString>,
    /// What must be done by hand before it; empty where nothing must.
    first: &'static str,
    /// What it is good for.
    why: &'static str,
}

impl NextStep {
    /// `unify COMMAND --base BASE`.
    pub fn on_base(command: &str, base: &Path, why: &'static str) -> NextStep {
        NextStep::unify(
            &[command.as_ref(), "--base".as_ref(), base.as_os_str()],
            why,
        )
    }

    /// `unify` with these words.
    pub fn unify<S: AsRef<OsStr>>(words: &[S], why: &'static str) -> NextStep {
        let words = words.iter().map(|word| word.as_ref().to_owned());
        NextStep {
            command: std::iter::once("unify".into()).chain(words).collect(),
            first: "",
            why,
        }
    }

    /// A command as somebody typed it.
    pub fn of(command: &[OsString], why: &'static str) -> NextStep {
        NextStep {
            command: command.to_vec(),
            first: "",
            why,
        }
    }

    /// The same command once more, after something that a person does.
    pub fn again(command: &[OsString], first: &'static str) -> NextStep {
        NextStep {
            command: command.to_vec(),
            first,
            why: "the same again",
        }
    }

    /// `unify status --base /srv/.unify, to see what is shared now`.
    fn line(&self) -> String {
        let words = self.command.iter().take(MOST_WORDS);
        let words = words.map(|word| shell_word(Path::new(word)));
        let mut words = words.collect::<Vec<_>>().join(" ");
        if self.command.len() > MOST_WORDS {
            words += " …";
        }
        match self.first {
            "" => format!("{words}, {}", self.why),
            first => format!("{first}, then {words}"),
        }
    }
}

/// For people: one line a step.
pub fn text(steps: &[NextStep], out: &mut dyn Write) -> io::Result<()> {
    let mut word = "Next:";
    for step in steps {
        writeln!(out, "{word} {}", step.line())?;
        word = "  or:";
    }
    Ok(())
}

/// For programs.
#[derive(Debug, Serialize)]
pub struct NextJson {
    #[serde(flatten)]
    command: CommandJson,
    /// What it is good for, or what must be done by hand before it.
    why: String,
}

impl NextJson {
    /// All of them.
    pub fn all(steps: &[NextStep]) -> Vec<NextJson> {
        let step = |step: &NextStep| NextJson {
            command: step.command.as_slice().into(),
            why: match step.first {
                "" => step.why.to_owned(),
                first => format!("{first} first"),
            },
        };
        steps.iter().map(step).collect()
    }
}
