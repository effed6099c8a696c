//! Guests that are images: one that cannot be read is a finding of its guest, and what a form cannot hold is said.

use crate::engine::EngineError;
use crate::engine::planning::options::PlanOptions;
use crate::engine::planning::survey::Survey;
use crate::model::{CheckRule, Finding, FindingFacts, FindingPlace, GuestName};
use crate::rules::findings::judge::FoundAll;

const NOTHING_READ: &str = "an image could not be read, so nothing was compared";
const NONE_HOLD_ATTRIBUTES: &str = "no guest is of a form that keeps all attributes";
const NO_ATTRIBUTES: &str =
    "it is an image that says nothing of attributes, nor of the capabilities of programs";
const NO_LISTS: &str =
    "it is an image that keeps no access control lists, so no attributes are compared with its own";

/// What is found of guests of which one is an image that is not read. No part of it is believed, and nothing is said of
/// the others.
pub(super) fn unread(error: EngineError, guests: &PlanOptions) -> Result<FoundAll, EngineError> {
    let EngineError::BadImage {
        guest,
        is_ambiguous,
        error,
    } = error
    else {
        return Err(error);
    };
    let rule = match is_ambiguous {
        true => CheckRule::ArchiveAmbiguous,
        false => CheckRule::InputUnread,
    };
    let place = FindingPlace {
        guest: guest.clone(),
        path: None,
    };
    // The path of the host, which stands in the error, is nobody's business here.
    let why = error.source.to_string();
    let finding = Finding::at(rule, [place], FindingFacts::Unread { why });
    let others = CheckRule::ALL.iter().filter(|one| !one.is_blindness());
    let others = others.filter(|one| !one.is_of_policy());
    Ok(FoundAll {
        guests: all_names(guests, guest),
        findings: vec![finding],
        not_here: others.map(|one| (*one, NOTHING_READ)).collect(),
        ..FoundAll::default()
    })
}

fn all_names(guests: &PlanOptions, bad: GuestName) -> Vec<GuestName> {
    let directories = guests.guests.iter().filter_map(|arg| arg.name.clone());
    let images = guests.images.iter().map(|arg| arg.name().clone());
    let mut all: Vec<GuestName> = directories.chain(images).chain([bad]).collect();
    all.sort();
    all.dedup();
    all
}

/// Says of which guests attributes could not be compared because their forms do not keep all.
pub(super) fn without_attributes(surveys: &[Survey], found: &mut FoundAll) {
    let lack = |survey: &Survey| {
        let form = survey.files.precision();
        let why = match form.attributes {
            true => NO_LISTS,
            false => NO_ATTRIBUTES,
        };
        (!form.keeps_xattrs()).then(|| (survey.guest.name.clone(), why))
    };
    let lacking = surveys.iter().filter_map(lack).collect();
    found.not_asked_of(CheckRule::XattrDiffers, lacking, NONE_HOLD_ATTRIBUTES);
}
