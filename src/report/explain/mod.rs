//! `unify explain GUEST:PATH`: one name in sentences: which source says what, and what would change it.

mod change;
pub mod json;
mod says;

use std::io::{self, Write};

use crate::model::{
    Action, Beneath, Count, Escaped, Explanation, FoundNow, Left, LinkMet, NoLine, Owner,
    SkipReason, Stale,
};

use super::layout::size::{Sizes, counted};
use super::words::sentence;
use super::words::sentence::safe;

/// Writes what is known of one name, for people.
pub fn text(told: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}:{}", told.guest, Escaped(&told.asked))?;
    for (what, line) in lines(told) {
        writeln!(out, "  {what:<9} {line}")?;
    }
    let change = change::lines(told);
    if change.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat would change it:")?;
    change.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

/// What is known, each fact with the word for its kind.
fn lines(told: &Explanation) -> Vec<(&'static str, String)> {
    let mut lines: Vec<_> = told
        .links
        .iter()
        .map(|link| ("link", followed(link)))
        .collect();
    if !told.links.is_empty() {
        lines.push(("asked", format!("about {}", told.path)));
    }
    lines.push(("now", now(told)));
    lines.push(("plan", planned(told)));
    if !told.stale.is_empty() {
        lines.push(("stale", stale(told)));
    }
    lines.extend(told.owner.as_ref().map(|o| ("package", owner(o))));
    lines.extend(told.voices.iter().map(|voice| ("says", says::voice(voice))));
    if told.voices.is_empty() && told.file().is_some() {
        let nobody = "nobody: no database, pattern or care rule speaks against sharing it";
        lines.push(("says", nobody.into()));
    }
    let twins = told.twins.iter();
    lines.extend(twins.map(|(guest, path)| ("same as", format!("{guest}:{path}"))));
    if told.more_twins > 0 {
        lines.push((
            "same as",
            format!("and {}", counted(told.more_twins, "more name")),
        ));
    }
    lines.extend(
        told.compared
            .iter()
            .map(|one| ("compared", says::compared(one, told.content_alone))),
    );
    lines.extend(told.beneath.iter().flat_map(beneath));
    lines
}

/// `/bin is a link to usr/bin`.
fn followed(link: &LinkMet) -> String {
    format!("{} is a link to {}", link.at, Escaped(&link.target))
}

fn planned(told: &Explanation) -> String {
    if let Some(why) = &told.left_out {
        return format!("the whole guest is left out: {}", safe(why));
    }
    match (&told.line, told.no_line) {
        (None, Some(why @ (NoLine::Directory | NoLine::NoRegularFile))) => {
            format!("has no line for it: {}", why.sentence())
        }
        (None, Some(why)) => format!("has no line: {}", why.sentence()),
        (None, None) => "has no line".into(),
        (Some(action @ (Action::Link(_) | Action::Reflink(_))), _) => {
            format!("link: {}", sentence::action(action))
        }
        (Some(action @ Action::Skip(skip)), _) => match &skip.left {
            Left::Beneath { top, files, .. } => format!(
                "skip, with {} beneath {top}: {}",
                match files {
                    1 => "the one file".to_owned(),
                    many => format!("all {}", counted(*many, "file")),
                },
                sentence::action(action)
            ),
            Left::Name { .. } | Left::Flag { .. } => format!("skip: {}", sentence::action(action)),
        },
        (Some(action), _) => sentence::action(action),
    }
}

fn now(told: &Explanation) -> String {
    match &told.found {
        FoundNow::File(state) => {
            let object = told.object.map(sentence::short);
            let object = object.map(|object| format!(", refers to object {object}"));
            format!(
                "{}, mode {:04o}, owner {}:{}, {}{}",
                counted(state.size, "byte"),
                state.mode,
                state.uid,
                state.gid,
                counted(u64::from(state.nlink), "name"),
                object.unwrap_or_default()
            )
        }
        FoundNow::Directory => "is a directory".into(),
        FoundNow::Special => "is a device, FIFO or socket: only regular files are shared".into(),
        FoundNow::Missing { near } => {
            let near: Vec<String> = near.iter().map(|p| format!("{}:{p}", told.guest)).collect();
            match near.as_slice() {
                [] => format!("{} does not exist", told.path),
                near => format!("{} does not exist; near: {}", told.path, near.join(", ")),
            }
        }
        FoundNow::NoDirectory(at) => format!("does not exist: {at} is no directory"),
        FoundNow::Unknown(why) => format!("cannot be looked at: {}", safe(why)),
    }
}

/// What of the plan's line is not so any more.
fn stale(told: &Explanation) -> String {
    let part = |part: &Stale| match part {
        Stale::Gone => "the file is not there any more".to_owned(),
        Stale::Field(field) => format!("{field} changed"),
        Stale::Reason(None) => "its reason does not hold any more".into(),
        Stale::Reason(Some(reason)) => format!("what keeps it now is {reason}"),
        Stale::Object => "it does not refer to that object any more".into(),
    };
    let parts: Vec<String> = told.stale.iter().map(part).collect();
    format!(
        "the plan's line is not true any more: {}; make a new plan",
        parts.join(", ")
    )
}

fn owner(owner: &Owner) -> String {
    let version = owner.version.as_deref();
    let version = version.map(|version| format!(" {version}"));
    safe(&format!("{}{}", owner.package, version.unwrap_or_default()))
}

/// What the plan says of all that lies in a directory.
fn beneath(sum: &Beneath) -> Vec<(&'static str, String)> {
    let sizes = Sizes::default();
    let mut lines = vec![(
        "beneath",
        format!(
            "{} to link, {}; up to {} come back",
            counted(sum.links.files, "file"),
            sizes.of(sum.links.bytes),
            sizes.of(sum.saves)
        ),
    )];
    let skip = |(reason, count): (&SkipReason, &Count)| {
        let files = counted(count.files, "file");
        let text = format!("{files} left alone, {}: {reason}", sizes.of(count.bytes));
        ("beneath", text)
    };
    lines.extend(sum.skips.iter().map(skip));
    lines.push((
        "beneath",
        "files without a line of their own (unique, empty or too small) are not in these sums"
            .into(),
    ));
    lines
}
