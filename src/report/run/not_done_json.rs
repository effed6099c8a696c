//! What was not done, for programs.

use serde::Serialize;

use super::NotDone;
use crate::model::GuestName;
use crate::report::layout::json::PathJson;
use crate::report::words::not_done::{Example, NotDoneKind};

/// Actions that were not done for one reason.
#[derive(Serialize)]
pub(in crate::report) struct KindJson<'a> {
    code: &'static str,
    sentence: &'a str,
    times: u64,
    /// The first action that had this code.
    first: ExampleJson<'a>,
}

/// An action that was not done.
#[derive(Serialize)]
pub(in crate::report) struct ExampleJson<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(flatten)]
    path: Option<PathJson>,
    sentence: &'a str,
}

/// What was not done: by code, and every action where that was asked for.
pub(in crate::report) fn not_done_json(
    not_done: &NotDone,
) -> (Vec<KindJson<'_>>, Vec<ExampleJson<'_>>) {
    let kinds = not_done.all().map(kind_json).collect();
    (kinds, not_done.listed().iter().map(example_json).collect())
}

fn kind_json<'a>((code, kind): (&'static str, &'a NotDoneKind)) -> KindJson<'a> {
    KindJson {
        code,
        sentence: &kind.sentence,
        times: kind.actions,
        first: example_json(&kind.first),
    }
}

fn example_json(one: &Example) -> ExampleJson<'_> {
    ExampleJson {
        code: one.code,
        guest: one.guest.as_ref().map(GuestName::as_str),
        path: one.path.as_ref().map(PathJson::from),
        sentence: &one.sentence,
    }
}
