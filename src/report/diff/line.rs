//! A line of a plan in few words.

use crate::model::{
    Action, Before, Escaped, FileLine, Left, LineChange, Link, Method, ObjectId, Reflink, Skip,
};
use crate::report::words::sentence;

/// `link`, `flag` or `skip`.
pub(super) fn verdict(action: &Action) -> &'static str {
    match action {
        Action::Link(_) | Action::Reflink(_) => "link",
        Action::Flag(_) => "flag",
        Action::Skip(_) => "skip",
    }
}

/// The code of its reason.
pub(super) fn reason(action: &Action) -> &'static str {
    match action {
        Action::Link(link) => link.reason.code(),
        Action::Reflink(line) => line.reason.code(),
        Action::Flag(flag) => flag.reason.code(),
        Action::Skip(skip) => skip.reason.code(),
    }
}

/// The object that it names.
pub(super) fn object(action: &Action) -> Option<&ObjectId> {
    match action {
        Action::Link(link) => Some(&link.object),
        Action::Reflink(_) => None,
        Action::Flag(flag) => Some(&flag.object),
        Action::Skip(skip) => skip.object(),
    }
}

/// How it shares a file.
pub(super) fn method(action: &Action) -> Option<Method> {
    match action {
        Action::Link(_) => Some(Method::Hardlink),
        Action::Reflink(_) => Some(Method::Reflink),
        Action::Flag(_) | Action::Skip(_) => None,
    }
}

/// Digits of an object by which people tell it from others.
const DIGITS: usize = "sha256:".len() + 12;

/// What it is about: `GUEST:PATH`, a directory with a slash at its end, or an object.
fn subject(action: &Action) -> String {
    match action {
        Action::Link(Link { guest, path, .. }) | Action::Reflink(Reflink { guest, path, .. }) => {
            format!("{guest}:{path}")
        }
        Action::Flag(flag) => short(&flag.object),
        Action::Skip(skip) => skip_subject(skip),
    }
}

fn skip_subject(skip: &Skip) -> String {
    match (skip.guest(), skip.path(), skip.object()) {
        (Some(guest), Some(path), _) => format!("{guest}:{path}"),
        (_, _, Some(object)) => short(object),
        _ => String::new(),
    }
}

fn short(object: &ObjectId) -> String {
    let text = object.to_string();
    match text.get(..DIGITS) {
        Some(digits) if text.len() > DIGITS => format!("{digits}…"),
        _ => text,
    }
}

/// `~ web1:/usr/bin/perl  action link → skip, reason identical → config-file`.
pub(super) fn change(change: &LineChange) -> String {
    let whole = |sign: char, line: &Action| {
        let (subject, verdict) = (subject(line), verdict(line));
        format!("{sign} {subject}  {verdict}: {}", sentence::action(line))
    };
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => {
            let field =
                |key: &&'static str| format!("{key} {} → {}", value(old, key), value(new, key));
            let fields: Vec<String> = change.fields.iter().map(field).collect();
            format!("~ {}  {}", subject(new), fields.join(", "))
        }
        (Some(old), None) => whole('-', old),
        (None, Some(new)) => whole('+', new),
        (None, None) => String::new(),
    }
}

/// What a line says by one of its keys, for people.
fn value(action: &Action, key: &str) -> String {
    let said = match key {
        "action" => Some(verdict(action).to_owned()),
        "reason" => Some(reason(action).to_owned()),
        "object" => object(action).map(short),
        "generation" => object(action).map(|object| object.generation.to_string()),
        "method" => method(action).map(|method| method.code().to_owned()),
        _ => match action {
            Action::Link(link) if key == "makes" => {
                link.makes.map(|makes| format!("{makes:?}").to_lowercase())
            }
            Action::Reflink(line) if key == "source" => {
                Some(format!("{}:{}", line.source.guest, line.source.path))
            }
            Action::Reflink(line) if key == "content" => Some(line.content.to_string()),
            Action::Link(_) | Action::Reflink(_) => {
                action.shares().and_then(|file| file_value(&file, key))
            }
            Action::Skip(skip) => skip_value(skip, key),
            Action::Flag(_) => None,
        },
    };
    said.unwrap_or_else(|| "nothing".to_owned())
}

fn file_value(link: &FileLine<'_>, key: &str) -> Option<String> {
    let owner = link.owner;
    let safe = |text: &String| Escaped(text.as_bytes()).to_string();
    match key {
        "also" => Some(format!("{} names", 1 + link.also.len())),
        "size" => Some(link.size.to_string()),
        "saves" => Some(link.saves.to_string()),
        "package" => owner.map(|owner| safe(&owner.package)),
        "version" => owner.and_then(|owner| owner.version.as_ref().map(safe)),
        "note" => link.note.map(|note| Escaped(note.as_bytes()).to_string()),
        key => before_value(link.before?, key),
    }
}

fn before_value(before: &Before, key: &str) -> Option<String> {
    Some(match key {
        "dev" => before.dev.to_string(),
        "ino" => before.ino.to_string(),
        "nlink" => before.nlink.to_string(),
        "mode" => format!("{:04o}", before.mode),
        "uid" => before.uid.to_string(),
        "gid" => before.gid.to_string(),
        "mtime" => before.mtime.to_string(),
        "ctime" => before.ctime.to_string(),
        "before" | "source_before" => "evidence".to_owned(),
        _ => return None,
    })
}

fn skip_value(skip: &Skip, key: &str) -> Option<String> {
    let safe = |text: &String| Escaped(text.as_bytes()).to_string();
    match (key, &skip.left) {
        ("per", _) => skip.per.as_ref().map(safe),
        ("package", _) => skip.package.as_ref().map(safe),
        ("version", _) => skip.version.as_ref().map(safe),
        ("rule", _) => skip.rule.as_ref().map(safe),
        ("with", _) => skip.with.as_ref().map(ToString::to_string),
        ("note", _) => skip.note.as_ref().map(safe),
        ("size", Left::Name { size, .. }) => size.map(|size| size.to_string()),
        ("files", Left::Beneath { files, .. }) => Some(files.to_string()),
        ("bytes", Left::Beneath { bytes, .. }) => Some(bytes.to_string()),
        _ => None,
    }
}
