//! A policy file: the choices of `unify plan` as TOML, for people to review and keep. Pure: text in, choices out.
//!
//! Every mistake names its line. A key that is not known is a mistake and not a wish for later; an exception needs a
//! reason and may have an end. `examples/policy.toml` shows every key.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::model::{
    Asked, FlagClearers, GuestName, Ignored, MethodChoice, Objects, OnDamaged, Pattern,
    PatternKind, Protect, SkipDetail, SkipReason, nearest_of, parse_size,
};

/// The choices of a file; what it does not say is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// Metadata that may differ.
    pub ignore: Vec<Ignored>,
    /// Only names with equal paths.
    pub same_path: Option<bool>,
    /// Bytes.
    pub min_size: Option<u64>,
    /// Care rules that are switched off.
    pub allow: Vec<SkipReason>,
    /// How files are shared.
    pub method: Option<MethodChoice>,
    /// Of reflinks: also content that only one guest has.
    pub within: Option<bool>,
    /// Of reflinks: configuration, too.
    pub reflink_config: Option<bool>,
    /// Where objects come from.
    pub objects: Option<Objects>,
    /// Which skips are listed.
    pub skips: Option<SkipDetail>,
    /// How shared files are protected; never `none`, which must be typed.
    pub protect: Option<Protect>,
    /// What becomes of a guest whose package database is damaged.
    pub on_damaged_database: Option<OnDamaged>,
    /// What becomes of guests that could take flags off.
    pub flag_clearers: Option<FlagClearers>,
    /// Whether package databases are asked.
    pub package_databases: Option<Asked>,
    /// The same for single guests.
    pub package_databases_of: BTreeMap<GuestName, Asked>,
    /// Patterns in their order, each from `FILE:LINE`.
    pub patterns: Vec<Pattern>,
}

/// What is wrong with a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct BadPolicy {
    /// The file, as it was given.
    pub file: String,
    /// Which line.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub why: String,
}

/// The keys of the file, as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Wire {
    #[serde(default)]
    ignore: Vec<Ignored>,
    same_path: Option<bool>,
    min_size: Option<Spanned<toml::Value>>,
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    care: BTreeMap<Spanned<String>, bool>,
    method: Option<MethodChoice>,
    within: Option<bool>,
    reflink_config: Option<bool>,
    objects: Option<Objects>,
    skips: Option<SkipDetail>,
    protect: Option<Spanned<Protect>>,
    on_damaged_database: Option<OnDamaged>,
    flag_clearers: Option<FlagClearers>,
    package_databases: Option<Asked>,
    #[serde(default)]
    package_databases_of: BTreeMap<GuestName, Asked>,
    #[serde(default)]
    pattern: Vec<Spanned<PatternWire>>,
}

/// Every key of the file, for suggestions and for the test of the example.
pub const KEYS: &[&str] = &[
    "ignore",
    "same-path",
    "min-size",
    "allow",
    "care",
    "method",
    "within",
    "reflink-config",
    "objects",
    "skips",
    "protect",
    "on-damaged-database",
    "flag-clearers",
    "package-databases",
    "package-databases-of",
    "pattern",
];

/// Keys of a `[[pattern]]`.
const PATTERN_KEYS: &[&str] = &["exclude", "include", "reason", "until"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternWire {
    exclude: Option<String>,
    include: Option<String>,
    reason: String,
    until: Option<String>,
}

/// Reads the text of `file`. `today` is `YYYY-MM-DD`: exceptions that ended before it are mistakes. `is_care` knows the
/// codes of care rules.
pub fn parse(
    text: &str,
    file: &str,
    today: &str,
    is_care: impl Fn(&str) -> Option<SkipReason>,
) -> Result<PolicyFile, BadPolicy> {
    let place = PolicyPlace { text, file };
    let wire: Wire = toml::from_str(text).map_err(|error| place.of_toml(&error))?;
    let min_size = wire.min_size.map(|size| place.size(&size)).transpose()?;
    if let Some(protect) = wire
        .protect
        .as_ref()
        .filter(|p| *p.get_ref() == Protect::None)
    {
        let why =
            "none cannot stand in a file: unprotected sharing is typed twice on the command line";
        return Err(place.bad(protect.span().start, why));
    }
    let allow = allow(&wire.allow, &wire.care, &place, is_care)?;
    let patterns = wire
        .pattern
        .iter()
        .map(|pattern| place.pattern(pattern, today));
    Ok(PolicyFile {
        ignore: wire.ignore,
        same_path: wire.same_path,
        min_size,
        allow,
        method: wire.method,
        within: wire.within,
        reflink_config: wire.reflink_config,
        objects: wire.objects,
        skips: wire.skips,
        protect: wire.protect.map(Spanned::into_inner),
        on_damaged_database: wire.on_damaged_database,
        flag_clearers: wire.flag_clearers,
        package_databases: wire.package_databases,
        package_databases_of: wire.package_databases_of,
        patterns: patterns.collect::<Result<_, _>>()?,
    })
}

/// Both forms together; one must not say what the other denies.
fn allow(
    list: &[Spanned<String>],
    table: &BTreeMap<Spanned<String>, bool>,
    place: &PolicyPlace<'_>,
    is_care: impl Fn(&str) -> Option<SkipReason>,
) -> Result<Vec<SkipReason>, BadPolicy> {
    let find = |code: &Spanned<String>| {
        is_care(code.get_ref()).ok_or_else(|| {
            let why = format!(
                "no care rule has the code {:?}: see unify rules",
                code.get_ref()
            );
            place.bad(code.span().start, why)
        })
    };
    let mut off: Vec<SkipReason> = list.iter().map(find).collect::<Result<_, _>>()?;
    for (code, on) in table {
        let reason = find(code)?;
        if *on && off.contains(&reason) {
            let why = format!("{reason} is switched on here and allowed above");
            return Err(place.bad(code.span().start, why));
        }
        if !*on {
            off.push(reason);
        }
    }
    off.sort();
    off.dedup();
    Ok(off)
}

/// Where in the file something is.
struct PolicyPlace<'t> {
    text: &'t str,
    file: &'t str,
}

impl PolicyPlace<'_> {
    fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        1 + before.bytes().filter(|&b| b == b'\n').count()
    }

    fn bad(&self, at: usize, why: impl Into<String>) -> BadPolicy {
        BadPolicy {
            file: self.file.to_owned(),
            line: self.line(at),
            why: why.into(),
        }
    }

    /// The parser's own words, and a suggestion for a key that is not known.
    fn of_toml(&self, error: &toml::de::Error) -> BadPolicy {
        let span = error.span().unwrap_or(0..0);
        let mut why = error.message().replace('\n', " ");
        if why.starts_with("unknown field") {
            let key = self.text.get(span.clone()).unwrap_or_default();
            why = match nearest(key) {
                Some(near) => format!("unknown key {key:?}: did you mean {near:?}?"),
                None => format!("unknown key {key:?}: the keys are {}", KEYS.join(", ")),
            };
        }
        self.bad(span.start, why)
    }

    /// A number of bytes, or text with a unit.
    fn size(&self, size: &Spanned<toml::Value>) -> Result<u64, BadPolicy> {
        let parsed = match size.get_ref() {
            toml::Value::Integer(bytes) => u64::try_from(*bytes).map_err(|e| e.to_string()),
            toml::Value::String(text) => parse_size(text),
            _ => Err("expected bytes, or text such as \"4K\"".to_owned()),
        };
        parsed.map_err(|why| self.bad(size.span().start, format!("min-size: {why}")))
    }

    fn pattern(&self, wire: &Spanned<PatternWire>, today: &str) -> Result<Pattern, BadPolicy> {
        let at = wire.span().start;
        let pattern = wire.get_ref();
        let (kind, glob) = match (&pattern.exclude, &pattern.include) {
            (Some(glob), None) => (PatternKind::Exclude, glob),
            (None, Some(glob)) => (PatternKind::Include, glob),
            _ => return Err(self.bad(at, "a pattern needs exclude or include, and not both")),
        };
        if pattern.reason.trim().is_empty() {
            return Err(self.bad(at, "a pattern needs a reason"));
        }
        if let Some(until) = &pattern.until {
            if !is_date(until) {
                return Err(self.bad(at, "until: expected a day as \"2027-01-31\""));
            }
            if until.as_str() < today {
                let why =
                    format!("this exception ended on {until}: take it away, or give it a new end");
                return Err(self.bad(at, why));
            }
        }
        let from = format!("{}:{}", self.file, self.line(at));
        Ok(Pattern::of(kind, glob, false, &from))
    }
}

fn is_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}

/// The key that was probably meant, whichever of `-` and `_` was typed.
fn nearest(key: &str) -> Option<&'static str> {
    let plain = key.replace('_', "-").to_ascii_lowercase();
    let all = KEYS.iter().chain(PATTERN_KEYS).copied();
    nearest_of(&plain, all, 1).first().copied()
}

#[cfg(test)]
#[path = "policy_file_tests.rs"]
mod tests;
