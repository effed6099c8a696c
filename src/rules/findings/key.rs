//! What a finding is known by in a baseline: rule, guests and paths, and one small fact. Never a path of the host, a
//! size, a time or a digest of content: the same finding has the same key on another machine, in another directory, and
//! after the next build.
//!
//! ```text
//! RULE TAB GUEST[:PATH] { TAB GUEST[:PATH] } [ TAB "=" FACT ]
//! ```
//!
//! Names are escaped as people see them, so that a key is one line of text.

use crate::model::{DriftPart, Escaped, Finding, FindingFacts, FindingPlace, Moved, Side};

/// The key of a finding.
pub fn key(finding: &Finding) -> String {
    let mut parts = vec![finding.rule.code().to_owned()];
    parts.extend(finding.places.iter().map(place));
    let fact = fact(&finding.facts);
    if !fact.is_empty() {
        parts.push(format!("={}", Escaped(fact.as_bytes())));
    }
    parts.join("\t")
}

/// The word of the rule that a key is of.
pub fn rule_of(key: &str) -> &str {
    key.split('\t').next().unwrap_or_default()
}

/// The guests that a key is about, as people read their names.
pub fn guests_of(key: &str) -> impl Iterator<Item = &str> {
    let places = key.split('\t').skip(1);
    let places = places.filter(|place| !place.starts_with('='));
    places.map(|place| place.split(':').next().unwrap_or_default())
}

/// `GUEST:PATH` as people read it.
fn place(place: &FindingPlace) -> String {
    match &place.path {
        Some(path) => format!("{}:{path}", place.guest),
        None => place.guest.to_string(),
    }
}

fn fact(facts: &FindingFacts) -> String {
    match facts {
        FindingFacts::SameSecret(kind) | FindingFacts::Baked(kind) => kind.code().to_owned(),
        FindingFacts::Modified { package, .. } => package.package.clone(),
        FindingFacts::Rights { sides, .. } => rights(sides),
        FindingFacts::Differs { fields, .. } => moved(fields),
        FindingFacts::Shifted { uid, gid, .. } => format!("uid{uid:+} gid{gid:+}"),
        FindingFacts::Foreign { package, .. } => package.clone().unwrap_or_default(),
        FindingFacts::Name { fault, .. } => fault.code().to_owned(),
        FindingFacts::Linkable { care } => (*care).to_owned(),
        FindingFacts::Stale(why) => why.codes().join(","),
        FindingFacts::Damaged { manager, .. } => manager.clone(),
        FindingFacts::Drift { part, .. } => match part {
            DriftPart::Package { name, .. } => format!("package {name}"),
            DriftPart::Directory(_) => String::new(),
        },
        FindingFacts::Ignore { rule, path, .. } => format!("{rule} {path}"),
        FindingFacts::Unowned { .. }
        | FindingFacts::Linked { .. }
        | FindingFacts::Sharing { .. }
        | FindingFacts::Budget { .. }
        | FindingFacts::Unread { .. } => String::new(),
    }
}

fn rights(sides: &[Side]) -> String {
    let all = sides
        .iter()
        .map(|side| format!("{} {}", side.guest, side.value));
    all.collect::<Vec<_>>().join("; ")
}

fn moved(fields: &[Moved]) -> String {
    let codes: Vec<&str> = fields.iter().map(|field| field.code()).collect();
    codes.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CheckRule, GuestName, GuestPath, Owner};

    #[test]
    fn a_key_is_one_line_and_holds_nothing_of_this_build() {
        let modified = |digest: &str, version: &str| {
            let place = FindingPlace {
                guest: GuestName::new("web1").unwrap(),
                path: Some(GuestPath::new(b"/usr/a\tb\n\xff").unwrap()),
            };
            let facts = FindingFacts::Modified {
                package: Owner {
                    package: "x".into(),
                    version: Some(version.into()),
                },
                expected: "md5:1".into(),
                found: digest.into(),
            };
            key(&Finding::at(CheckRule::FileModified, [place], facts))
        };
        let one = modified("md5:2", "1");
        assert_eq!(one, modified("md5:3", "2"));
        assert_eq!(rule_of(&one), "file-modified");
        assert!(guests_of(&one).eq(["web1"]));
        assert_eq!(one, "file-modified\tweb1:/usr/a\\tb\\n\\xff\t=x");
    }
}
