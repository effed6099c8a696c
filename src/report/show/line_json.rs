//! A line of a plan for programs.

use serde::Serialize;

use crate::model::{Action, FileLine, GuestName, Left, ObjectId, Skip};
use crate::report::layout::json::{PathJson, SourceJson};
use crate::report::words::sentence;

/// One action.
#[derive(Default, Serialize)]
pub(super) struct LineJson<'a> {
    /// `link`, `flag` or `skip`.
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(flatten)]
    path: Option<PathJson>,
    /// Other names of the same file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<PathJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectId>,
    /// Whose blocks a reflink takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    /// Bytes of the file, or of all files beneath the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saves: Option<u64>,
    reason: &'static str,
    /// The reason with the facts of the line and its note.
    sentence: String,
}

pub(super) fn line_json(action: &Action) -> LineJson<'_> {
    let sentence = sentence::action(action);
    match action {
        Action::Link(it) => LineJson {
            object: Some(it.object),
            ..shared_json(it.into(), sentence)
        },
        Action::Reflink(it) => LineJson {
            source: Some(SourceJson::from(&it.source)),
            ..shared_json(it.into(), sentence)
        },
        Action::Flag(it) => LineJson {
            action: "flag",
            object: Some(it.object),
            names: Some(it.names),
            reason: it.reason.code(),
            sentence,
            ..LineJson::default()
        },
        Action::Skip(it) => skip_json(it, sentence),
    }
}

fn shared_json(it: FileLine<'_>, sentence: String) -> LineJson<'_> {
    LineJson {
        action: "link",
        guest: Some(it.guest.as_str()),
        path: Some(PathJson::from(it.path)),
        also: it.also.iter().map(PathJson::from).collect(),
        bytes: Some(it.size),
        saves: Some(it.saves),
        reason: it.reason.code(),
        sentence,
        ..LineJson::default()
    }
}

fn skip_json(it: &Skip, sentence: String) -> LineJson<'_> {
    let (files, bytes) = match it.left {
        Left::Name { size, .. } => (None, size),
        Left::Beneath { files, bytes, .. } => (Some(files), Some(bytes)),
        Left::Flag { .. } => (None, None),
    };
    LineJson {
        action: "skip",
        guest: it.guest().map(GuestName::as_str),
        path: it.path().map(PathJson::from),
        object: it.object().copied(),
        files,
        bytes,
        reason: it.reason.code(),
        sentence,
        ..LineJson::default()
    }
}
