//! The policy of `check` as TOML, for people to review and keep. Pure: text in, choices out.
//!
//! Every mistake names its line and column, and what was probably meant. A key or rule that is not known is a mistake
//! and not a wish for later; an exception needs a reason and a last day. `examples/check.toml` shows every key.

mod keys;
mod place;
#[cfg(test)]
mod tests;
mod wire;

use toml::Spanned;

use crate::model::{
    CheckIgnore, CheckPolicy, CheckRule, FindingLevel, GuestName, LeastShare, OwnedPath,
};
use place::TomlPlace;
use wire::{IgnoreWire, PolicyWire, RuleWire, one_or_many};

#[cfg(test)]
pub use keys::KEYS;
pub use place::{BadCheckPolicy, is_day};

/// Bytes that must be missing before a share counts, where nothing else is said.
pub const LEAST_MISSING: u64 = 16 << 20;

/// A level as it is written in the file and on the command line; `None` for a rule that is switched off.
pub fn level(text: &str) -> Result<Option<FindingLevel>, String> {
    match text {
        "error" => Ok(Some(FindingLevel::Error)),
        "warn" => Ok(Some(FindingLevel::Warn)),
        "info" => Ok(Some(FindingLevel::Info)),
        "off" => Ok(None),
        _ => Err("expected error, warn, info or off".to_owned()),
    }
}

/// The level from which on findings fail, as it is written in the file and on the command line.
pub fn fail_on(text: &str) -> Result<FindingLevel, String> {
    let found = level(text).ok().flatten();
    found.ok_or_else(|| "expected error, warn or info".to_owned())
}

/// A rule by its word, or the words of rules that were probably meant.
pub fn rule(text: &str) -> Result<CheckRule, String> {
    let mut all = CheckRule::ALL.iter();
    let found = all.find(|rule| rule.code() == text);
    found.copied().ok_or_else(|| {
        let codes = CheckRule::ALL.iter().map(|rule| rule.code());
        place::unknown("rule", text, codes, "see `unify check --list-rules`")
    })
}

/// A share of a whole, as thousandths: `0.6`, from 0 to 1.
pub fn share(number: f64) -> Result<u64, String> {
    if !(0.0..=1.0).contains(&number) {
        return Err("expected a share from 0 to 1, such as 0.6".to_owned());
    }
    // Between 0 and 1000: the text of the number is exact, a cast would be, too, but for the reader.
    let text = format!("{:.0}", number * 1000.0);
    text.parse().map_err(|_| "expected a number".to_owned())
}

/// Reads the text of `file`.
pub fn parse(text: &str, file: &str) -> Result<CheckPolicy, BadCheckPolicy> {
    let place = TomlPlace { text, file };
    let wire: PolicyWire = toml::from_str(text).map_err(|error| place.of_toml(&error))?;
    let mut policy = CheckPolicy::default();
    if let Some(level) = &wire.fail_on {
        policy.fail_on = place.at(level, |text| fail_on(text))?;
    }
    for (name, of_rule) in &wire.rule {
        let rule = place.at(name, |name| rule(name))?;
        take_rule(&mut policy, rule, of_rule, &place)?;
    }
    for (name, of_guest) in &wire.guest {
        let name = place.at(name, |name| GuestName::new(name).map_err(|e| e.to_string()))?;
        if let Some(path) = &of_guest.locate {
            policy
                .locate
                .insert(name.clone(), place.at(path, |path| located(path))?);
        }
        if let Some(most) = &of_guest.max_unique_bytes {
            policy.most_unique_of.insert(name, place.size(most)?);
        }
    }
    for owned in &wire.owned {
        place.needs_text(&owned.reason, "reason")?;
        policy.owned.push(OwnedPath {
            path: place.at(&owned.path, |path| absolute(path))?,
            reason: owned.reason.get_ref().clone(),
        });
    }
    let ignores = wire.ignore.iter().map(|ignore| take_ignore(ignore, &place));
    policy.ignores = ignores.collect::<Result<_, _>>()?;
    Ok(policy)
}

fn take_rule(
    policy: &mut CheckPolicy,
    rule: CheckRule,
    wire: &RuleWire,
    place: &TomlPlace<'_>,
) -> Result<(), BadCheckPolicy> {
    wire.fits(rule, place)?;
    if let Some(chosen) = &wire.level {
        let chosen = place.at(chosen, |text| level(text))?;
        policy.levels.insert(rule, chosen);
    }
    if let Some(least) = &wire.min_share {
        policy.least_share = Some(LeastShare {
            thousandths: place.at(least, |number| share(*number))?,
            bytes: wire
                .min_bytes
                .as_ref()
                .map_or(Ok(LEAST_MISSING), |b| place.size(b))?,
        });
    }
    if let Some(most) = &wire.max_unique_bytes {
        policy.most_unique = Some(place.size(most)?);
    }
    if let Some(golden) = &wire.golden {
        let name = place.at(golden, |name| {
            GuestName::new(name).map_err(|e| e.to_string())
        })?;
        policy.golden = Some(name);
    }
    if let Some(beneath) = &wire.beneath {
        let all = beneath
            .iter()
            .map(|path| place.at(path, |path| absolute(path)));
        policy.beneath = all.collect::<Result<_, _>>()?;
    }
    Ok(())
}

fn take_ignore(
    wire: &Spanned<IgnoreWire>,
    place: &TomlPlace<'_>,
) -> Result<CheckIgnore, BadCheckPolicy> {
    let ignore = wire.get_ref();
    let rule = place.at(&ignore.rule, |name| rule(name))?;
    if rule.is_of_policy() {
        let why = "this rule speaks of the policy: change the policy instead".to_owned();
        return Err(place.bad(ignore.rule.span().start, why));
    }
    place.needs_text(&ignore.reason, "reason")?;
    let guests = ignore.guest.as_ref().map_or(Ok(Vec::new()), |guest| {
        place.at(guest, |guest| guests(guest, rule))
    })?;
    Ok(CheckIgnore {
        rule,
        guests,
        path: place.at(&ignore.path, |path| absolute(path))?,
        reason: ignore.reason.get_ref().clone(),
        until: place.day(&ignore.until)?,
        line: place.line(wire.span().start),
    })
}

/// Who lets two guests have one secret must know both.
fn guests(value: &toml::Value, rule: CheckRule) -> Result<Vec<String>, String> {
    let all = one_or_many(value).ok_or("expected a guest, or a list of guests")?;
    if rule == CheckRule::SharedSecret && all.len() < 2 {
        return Err(
            "an exception from shared-secret names two guests, as [\"a\", \"b\"], or none".into(),
        );
    }
    Ok(all)
}

fn absolute(path: &str) -> Result<String, String> {
    match path.starts_with('/') {
        true => Ok(path.to_owned()),
        false => Err("a path inside a guest begins with a slash".to_owned()),
    }
}

/// As it will stand in reports for repositories: no host path, and no way out.
fn located(path: &str) -> Result<String, String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let climbs = path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if climbs {
        return Err("expected a path within the repository, such as images/web1.conf".to_owned());
    }
    Ok(path.to_owned())
}
