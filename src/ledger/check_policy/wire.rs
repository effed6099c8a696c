//! The keys of the file, as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::keys::rule_of;
use super::place::{BadCheckPolicy, TomlPlace};
use crate::model::CheckRule;

/// Tables by the place of their names.
type Tables<T> = BTreeMap<Spanned<String>, T>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PolicyWire {
    pub fail_on: Option<Spanned<String>>,
    #[serde(default)]
    pub rule: Tables<RuleWire>,
    #[serde(default)]
    pub guest: Tables<GuestWire>,
    #[serde(default)]
    pub owned: Vec<OwnedWire>,
    #[serde(default)]
    pub ignore: Vec<Spanned<IgnoreWire>>,
}

/// `[rule.X]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleWire {
    pub level: Option<Spanned<String>>,
    pub min_share: Option<Spanned<f64>>,
    pub min_bytes: Option<Spanned<toml::Value>>,
    pub max_unique_bytes: Option<Spanned<toml::Value>>,
    pub golden: Option<Spanned<String>>,
    pub beneath: Option<Vec<Spanned<String>>>,
}

/// `[guest.X]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct GuestWire {
    pub locate: Option<Spanned<String>>,
    pub max_unique_bytes: Option<Spanned<toml::Value>>,
}

/// `[[owned]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnedWire {
    pub path: Spanned<String>,
    pub reason: Spanned<String>,
}

/// `[[ignore]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IgnoreWire {
    pub rule: Spanned<String>,
    pub guest: Option<Spanned<toml::Value>>,
    pub path: Spanned<String>,
    pub reason: Spanned<String>,
    /// A day, with or without quotes.
    pub until: Spanned<toml::Value>,
}

impl RuleWire {
    /// Does each bound belong to this rule?
    pub(super) fn fits(
        &self,
        rule: CheckRule,
        place: &TomlPlace<'_>,
    ) -> Result<(), BadCheckPolicy> {
        let beneath = self.beneath.iter().flatten();
        let given = [
            ("min-share", self.min_share.as_ref().map(|v| v.span().start)),
            ("min-bytes", self.min_bytes.as_ref().map(|v| v.span().start)),
            (
                "max-unique-bytes",
                self.max_unique_bytes.as_ref().map(|v| v.span().start),
            ),
            ("golden", self.golden.as_ref().map(|v| v.span().start)),
            ("beneath", beneath.map(|v| v.span().start).next()),
        ];
        let wrong = given
            .into_iter()
            .filter_map(|(key, at)| Some((key, at?, rule_of(key)?)));
        match wrong.into_iter().find(|(_, _, owner)| *owner != rule) {
            None => Ok(()),
            Some((key, at, owner)) => {
                Err(place.bad(at, format!("{key} belongs to [rule.{}]", owner.code())))
            }
        }
    }
}

/// A text, or a list of texts that is not empty.
pub(super) fn one_or_many(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(one) => Some(vec![one.clone()]),
        toml::Value::Array(all) if !all.is_empty() => {
            let text = |value: &toml::Value| value.as_str().map(str::to_owned);
            all.iter().map(text).collect()
        }
        _ => None,
    }
}
