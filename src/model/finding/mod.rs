//! A finding of `check`: what somebody who builds or keeps guests should know, by a rule that has a name.
//!
//! The word of a rule is for ever: people write it into policies and baselines. It is never given another meaning, and
//! where a better word comes, the old one stays beside it.

mod facts;
mod outcome;
mod policy;

use serde::{Deserialize, Serialize};

use super::reason::reasons;
use super::{GuestName, GuestPath};

pub use facts::{DriftChange, DriftPart, FindingFacts, NameFault, SecretKind, SharedPath, Side};
pub use outcome::{CheckOutcome, CheckedRule, JudgedFinding, NotVerified, Reported, RuleLook};
pub use policy::{CheckIgnore, CheckPolicy, LeastShare, OwnedPath};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingLevel {
    /// It is said, and fails nothing.
    Info,
    /// Somebody should look.
    Warn,
    /// It must not be.
    Error,
}

impl FindingLevel {
    /// As it stands in policies and answers.
    pub fn code(self) -> &'static str {
        match self {
            FindingLevel::Info => "info",
            FindingLevel::Warn => "warn",
            FindingLevel::Error => "error",
        }
    }
}

reasons! {
    /// A rule of `check`.
    CheckRule {
        SharedSecret = "shared-secret": "guests have one secret in common",
        BakedIdentity = "baked-identity": "an identity or key is part of the image",
        FileModified = "file-modified": "a file of a package is not what the package brought",
        FileUnowned = "file-unowned": "no package has brought the file",
        SetuidDiffers = "setuid-differs": "a program has more rights in one guest than in another",
        OwnerDiffers = "owner-differs": "files of equal content have different owners",
        ModeDiffers = "mode-differs": "files of equal content have different modes",
        XattrDiffers = "xattr-differs": "files of equal content have different extended attributes",
        ForeignConfig = "foreign-config": "configuration of a package that the guest does not have",
        HardlinkBetweenGuests = "hardlink-between-guests": "guests share a file that nothing protects",
        SharingBelow = "sharing-below": "two guests share less than they should",
        BudgetExceeded = "budget-exceeded": "a guest has more bytes of its own than it may",
        DriftFromGolden = "drift-from-golden": "a guest is not like the golden one",
        NameUnusable = "name-unusable": "a name that other systems and people cannot use",
        ConfigLinked = "config-linked": "a plan links what is configuration or state by its path",
        PlanStale = "plan-stale": "the guest has changed since the plan was made",
        DatabaseDamaged = "database-damaged": "a package database cannot be believed",
        ArchiveAmbiguous = "archive-ambiguous": "programs unpack an archive in different ways",
        InputUnread = "input-unread": "something could not be looked at",
        IgnoreExpired = "ignore-expired": "an exception of the policy has ended",
        IgnoreUnused = "ignore-unused": "an exception of the policy is of no use",
    }
}

impl CheckRule {
    /// The level that it has where no policy says another; `None` for a rule that is off until it is given a bound.
    pub fn level(self) -> Option<FindingLevel> {
        use CheckRule as Is;
        match self {
            Is::SharedSecret
            | Is::BakedIdentity
            | Is::FileModified
            | Is::SetuidDiffers
            | Is::HardlinkBetweenGuests
            | Is::ConfigLinked
            | Is::PlanStale
            | Is::DatabaseDamaged
            | Is::ArchiveAmbiguous
            | Is::InputUnread
            | Is::IgnoreExpired => Some(FindingLevel::Error),
            Is::FileUnowned | Is::ForeignConfig | Is::NameUnusable => Some(FindingLevel::Warn),
            Is::OwnerDiffers | Is::ModeDiffers | Is::XattrDiffers | Is::IgnoreUnused => {
                Some(FindingLevel::Info)
            }
            Is::SharingBelow | Is::BudgetExceeded | Is::DriftFromGolden => None,
        }
    }

    /// Does a finding of it say that something could not be looked at? Such a one is never known from a baseline.
    pub fn is_blindness(self) -> bool {
        use CheckRule as Is;
        matches!(
            self,
            Is::DatabaseDamaged | Is::ArchiveAmbiguous | Is::InputUnread
        )
    }

    /// Does it speak of the policy, and not of a guest? Then no exception can be made of it.
    pub fn is_of_policy(self) -> bool {
        matches!(self, CheckRule::IgnoreExpired | CheckRule::IgnoreUnused)
    }
}

/// What a finding is about: a name in a guest, a guest, or nothing of a guest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingPlace {
    /// The guest.
    pub guest: GuestName,
    /// A name in it; `None` where it is about the whole guest.
    pub path: Option<GuestPath>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: CheckRule,
    /// The level that the rule gives it here, where it is not that of the rule.
    pub level: Option<FindingLevel>,
    /// What it is about, sorted.
    pub places: Vec<FindingPlace>,
    /// How many more there are that are not known by their names.
    pub more: u64,
    /// What was found.
    pub facts: FindingFacts,
}

impl Finding {
    /// Most places that an answer lists.
    pub const MOST_PLACES: usize = 100;

    /// A finding about these places.
    pub fn at(
        rule: CheckRule,
        places: impl IntoIterator<Item = FindingPlace>,
        facts: FindingFacts,
    ) -> Finding {
        let mut places: Vec<FindingPlace> = places.into_iter().collect();
        places.sort();
        places.dedup();
        Finding {
            rule,
            level: None,
            places,
            more: 0,
            facts,
        }
    }

    /// The places that answers list, and those behind them.
    pub fn listed(&self) -> (&[FindingPlace], &[FindingPlace]) {
        let most = self.places.len().min(Finding::MOST_PLACES);
        self.places.split_at(most)
    }

    /// How many places no answer lists.
    pub fn unlisted(&self) -> u64 {
        self.more.saturating_add(self.listed().1.len() as u64)
    }

    /// The same with a level of its own.
    pub fn weighing(self, level: FindingLevel) -> Finding {
        Finding {
            level: Some(level),
            ..self
        }
    }
}
