//! The JSON form, `unify.doctor`.

use std::io::{self, Write};

use serde::Serialize;

use super::{advice, words};
use crate::model::{Ability, Examination, ExaminedPlace, Offer, Prospect, TriedAbility};
use crate::report::layout::json;
use crate::report::layout::json::FileJson;

#[derive(Serialize)]
struct DoctorJson<'a> {
    kind: &'static str,
    this_host: Vec<TriedJson<'a>>,
    /// The security modules that the kernel asks; null where it does not tell.
    security_modules: Option<Vec<&'a str>>,
    places: Vec<ExaminedPlaceJson<'a>>,
}

#[derive(Serialize)]
struct TriedJson<'a> {
    ability: &'static str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize)]
struct ExaminedPlaceJson<'a> {
    #[serde(flatten)]
    path: FileJson,
    filesystem: &'a str,
    /// The root that it is or lies in.
    in_guest: Option<FileJson>,
    tried_in: Option<FileJson>,
    tried: Vec<TriedJson<'a>>,
    methods: Vec<OfferJson>,
    protections: Vec<OfferJson>,
}

#[derive(Serialize)]
struct OfferJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    verdict: &'static str,
    abilities: Vec<&'static str>,
    means: &'static str,
}

/// For programs.
pub fn json(examination: &Examination, out: &mut dyn Write) -> io::Result<()> {
    let modules = examination.security_modules.as_deref();
    let (kind, this_host) = ("unify.doctor", rows(&examination.host, "", modules));
    let value = DoctorJson {
        kind,
        this_host,
        security_modules: modules.map(|modules| modules.split(',').collect()),
        places: (examination.places.iter())
            .map(|one| place(one, modules))
            .collect(),
    };
    json::write_line(out, &value)
}

fn rows<'a>(
    tried: &'a [TriedAbility],
    filesystem: &str,
    modules: Option<&str>,
) -> Vec<TriedJson<'a>> {
    let row = |tried: &'a TriedAbility| TriedJson {
        ability: tried.ability.code(),
        verdict: tried.trial.verdict.word(),
        detail: &tried.trial.detail,
        advice: advice::of(tried, filesystem, modules),
    };
    tried.iter().map(row).collect()
}

fn place<'a>(place: &'a ExaminedPlace, modules: Option<&str>) -> ExaminedPlaceJson<'a> {
    let (methods, protections) = (place.prospects.iter())
        .map(offer)
        .partition(|offer| offer.method.is_some());
    ExaminedPlaceJson {
        path: place.path.as_path().into(),
        filesystem: &place.filesystem,
        in_guest: place.guest.as_deref().map(FileJson::from),
        tried_in: place.tried_in.as_deref().map(FileJson::from),
        tried: rows(&place.tried, &place.filesystem, modules),
        methods,
        protections,
    }
}

fn offer(prospect: &Prospect) -> OfferJson {
    let (method, mode) = match prospect.offer {
        Offer::Method(method) => (Some(method.code()), None),
        Offer::Protect(mode) => (None, Some(mode.code())),
    };
    OfferJson {
        method,
        mode,
        verdict: prospect.verdict.word(),
        abilities: prospect
            .because
            .iter()
            .copied()
            .map(Ability::code)
            .collect(),
        means: words::means(prospect.offer),
    }
}
