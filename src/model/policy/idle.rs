//! Choices of a policy that change nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::reason::{codes, reasons};

reasons! {
    /// Why a choice changes nothing.
    IdleReason {
        MatchesNothing = "matches-nothing": "no file that was seen has such a name",
        DecidedBefore = "decided-before": "another pattern decides first, for all that it matches",
        LeftAloneAnyway = "left-alone-anyway": "what it is about is left alone for another reason",
        NothingToOverrule = "nothing-to-overrule": "no care rule on paths speaks against what it matches",
        SharedAlready = "shared-already": "files that it matches are shared already, and stay so",
        NoDatabase = "no-database": "there is no package database",
    }
}

codes! {
    /// What kind of choice it is.
    ChoiceKind {
        Exclude = "exclude": "A pattern that leaves names alone.",
        Include = "include": "A pattern that overrules care rules on paths.",
        Allow = "allow": "A care rule that is switched off.",
        PackageDatabases = "package-databases": "Whether package databases are asked.",
    }
}

/// A choice that changes nothing about the plan, or less than it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleChoice {
    /// What kind it is of.
    pub choice: ChoiceKind,
    /// The pattern or code as it was given.
    pub value: String,
    /// Where it was given: an option, or a file and line.
    pub from: String,
    /// Why it changes nothing.
    pub why: IdleReason,
    /// Names of files that it is about.
    #[serde(skip_serializing_if = "is_none", default)]
    pub names: u64,
    /// What keeps these names, by reason code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub left_alone: BTreeMap<String, u64>,
    /// The pattern that decides in its place, as it was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_by: Option<String>,
    /// `GUEST:PATH` of names that were probably meant, escaped as on a terminal: to be read, not to be parsed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub near: Vec<String>,
}

impl IdleChoice {
    /// Most choices that are listed.
    pub const MOST: usize = 100;
}

fn is_none(names: &u64) -> bool {
    *names == 0
}
