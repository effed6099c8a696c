//! Choices that name guests: each must be a guest of the plan.

use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::model::{GuestName, Pattern, Policy, nearest_of};

/// Refuses a choice about a guest that is not there: it is a slip, and what it should keep would be shared.
pub fn check_guests(policy: &Policy, guests: &[&GuestName]) -> Result<(), EngineError> {
    let is_there = |name: &GuestName| guests.contains(&name);
    for name in policy.package_databases.guests.keys() {
        if !is_there(name) {
            return Err(no_such("package databases", name, guests));
        }
    }
    for pattern in &policy.patterns {
        let what = || format!("{} '{}'", pattern.from, pattern.text());
        if let Some(name) = pattern.guest.as_ref().filter(|name| !is_there(name)) {
            return Err(no_such(&what(), name, guests));
        }
        if let Some(meant) = meant_for_one(pattern, guests) {
            return Err(BadUse::PatternWithoutSlash {
                what: what(),
                meant,
            }
            .into());
        }
    }
    Ok(())
}

fn no_such(choice: &str, name: &GuestName, guests: &[&GuestName]) -> EngineError {
    let all = guests.iter().map(|guest| guest.as_str());
    BadUse::GuestNotPlanned {
        choice: choice.to_owned(),
        name: name.clone(),
        near: nearest_of(name.as_str(), all.clone(), 3).join(", "),
        known: all.collect::<Vec<_>>().join(", "),
    }
    .into()
}

/// `web1:usr/share/doc`, where web1 is a guest: a path inside a guest begins with a slash.
fn meant_for_one(pattern: &Pattern, guests: &[&GuestName]) -> Option<String> {
    let (name, glob) = pattern.glob.split_once(':')?;
    let is_guest = pattern.guest.is_none() && guests.iter().any(|guest| guest.as_str() == name);
    is_guest.then(|| format!("{name}:/{glob}"))
}
