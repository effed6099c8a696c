//! What `unify doctor` found: what this host and some directories can do, what that means, and what to do to get more.

mod advice;
mod json;
mod words;

use std::io::{self, Write};

use crate::model::{
    Escaped, Examination, ExaminedPlace, Offer, Prospect, TrialVerdict, TriedAbility,
};

pub use json::json;

/// Where what is said of a row begins.
const BENEATH: &str = "           ";

/// For people.
pub fn text(examination: &Examination, out: &mut dyn Write) -> io::Result<()> {
    let modules = examination.security_modules.as_deref();
    writeln!(out, "This host")?;
    for tried in &examination.host {
        row(tried, "", modules, out)?;
    }
    for place in &examination.places {
        writeln!(out, "\n{}", title(place))?;
        for tried in &place.tried {
            row(tried, &place.filesystem, modules, out)?;
        }
        writeln!(out, "\n  What this means there")?;
        for prospect in &place.prospects {
            offered(prospect, out)?;
        }
    }
    Ok(())
}

/// `/srv/guests (ext4)`, and where it was tried if that is elsewhere.
fn title(place: &ExaminedPlace) -> String {
    let path = Escaped::of(&place.path);
    let elsewhere = place.tried_in.as_ref();
    let elsewhere = elsewhere.filter(|dir| **dir != place.path);
    let tried_in = elsewhere.map(|dir| format!("; tried in {}", Escaped::of(dir)));
    let guest = place.guest.as_ref();
    let guest = guest.map(|root| match *root == place.path {
        true => "; a root, into which nothing is written".to_owned(),
        false => format!("; in the root {}", Escaped::of(root)),
    });
    format!(
        "{path} ({}{}{})",
        place.filesystem,
        guest.unwrap_or_default(),
        tried_in.unwrap_or_default()
    )
}

fn row(
    tried: &TriedAbility,
    filesystem: &str,
    modules: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (trial, name) = (&tried.trial, words::name(tried.ability));
    writeln!(out, "  {:<8} {name}", trial.verdict.word())?;
    if !trial.detail.is_empty() {
        writeln!(out, "{BENEATH}{}", crate::model::harmless(&trial.detail))?;
    }
    match advice::of(tried, filesystem, modules) {
        Some(advice) => writeln!(out, "{BENEATH}to have it: {advice}"),
        None => Ok(()),
    }
}

fn offered(prospect: &Prospect, out: &mut dyn Write) -> io::Result<()> {
    let option = match prospect.offer {
        Offer::Method(method) => format!("sharing by {}", words::method(method)),
        Offer::Protect(mode) => format!("--protect {}", mode.code()),
    };
    let word = match prospect.verdict {
        TrialVerdict::Untried => "unknown",
        verdict => verdict.word(),
    };
    writeln!(out, "  {word:<8} {option}")?;
    if let Some(because) = words::because(prospect) {
        writeln!(out, "{BENEATH}{because}")?;
    }
    match prospect.verdict {
        TrialVerdict::Cannot => Ok(()),
        _ => writeln!(out, "{BENEATH}{}", words::means(prospect.offer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ability, Method, Protect, Trial};
    use crate::report::samples::{HOSTILE, assert_tame, written};

    fn examination(detail: &str) -> Examination {
        let tried = |ability, trial| TriedAbility { ability, trial };
        let prospect = |offer, verdict, because: &[Ability]| Prospect {
            offer,
            verdict,
            because: because.to_vec(),
        };
        Examination {
            host: vec![tried(Ability::FullRoot, Trial::can(""))],
            security_modules: Some("capability,landlock".into()),
            places: vec![ExaminedPlace {
                path: HOSTILE.into(),
                guest: Some(HOSTILE.into()),
                tried_in: Some("/srv".into()),
                filesystem: "xfs".into(),
                tried: vec![
                    tried(Ability::HardLinks, Trial::can(detail)),
                    tried(Ability::Projects, Trial::cannot(detail)),
                ],
                prospects: vec![
                    prospect(Offer::Method(Method::Hardlink), TrialVerdict::Can, &[]),
                    prospect(
                        Offer::Protect(Protect::Immutable),
                        TrialVerdict::Partly,
                        &[Ability::OlderWriters],
                    ),
                ],
            }],
        }
    }

    #[test]
    fn what_is_asked_about_moves_no_cursor() {
        assert_tame(&written(|out| text(&examination(HOSTILE), out)));
        assert_tame(&written(|out| json(&examination(HOSTILE), out)));
    }

    #[test]
    fn a_row_says_what_was_found_and_what_to_do() {
        let told = written(|out| text(&examination("seen"), out));
        for line in [
            "  yes      hard links\n           seen\n",
            "           to have it: mount it with -o prjquota\n",
            "  partly   --protect immutable\n           only as far as this goes: the flag stops",
        ] {
            assert!(told.contains(line), "{line}\n{told}");
        }
    }
}
