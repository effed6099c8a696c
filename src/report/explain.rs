//! `unify explain GUEST:PATH`: one name in sentences: which source says what, and what would change it.
//!
//! The JSON form is the fields of `ExplainJson`; `kind` is `unify.explain`.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Action, Explanation, Left, Moved, Owner, PatternKind, Voice};

use super::layout::json;
use super::layout::json::PathJson;
use super::words::explain_code::change_reason;
use super::words::sentence;
use super::words::sentence::safe;

/// Writes what is known of one name, for people.
pub fn text(told: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}:{}", told.guest, told.path)?;
    for (what, line) in lines(told) {
        writeln!(out, "  {what:<9} {line}")?;
    }
    writeln!(out, "\nWhat would change it:")?;
    change(told)
        .iter()
        .try_for_each(|line| writeln!(out, "  {line}"))
}

/// What is known, each fact with the word for its kind.
fn lines(told: &Explanation) -> Vec<(&'static str, String)> {
    let mut lines = vec![("plan", planned(told)), ("now", now(told))];
    lines.extend(told.owner.as_ref().map(|o| ("package", owner(o))));
    lines.extend(told.voices.iter().map(|voice| ("says", self::voice(voice))));
    if told.voices.is_empty() {
        let nobody = "nobody: no database, pattern or care rule speaks against sharing it";
        lines.push(("says", nobody.into()));
    }
    let twins = told.twins.iter();
    lines.extend(twins.map(|(guest, path)| ("same as", format!("{guest}:{path}"))));
    if told.more_twins > 0 {
        lines.push(("same as", format!("and {} more names", told.more_twins)));
    }
    for compared in &told.compared {
        let other = &compared.guest;
        lines.push((
            "compared",
            match compared.differs.as_slice() {
                [] => format!("with the same path in {other}: nothing differs"),
                fields => format!("with the same path in {other}: {} differ", words(fields)),
            },
        ));
    }
    lines
}

fn planned(told: &Explanation) -> String {
    if let Some(why) = &told.left_out {
        return format!("the whole guest is left out: {}", safe(why));
    }
    match &told.line {
        None => {
            "has no line: no other name had its content and metadata, or it is empty or too small"
                .into()
        }
        Some(action @ Action::Link(_)) => format!("link: {}", sentence::action(action)),
        Some(action @ Action::Skip(skip)) => match &skip.left {
            Left::Beneath { top, files, .. } => format!(
                "skip, with all {files} files beneath {top}: {}",
                sentence::action(action)
            ),
            Left::Name { .. } | Left::Flag { .. } => format!("skip: {}", sentence::action(action)),
        },
        Some(action) => sentence::action(action),
    }
}

fn now(told: &Explanation) -> String {
    let Some(state) = told.now else {
        return "does not exist, or is reached through a link: ask for the name that the link leads to".into();
    };
    if !told.is_file() {
        return "is no regular file: only those are shared".into();
    }
    let object = told
        .object
        .map(|object| format!(", refers to object {}", sentence::short(object)));
    format!(
        "{} bytes, mode {:04o}, owner {}:{}, {} names{}",
        state.size,
        state.mode,
        state.uid,
        state.gid,
        state.nlink,
        object.unwrap_or_default()
    )
}

fn owner(owner: &Owner) -> String {
    let version = owner
        .version
        .as_deref()
        .map(|version| format!(" {version}"));
    safe(&format!("{}{}", owner.package, version.unwrap_or_default()))
}

fn voice(voice: &Voice) -> String {
    match voice {
        Voice::Database { per, package, why } => {
            let package = package
                .as_deref()
                .map(|package| format!(" ({})", safe(package)));
            format!(
                "{} per {}{}",
                why.sentence(),
                safe(per),
                package.unwrap_or_default()
            )
        }
        Voice::Pattern { kind, glob, from } => {
            let kind = match kind {
                PatternKind::Include => "included",
                PatternKind::Exclude => "excluded",
            };
            format!("{kind} by {} '{}'", safe(from), safe(glob))
        }
        Voice::Rule {
            reason,
            rule,
            source,
        } => {
            let source = if source.is_empty() {
                String::new()
            } else {
                format!("  [{source}]")
            };
            format!(
                "care rule {reason}, '{}': {}{source}",
                safe(rule),
                reason.sentence()
            )
        }
    }
}

/// The smallest steps that would make another verdict.
fn change(told: &Explanation) -> Vec<String> {
    if told.left_out.is_some() {
        return vec!["nothing about this name: what the whole guest is left out for".into()];
    }
    let mut lines: Vec<String> = told
        .voices
        .iter()
        .filter_map(|v| change_voice(told, v))
        .collect();
    match &told.line {
        Some(Action::Link(_)) => lines
            .push("to keep it private, delete its line, or turn the word link into skip".into()),
        Some(Action::Skip(skip)) if lines.is_empty() => {
            lines.push(change_reason(skip.reason).into());
        }
        _ => {}
    }
    let near = told
        .compared
        .iter()
        .filter(|compared| is_near(&compared.differs));
    lines.extend(near.map(|compared| change_metadata(told, compared)));
    if lines.is_empty() {
        lines.push("another guest with the same file: same content, mode, owner, time and extended attributes".into());
    }
    lines
}

fn change_voice(told: &Explanation, voice: &Voice) -> Option<String> {
    match voice {
        Voice::Database { .. } => Some(format!(
            "--package-databases {}:ignore, which stops asking about all its files; a config file is better kept",
            told.guest
        )),
        Voice::Pattern {
            kind: PatternKind::Exclude,
            glob,
            ..
        } => Some(format!(
            "take the pattern '{}' away, or put an --include in front of it",
            safe(glob)
        )),
        Voice::Pattern { .. } => None,
        Voice::Rule { reason, .. } => Some(format!("--allow {reason}, for all files of this rule")),
    }
}

/// Equal content, and only metadata that people set.
fn is_near(differs: &[Moved]) -> bool {
    !differs.is_empty()
        && !differs
            .iter()
            .any(|field| matches!(field, Moved::Content | Moved::Size))
}

fn change_metadata(told: &Explanation, compared: &crate::model::Compared) -> String {
    let other = &compared.guest;
    match compared.differs.as_slice() {
        [Moved::Mtime] => format!("--ignore mtime: only the time differs from {other}'s"),
        fields => format!(
            "make {} of {}:{} and {other}'s equal",
            words(fields),
            told.guest,
            told.path
        ),
    }
}

fn words(fields: &[Moved]) -> String {
    let words: Vec<String> = fields.iter().map(ToString::to_string).collect();
    words.join(", ")
}

#[derive(Serialize)]
struct ExplainJson<'a> {
    kind: &'static str,
    guest: &'a str,
    #[serde(flatten)]
    path: PathJson,
    /// What the plan's line says; null where it has none.
    reason: Option<&'static str>,
    plan: String,
    now: String,
    package: Option<&'a str>,
    version: Option<&'a str>,
    says: Vec<String>,
    same_as: Vec<String>,
    more_twins: u64,
    compared: Vec<ComparedJson<'a>>,
    change: Vec<String>,
}

#[derive(Serialize)]
struct ComparedJson<'a> {
    guest: &'a str,
    differs: Vec<String>,
}

/// One name, for programs.
pub fn json(told: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let owner = told.owner.as_ref();
    let reason = told.line.as_ref().map(|line| match line {
        Action::Link(link) => link.reason.code(),
        Action::Flag(flag) => flag.reason.code(),
        Action::Skip(skip) => skip.reason.code(),
    });
    let value = ExplainJson {
        kind: "unify.explain",
        guest: told.guest.as_str(),
        path: PathJson::from(&told.path),
        reason,
        plan: planned(told),
        now: now(told),
        package: owner.map(|owner| owner.package.as_str()),
        version: owner.and_then(|owner| owner.version.as_deref()),
        says: told.voices.iter().map(voice).collect(),
        same_as: told
            .twins
            .iter()
            .map(|(guest, path)| format!("{guest}:{path}"))
            .collect(),
        more_twins: told.more_twins,
        compared: told
            .compared
            .iter()
            .map(|compared| ComparedJson {
                guest: compared.guest.as_str(),
                differs: compared.differs.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        change: change(told),
    };
    json::write_line(out, &value)
}
