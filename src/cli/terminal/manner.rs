//! How the program speaks, as the command line says: for programs or for people, and to people how much. It is said
//! once, before anything is spoken.

use std::ffi::OsString;
use std::sync::OnceLock;

/// How to speak.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// The answer is JSON, and so is an error.
    pub json: bool,
    /// People are told of what went wrong and of what needs them, and of nothing else.
    pub quiet: bool,
}

static VOICE: OnceLock<Manner> = OnceLock::new();

/// Says how to speak from now on.
pub fn set(manner: Manner) {
    VOICE.get_or_init(|| manner);
}

/// How to speak.
pub fn manner() -> Manner {
    VOICE.get().copied().unwrap_or_default()
}

/// Is JSON asked for? The words are looked at before they are understood: a wrong one is answered in JSON, too.
pub fn wants_json(args: &[OsString]) -> bool {
    let words = args.iter().take_while(|word| *word != "--");
    let words: Vec<&OsString> = words.collect();
    let format = words
        .windows(2)
        .any(|two| two[0] == "--format" && two[1] == "json");
    format
        || words
            .iter()
            .any(|word| *word == "--json" || *word == "--format=json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_asked_for_in_three_ways() {
        let wants = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            wants_json(&words)
        };
        for yes in [
            "unify --json",
            "unify show --format json p",
            "unify show --format=json p",
        ] {
            assert!(wants(yes), "{yes}");
        }
        for no in [
            "unify show p",
            "unify show -- --json",
            "unify show --format text json",
        ] {
            assert!(!wants(no), "{no}");
        }
    }
}
