//! Configuration of a package that the guest does not have: what another guest's package calls configuration, at the
//! same path, where no package of this guest knows it.

use crate::engine::checking::sight::name_at;
use crate::engine::planning::survey::Survey;
use crate::model::{
    CheckRule, Database, DatabaseState, Finding, FindingFacts, FindingPlace, GuestPath, SkipReason,
};
use crate::packages::Protected;

/// Everything about at least two guests. A guest without a database is not asked: nothing of it could be known.
pub(in crate::engine::checking) fn configs(surveys: &[Survey]) -> Vec<Finding> {
    let mut found = Vec::new();
    for survey in surveys.iter().filter(|survey| is_asked(survey)) {
        let others = surveys
            .iter()
            .filter(|other| other.guest.name != survey.guest.name);
        for other in others {
            let configs = other.answer.protected.iter();
            let configs =
                configs.filter(|one| one.why == SkipReason::ConfigFile && one.package.is_some());
            found.extend(configs.filter_map(|config| foreign(survey, other, config)));
        }
    }
    // Several guests may have the package: one of them is named.
    found.sort_by(|a: &Finding, b| a.places.cmp(&b.places));
    found.dedup_by(|later, first| later.places == first.places);
    found
}

/// Can it be known what belongs to the guest's packages?
fn is_asked(survey: &Survey) -> bool {
    let databases = &survey.answer.databases;
    let is_sound = |one: &Database| one.state != DatabaseState::Damaged;
    !databases.is_empty() && databases.iter().all(is_sound)
}

fn foreign(survey: &Survey, other: &Survey, config: &Protected) -> Option<Finding> {
    name_at(&survey.scan.tree, config.path.as_bytes())?;
    if is_known(survey, &config.path) {
        return None;
    }
    let place = FindingPlace {
        guest: survey.guest.name.clone(),
        path: Some(config.path.clone()),
    };
    let facts = FindingFacts::Foreign {
        guest: other.guest.name.clone(),
        package: config.package.clone(),
    };
    Some(Finding::at(CheckRule::ForeignConfig, [place], facts))
}

/// Does a package of the guest have the file, or call it configuration?
fn is_known(survey: &Survey, path: &GuestPath) -> bool {
    let protected = &survey.answer.protected;
    survey.answer.owners.of(path.as_bytes()).is_some()
        || protected.binary_search_by(|one| one.path.cmp(path)).is_ok()
}
