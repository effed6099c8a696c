//! `check` of guests: reads them as a plan does, and asks every rule that is on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::between::hardlinks::KnownObjects;
use super::between::{configs, differences, drift, hardlinks, rights, sharing};
use super::options::CheckOptions;
use super::papers::CheckPapers;
use super::sight::Unseen;
use super::{blind, images, modified, names, secrets, unowned};
use crate::engine::planning::options::PlanOptions;
use crate::engine::planning::purposes::seen::{LookAtGuests, SeenGuests, look_at};
use crate::engine::{EngineError, ImageArg};
use crate::model::{CheckOutcome, CheckRule, Observer};
use crate::rules::findings::judge::FoundAll;

/// Checks guests, be they directories or images. `guests` names them, and a base whose objects they may share; nothing
/// is written but `papers`, which come back open.
pub fn check_guests(
    guests: &PlanOptions,
    options: &CheckOptions,
    mut papers: CheckPapers,
    observer: &dyn Observer,
) -> Result<(CheckOutcome, CheckPapers), EngineError> {
    let mut audit = PlanOptions {
        base: None,
        ..guests.clone()
    };
    if options.policy.level(CheckRule::FileModified).is_some() {
        let images = audit.images.iter();
        audit.images = images.map(ImageArg::with_package_digests).collect();
    }
    let look = GuestLook {
        options,
        papers: &mut papers,
        base: guests.base.clone(),
        objects: KnownObjects::default(),
        observer,
    };
    let found = match look_at(&audit, look, observer) {
        Ok(found) => found,
        Err(error) => images::unread(error, guests)?,
    };
    Ok((options.judge(found)?, papers))
}

struct GuestLook<'a> {
    options: &'a CheckOptions,
    papers: &'a mut CheckPapers,
    base: Option<PathBuf>,
    objects: KnownObjects,
    observer: &'a dyn Observer,
}

impl LookAtGuests for GuestLook<'_> {
    type Made = FoundAll;

    fn prepare(&mut self, places: &[&Path]) -> Result<(), EngineError> {
        self.objects = KnownObjects::near(places, self.base.as_deref(), self.observer);
        self.papers.open(places)
    }

    fn renames_in(&self) -> Vec<&Path> {
        self.papers.directories()
    }

    fn look(self, seen: &SeenGuests<'_>) -> Result<Self::Made, EngineError> {
        self.found(seen)
    }
}

/// Rules that compare guests.
const BETWEEN: &[CheckRule] = &[
    CheckRule::SharedSecret,
    CheckRule::SetuidDiffers,
    CheckRule::ForeignConfig,
    CheckRule::HardlinkBetweenGuests,
    CheckRule::SharingBelow,
    CheckRule::DriftFromGolden,
];

impl GuestLook<'_> {
    fn is_on(&self, rules: &[CheckRule]) -> bool {
        let mut rules = rules.iter();
        rules.any(|rule| self.options.policy.level(*rule).is_some())
    }

    fn found(&self, seen: &SeenGuests<'_>) -> Result<FoundAll, EngineError> {
        use CheckRule as Is;
        let (surveys, policy, unseen) = (seen.surveys, &self.options.policy, Unseen::default());
        let mut found = FoundAll {
            guests: surveys
                .iter()
                .map(|survey| survey.guest.name.clone())
                .collect(),
            findings: blind::blind(seen),
            ..FoundAll::default()
        };
        if self.is_on(&[Is::FileUnowned]) {
            unowned::unowned(surveys, policy, &mut found)?;
        }
        if self.is_on(&[Is::FileModified]) {
            modified::modified(seen, &unseen, &mut found);
        }
        let all = &mut found.findings;
        if self.is_on(&[Is::SharedSecret, Is::BakedIdentity]) {
            all.extend(secrets::secrets(surveys, &unseen));
        }
        if self.is_on(&[Is::SetuidDiffers]) {
            all.extend(rights::rights(seen, &unseen));
        }
        if self.is_on(&[Is::OwnerDiffers, Is::ModeDiffers, Is::XattrDiffers]) {
            all.extend(differences::differences(seen, &unseen));
        }
        if self.is_on(&[Is::ForeignConfig]) {
            all.extend(configs::configs(surveys));
        }
        if self.is_on(&[Is::HardlinkBetweenGuests]) {
            all.extend(hardlinks::hardlinks(surveys, &self.objects));
        }
        if self.is_on(&[Is::NameUnusable]) {
            all.extend(names::names(surveys));
        }
        all.extend(sharing::sharing(seen, policy));
        all.extend(drift::drift(seen, policy, &unseen)?);
        found.findings.extend(once(unseen));
        if self.is_on(&[Is::XattrDiffers]) {
            images::without_attributes(surveys, &mut found);
        }
        found.findings.extend(blind::not_asked(&found));
        self.not_here(&mut found);
        Ok(found)
    }

    fn not_here(&self, found: &mut FoundAll) {
        for rule in [CheckRule::PlanStale, CheckRule::ConfigLinked] {
            found.not_here.insert(rule, "it is asked of a plan");
        }
        if found.guests.len() < 2 {
            let alone = "there is one guest, and it compares several";
            found
                .not_here
                .extend(BETWEEN.iter().map(|rule| (*rule, alone)));
        }
    }
}

/// Several rules may have failed to read one name.
fn once(unseen: Unseen) -> Vec<crate::model::Finding> {
    let mut seen = BTreeSet::new();
    let mut all = unseen.into_findings();
    all.sort_by(|a, b| a.places.cmp(&b.places));
    all.retain(|finding| seen.insert(finding.places.clone()));
    all
}
