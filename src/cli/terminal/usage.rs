//! What is said of a command line that cannot be understood; help and version are answers.

use std::io;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::exit::{USAGE, say};
use super::manner::manner;
use crate::model::{Escaped, Trouble, is_harmless};

/// Words that other tools have for what this program does, or does not do.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["version"], "`unify --version` tells the version"),
    (
        &[
            "dedup",
            "dedupe",
            "deduplicate",
            "unify",
            "vunify",
            "vhashify",
            "hashify",
            "hardlink",
        ],
        "files are shared in two steps: `unify plan -o plan.json GUEST...`, then `unify apply plan.json`",
    ),
    (
        &["scan", "find", "search", "analyze", "analyse"],
        "`unify plan GUEST...` scans guests and says what could be shared; it changes nothing",
    ),
    (
        &["audit", "compare"],
        "`unify plan --audit GUEST...` says what guests could share, wherever they are",
    ),
    (
        &["run", "execute", "exec"],
        "`unify apply plan.json` executes a plan",
    ),
    (
        &["report", "review", "view", "cat", "print", "summary"],
        "`unify show plan.json` shows a plan",
    ),
    (
        &["fsck", "scrub", "test", "validate"],
        "`unify verify plan.json` proves what a plan has done, `unify verify --base DIR` reads every shared file again",
    ),
    (
        &[
            "info", "guests", "list", "ls", "history", "log", "logs", "runs", "stats", "df",
        ],
        "`unify status` tells what is shared now, guest by guest, and lists the runs",
    ),
    (
        &[
            "rollback", "revert", "restore", "unlink", "undedupe", "unshare", "release", "thaw",
            "break",
        ],
        "`unify undo --run last` gives names a file of their own again",
    ),
    (
        &["rm", "remove", "delete", "destroy"],
        "`unify forget GUEST` lets go of a guest that is deleted",
    ),
    (
        &["repair", "heal", "fix", "resume"],
        "`unify recover` heals what a run left that was cut short",
    ),
    (
        &["clean", "prune", "cleanup", "purge"],
        "`unify gc` removes shared files that nobody uses",
    ),
    (
        &["why"],
        "`unify explain --plan plan.json GUEST:PATH` tells why",
    ),
    (
        &["config", "policy"],
        "choices stand in a policy file: see `unify plan --help`, --policy",
    ),
];

/// Prints what clap has to say, and returns the exit code.
pub fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Where even this cannot be written, the code says enough.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let (what, hint) = match elsewhere(error) {
        Some((word, hint)) => {
            let what = format!("there is no command `{}`", Escaped(word.as_bytes()));
            say(&format!(
                "unify: {what}: {hint}\n\nFor more, try `unify --help`."
            ));
            (what, Some(hint.to_owned()))
        }
        None => {
            let text = error.render().to_string();
            // Words of the command line are quoted in it.
            match text.lines().all(is_harmless) {
                true => drop(error.print()),
                false => say(&text),
            }
            parts(&text)
        }
    };
    if manner().json {
        let mut trouble = Trouble::new("usage");
        trouble.hint = hint;
        if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) {
            trouble = trouble.option(argument);
        }
        drop(crate::report::answer::error::json(
            &trouble,
            &what,
            USAGE,
            &mut io::stdout().lock(),
        ));
    }
    ExitCode::from(USAGE)
}

/// A word of other tools, and what it is called here.
fn elsewhere(error: &clap::Error) -> Option<(&str, &'static str)> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let known = |(words, _): &&(&[&str], &str)| words.contains(&word.to_lowercase().as_str());
    let (_, hint) = ELSEWHERE.iter().find(known)?;
    Some((word, hint))
}

/// The sentence of clap's text, and what it advises.
fn parts(text: &str) -> (String, Option<String>) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_more = |line: &&&str| {
        !line.starts_with("tip:") && !line.starts_with("Usage:") && !line.starts_with("For more")
    };
    let what: Vec<&str> = lines
        .iter()
        .take_while(is_more)
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    let what = what.join(" ");
    let tip = lines.iter().find_map(|line| line.strip_prefix("tip: "));
    let usage = lines.iter().find_map(|line| line.strip_prefix("Usage: "));
    let what = what.strip_prefix("error: ").unwrap_or(&what).to_owned();
    (what, tip.or(usage).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_and_the_advice_are_told_apart() {
        let text = "error: the following required arguments were not provided:\n  <PLAN>\n\nUsage: unify show <PLAN>\n\nFor more information, try '--help'.\n";
        let (what, hint) = parts(text);
        assert_eq!(
            what,
            "the following required arguments were not provided: <PLAN>"
        );
        assert_eq!(hint.as_deref(), Some("unify show <PLAN>"));
        let text = "error: unexpected argument '--jso' found\n\n  tip: a similar argument exists: '--json'\n\nUsage: x\n";
        let (what, hint) = parts(text);
        assert_eq!(what, "unexpected argument '--jso' found");
        assert_eq!(hint.as_deref(), Some("a similar argument exists: '--json'"));
    }

    #[test]
    fn a_word_stands_for_one_thing() {
        let mut words: Vec<&str> = ELSEWHERE
            .iter()
            .flat_map(|(words, _)| *words)
            .copied()
            .collect();
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}
