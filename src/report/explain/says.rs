//! What sources say about a name, as sentences.

use crate::model::{Compared, Moved, Overruled, PatternKind, Says, Voice};
use crate::report::words::sentence::safe;

pub(super) fn voice(voice: &Voice) -> String {
    let says = says(&voice.says);
    match &voice.overruled {
        None => says,
        Some(by) => format!("{says}; does not count, because of {}", option(by)),
    }
}

/// The choice because of which something does not count.
pub(super) fn option(by: &Overruled) -> String {
    match by {
        Overruled::Databases(value) => format!("--package-databases {}", safe(value)),
        Overruled::Allow(reason) => format!("--allow {reason}"),
        Overruled::Include(glob, from) => format!("{} '{}'", safe(from), safe(glob)),
    }
}

fn says(says: &Says) -> String {
    match says {
        Says::Database { per, package, why } => {
            let package = package.as_deref();
            let package = package.map(|package| format!(" ({})", safe(package)));
            let (per, package) = (safe(per), package.unwrap_or_default());
            format!("{} per {per}{package}", why.sentence())
        }
        Says::Pattern { kind, glob, from } => {
            let kind = match kind {
                PatternKind::Include => "included",
                PatternKind::Exclude => "excluded",
            };
            format!("{kind} by {} '{}'", safe(from), safe(glob))
        }
        Says::Rule {
            reason,
            rule,
            source,
            ..
        } => {
            let source = match *source {
                "" => String::new(),
                source => format!("  [{source}]"),
            };
            format!(
                "care rule {reason}, '{}': {}{source}",
                safe(rule),
                reason.sentence()
            )
        }
    }
}

pub(super) fn compared(compared: &Compared, content_alone: bool) -> String {
    let other = &compared.guest;
    match compared.differs.as_slice() {
        [] if content_alone => format!("with the same path in {other}: the content is the same"),
        [] => format!("with the same path in {other}: nothing differs"),
        [one] => format!("with the same path in {other}: {one} differs"),
        fields => format!("with the same path in {other}: {} differ", words(fields)),
    }
}

pub(super) fn words(fields: &[Moved]) -> String {
    let words: Vec<String> = fields.iter().map(ToString::to_string).collect();
    words.join(", ")
}
