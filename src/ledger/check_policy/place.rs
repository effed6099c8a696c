//! Where in a TOML file something is, and what is wrong there.

use toml::Spanned;

use crate::model::{nearest_of, parse_size};

/// What is wrong with the policy of a check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {why}")]
pub struct BadCheckPolicy {
    /// The file, as it was given.
    pub file: String,
    /// Which line, from 1.
    pub line: usize,
    /// Which character of it, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub why: String,
}

/// A file and its text.
pub(super) struct TomlPlace<'t> {
    pub text: &'t str,
    pub file: &'t str,
}

impl TomlPlace<'_> {
    /// The line of an offset, from 1.
    pub fn line(&self, at: usize) -> usize {
        1 + self.before(at).bytes().filter(|&b| b == b'\n').count()
    }

    fn before(&self, at: usize) -> &str {
        self.text.get(..at).unwrap_or(self.text)
    }

    /// A mistake at an offset.
    pub fn bad(&self, at: usize, why: String) -> BadCheckPolicy {
        let line = self.before(at).rsplit('\n').next().unwrap_or_default();
        BadCheckPolicy {
            file: self.file.to_owned(),
            line: self.line(at),
            column: 1 + line.chars().count(),
            why,
        }
    }

    /// What this makes of a value, or a mistake where that stands.
    pub fn at<T, V, W: Into<String>>(
        &self,
        value: &Spanned<V>,
        take: impl FnOnce(&V) -> Result<T, W>,
    ) -> Result<T, BadCheckPolicy> {
        take(value.get_ref()).map_err(|why| self.bad(value.span().start, why.into()))
    }

    /// The parser's own words, and a suggestion for a key that is not known.
    pub fn of_toml(&self, error: &toml::de::Error) -> BadCheckPolicy {
        let span = error.span().unwrap_or(0..0);
        let mut why = error.message().replace('\n', " ");
        if why.starts_with("unknown field") {
            let key = self.text.get(span.clone()).unwrap_or_default();
            let known = quoted(why.split_once("expected").map_or("", |(_, known)| known));
            let all = format!("the keys here are {}", known.join(", "));
            why = unknown("key", key, known.iter().copied(), &all);
        }
        self.bad(span.start, why)
    }

    /// A number of bytes, or text with a unit.
    pub fn size(&self, size: &Spanned<toml::Value>) -> Result<u64, BadCheckPolicy> {
        self.at(size, |value| match value {
            toml::Value::Integer(bytes) => u64::try_from(*bytes).map_err(|e| e.to_string()),
            toml::Value::String(text) => parse_size(text),
            _ => Err("expected bytes, or text such as \"300M\"".to_owned()),
        })
    }

    /// A day, be it TOML's or text.
    pub fn day(&self, day: &Spanned<toml::Value>) -> Result<String, BadCheckPolicy> {
        self.at(day, |value| {
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Datetime(day) => day.to_string(),
                _ => String::new(),
            };
            match is_day(&text) {
                true => Ok(text),
                false => Err("expected a day as 2027-01-31"),
            }
        })
    }

    /// A text that says something.
    pub fn needs_text(&self, text: &Spanned<String>, key: &str) -> Result<(), BadCheckPolicy> {
        self.at(text, |text| match text.trim().is_empty() {
            true => Err(format!("{key}: say why")),
            false => Ok(()),
        })
    }
}

/// `2027-01-31`, of months and days that there are.
pub fn is_day(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
    text.len() == 10
        && text.bytes().enumerate().all(shape)
        && number(5, 7).is_some_and(|month| (1..=12).contains(&month))
        && number(8, 10).is_some_and(|day| (1..=31).contains(&day))
}

/// `unknown key "lvl": did you mean "level"?`
pub(super) fn unknown<'a>(
    what: &str,
    word: &str,
    all: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    let plain = word.replace('_', "-").to_ascii_lowercase();
    match nearest_of(&plain, all, 1).first() {
        Some(near) => format!("unknown {what} {word:?}: did you mean {near:?}?"),
        None => format!("unknown {what} {word:?}: {otherwise}"),
    }
}

/// The words between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
