//! `unify explain GUEST:PATH --json`: the fields of [`ExplainJson`]; `kind` is `unify.explain`.
//!
//! Every fact has a field of its own. `plan`, `now`, `says`, `same_as` and `change` are the sentences that people are
//! shown, made of the same facts.

mod turn;
mod voices;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    Action, Count, Explanation, FileState, FoundNow, GuestName, GuestPath, Left, LinkMet, NoLine,
    Skip, SkipReason, Stale,
};
use crate::report::layout::json::{self, BytesJson, PathJson, SourceJson};

use super::change::lines as sentences;
use super::says;
use turn::{ChangeJson, change};
use voices::{VoiceJson, voice};

#[derive(Serialize)]
struct ExplainJson<'a> {
    kind: &'static str,
    guest: &'a str,
    /// The path that was asked about, as it was given.
    asked_path: BytesJson,
    /// Where it leads: `path`, and `path_b64` where that does not hold the bytes. All else is about this name.
    #[serde(flatten)]
    path: PathJson,
    /// Links that were followed, in order.
    followed: Vec<LinkJson>,
    /// `file`, `directory`, `special`, `missing` or `unknown`.
    found: &'static str,
    /// Why it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    /// Names that are there and were probably meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    near: Vec<PathJson>,
    /// The file as it is now; null if it is none.
    file: Option<NowJson>,
    now: String,
    /// Why the whole guest takes no part; null if it does.
    left_out: Option<&'a str>,
    /// The code of the plan's line; null if it has none.
    reason: Option<&'static str>,
    /// The plan's line; null if it has none.
    plan_line: Option<LineAboutJson<'a>>,
    /// Why it has none.
    no_line: Option<&'static str>,
    plan: String,
    /// What of the line is not so any more.
    stale: Vec<StaleJson>,
    package: Option<&'a str>,
    version: Option<&'a str>,
    /// What databases, patterns and care rules say now.
    voices: Vec<VoiceJson<'a>>,
    says: Vec<String>,
    /// Names that it shares its inode with, or shall.
    twins: Vec<TwinJson<'a>>,
    same_as: Vec<String>,
    /// How many more there are.
    more_twins: u64,
    compared: Vec<ComparedJson<'a>>,
    /// `content`, or `content-and-metadata`.
    compared_by: &'static str,
    /// What the plan says of all that lies in it; null if it is no directory.
    beneath: Option<BeneathJson>,
    /// The smallest change that would turn the verdict.
    turn: ChangeJson<'a>,
    change: Vec<String>,
}

#[derive(Serialize)]
struct LinkJson {
    #[serde(flatten)]
    at: PathJson,
    /// What the link says.
    target: BytesJson,
}

#[derive(Serialize)]
struct NowJson {
    bytes: u64,
    allocated: u64,
    mode: String,
    uid: u32,
    gid: u32,
    names: u32,
    /// The object that it refers to; null if it refers to none.
    object: Option<String>,
}

#[derive(Default, Serialize)]
struct LineAboutJson<'a> {
    /// `link`, `skip` or `flag`.
    action: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    /// Another name that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    with_name: Option<BytesJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// Whose blocks a reflink takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saves: Option<u64>,
    /// The directory of which the line speaks, where it is not about this name alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<BytesJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct StaleJson {
    /// `gone`, `field`, `reason` or `object`.
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// What keeps it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[derive(Serialize)]
struct TwinJson<'a> {
    guest: &'a str,
    #[serde(flatten)]
    path: PathJson,
}

#[derive(Serialize)]
struct ComparedJson<'a> {
    guest: &'a str,
    differs: Vec<&'static str>,
}

#[derive(Serialize)]
struct BeneathJson {
    to_link: Count,
    saves: u64,
    skips: Vec<ReasonJson>,
}

#[derive(Serialize)]
struct ReasonJson {
    reason: &'static str,
    #[serde(flatten)]
    count: Count,
}

/// One name, for programs.
pub fn write(told: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let owner = told.owner.as_ref();
    let (near, problem) = match &told.found {
        FoundNow::Missing { near } => (near.as_slice(), None),
        FoundNow::Unknown(why) => (&[][..], Some(why.as_str())),
        _ => (&[][..], None),
    };
    let value = ExplainJson {
        kind: "unify.explain",
        guest: told.guest.as_str(),
        asked_path: BytesJson::from(told.asked.as_slice()),
        path: PathJson::from(&told.path),
        followed: told.links.iter().map(link).collect(),
        found: told.found.kind().code(),
        problem,
        near: near.iter().map(PathJson::from).collect(),
        file: told.file().map(|state| file(told, state)),
        now: super::now(told),
        left_out: told.left_out.as_deref(),
        reason: told.line.as_ref().map(|action| line(action).reason),
        plan_line: told.line.as_ref().map(line),
        no_line: told.no_line.map(NoLine::code),
        plan: super::planned(told),
        stale: told.stale.iter().map(stale).collect(),
        package: owner.map(|owner| owner.package.as_str()),
        version: owner.and_then(|owner| owner.version.as_deref()),
        voices: told.voices.iter().map(voice).collect(),
        says: told.voices.iter().map(says::voice).collect(),
        twins: names(&told.twins),
        same_as: shown(&told.twins),
        more_twins: told.more_twins,
        compared: compared(told),
        compared_by: match told.content_alone {
            true => "content",
            false => "content-and-metadata",
        },
        beneath: told.beneath.as_ref().map(|sum| BeneathJson {
            to_link: sum.links,
            saves: sum.saves,
            skips: reasons(&sum.skips),
        }),
        turn: change(&told.change),
        change: sentences(told),
    };
    json::write_line(out, &value)
}

fn reasons(skips: &BTreeMap<SkipReason, Count>) -> Vec<ReasonJson> {
    let row = |(reason, count): (&SkipReason, &Count)| ReasonJson {
        reason: reason.code(),
        count: *count,
    };
    skips.iter().map(row).collect()
}

fn names(twins: &[(GuestName, GuestPath)]) -> Vec<TwinJson<'_>> {
    twins
        .iter()
        .map(|(guest, path)| TwinJson {
            guest: guest.as_str(),
            path: PathJson::from(path),
        })
        .collect()
}

fn shown(twins: &[(GuestName, GuestPath)]) -> Vec<String> {
    let twins = twins.iter();
    twins
        .map(|(guest, path)| format!("{guest}:{path}"))
        .collect()
}

fn compared(told: &Explanation) -> Vec<ComparedJson<'_>> {
    let all = told.compared.iter();
    let one = all.map(|compared| ComparedJson {
        guest: compared.guest.as_str(),
        differs: compared.differs.iter().map(|field| field.code()).collect(),
    });
    one.collect()
}

fn link(link: &LinkMet) -> LinkJson {
    LinkJson {
        at: PathJson::from(&link.at),
        target: BytesJson::from(link.target.as_slice()),
    }
}

fn file(told: &Explanation, state: &FileState) -> NowJson {
    NowJson {
        bytes: state.size,
        allocated: state.allocated(),
        mode: format!("{:04o}", state.mode),
        uid: state.uid,
        gid: state.gid,
        names: state.nlink,
        object: told.object.map(|object| object.to_string()),
    }
}

fn line(action: &Action) -> LineAboutJson<'_> {
    match action {
        Action::Link(link) => LineAboutJson {
            action: "link",
            reason: link.reason.code(),
            object: Some(link.object.to_string()),
            saves: Some(link.saves),
            note: link.note.as_deref(),
            ..LineAboutJson::default()
        },
        Action::Reflink(line) => LineAboutJson {
            action: "link",
            reason: line.reason.code(),
            source: Some(SourceJson::from(&line.source)),
            saves: Some(line.saves),
            note: line.note.as_deref(),
            ..LineAboutJson::default()
        },
        Action::Flag(flag) => LineAboutJson {
            action: "flag",
            reason: flag.reason.code(),
            object: Some(flag.object.to_string()),
            note: flag.note.as_deref(),
            ..LineAboutJson::default()
        },
        Action::Skip(skip) => skip_line(skip),
    }
}

fn skip_line(skip: &Skip) -> LineAboutJson<'_> {
    let (top, files) = match &skip.left {
        Left::Beneath { top, files, .. } => (Some(top), Some(*files)),
        Left::Name { .. } | Left::Flag { .. } => (None, None),
    };
    LineAboutJson {
        action: "skip",
        reason: skip.reason.code(),
        per: skip.per.as_deref(),
        rule: skip.rule.as_deref(),
        with_name: skip
            .with
            .as_ref()
            .map(|with| BytesJson::from(with.as_bytes())),
        object: skip.object().map(ToString::to_string),
        top: top.map(|top| BytesJson::from(top.as_bytes())),
        files,
        note: skip.note.as_deref(),
        ..LineAboutJson::default()
    }
}

fn stale(stale: &Stale) -> StaleJson {
    let (what, field, reason) = match stale {
        Stale::Gone => ("gone", None, None),
        Stale::Field(field) => ("field", Some(field.code()), None),
        Stale::Reason(reason) => ("reason", None, reason.map(SkipReason::code)),
        Stale::Object => ("object", None, None),
    };
    StaleJson {
        what,
        field,
        reason,
    }
}
