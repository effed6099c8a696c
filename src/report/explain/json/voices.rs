//! What sources say, for programs.

use serde::Serialize;

use crate::model::{Overruled, PatternKind, Says, SkipReason, Voice};

#[derive(Default, Serialize)]
pub(super) struct VoiceJson<'a> {
    /// `database`, `pattern` or `rule`.
    source: &'static str,
    /// The code of what it says against sharing; null for an include.
    reason: Option<&'static str>,
    /// Does it count, and speak against sharing?
    against: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    /// `include` or `exclude`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<&'static str>,
    /// The pattern, or the pattern or test of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    /// Where the pattern was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    /// Is the rule about the file, so that no pattern overrules it?
    #[serde(skip_serializing_if = "Option::is_none")]
    by_file: Option<bool>,
    /// The choice because of which it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    overruled_by: Option<OptionJson>,
}

#[derive(Serialize)]
struct OptionJson {
    /// An option, or a file and line.
    option: String,
    value: String,
}

pub(super) fn voice(voice: &Voice) -> VoiceJson<'_> {
    let said = match &voice.says {
        Says::Database { per, package, .. } => VoiceJson {
            source: "database",
            per: Some(per),
            package: package.as_deref(),
            ..VoiceJson::default()
        },
        Says::Pattern { kind, glob, from } => VoiceJson {
            source: "pattern",
            pattern: Some(match kind {
                PatternKind::Include => "include",
                PatternKind::Exclude => "exclude",
            }),
            rule: Some(glob),
            from: Some(from),
            ..VoiceJson::default()
        },
        Says::Rule { rule, by_file, .. } => VoiceJson {
            source: "rule",
            rule: Some(rule),
            by_file: Some(*by_file),
            ..VoiceJson::default()
        },
    };
    VoiceJson {
        reason: voice.reason().map(SkipReason::code),
        against: voice.is_against(),
        overruled_by: voice.overruled.as_ref().map(option),
        ..said
    }
}

fn option(by: &Overruled) -> OptionJson {
    let (option, value) = match by {
        Overruled::Databases(value) => ("--package-databases".to_owned(), value.clone()),
        Overruled::Allow(reason) => ("--allow".to_owned(), reason.code().to_owned()),
        Overruled::Include(glob, from) => (from.clone(), glob.clone()),
    };
    OptionJson { option, value }
}
