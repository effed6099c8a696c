//! What a finding is known by in a baseline: rule, guests and paths, and one small fact. Never a path of the host, a
//! size, a time or a digest of content: the same finding has the same key on another machine, in another directory, and
//! after the next build.
//!
//! ```text
//! RULE TAB GUEST[:PATH] { TAB GUEST[:PATH] } [ TAB "=and " N " more " DIGEST ] [ TAB "=" FACT ]
//! ```
//!
//! Places behind the hundredth are in it by how many they are and by a digest of their names, so that another one is
//! another finding.
//!
//! Names are escaped as people see them, so that a key is one line of text.

use crate::model::{Digest, DriftPart, Escaped, Finding, FindingFacts, FindingPlace, Moved, Side};

/// Digits that tell the places behind the listed ones from others.
const DIGITS: usize = 12;

/// The key of a finding.
pub fn key(finding: &Finding, digest: fn(&[u8]) -> Digest) -> String {
    let (listed, behind) = finding.listed();
    let mut parts = vec![finding.rule.code().to_owned()];
    parts.extend(listed.iter().map(place));
    if finding.unlisted() > 0 {
        let names: Vec<String> = behind.iter().map(place).collect();
        let names = digest(names.join("\n").as_bytes()).to_string();
        let short = names.rsplit(':').next().unwrap_or_default();
        let short = short.get(..DIGITS).unwrap_or(short);
        parts.push(format!("=and {} more {short}", finding.unlisted()));
    }
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
            let finding = Finding::at(CheckRule::FileModified, [place], facts);
            key(&finding, |_| Digest([7; 32]))
        };
        let one = modified("md5:2", "1");
        assert_eq!(one, modified("md5:3", "2"));
        assert_eq!(rule_of(&one), "file-modified");
        assert!(guests_of(&one).eq(["web1"]));
        assert_eq!(one, "file-modified\tweb1:/usr/a\\tb\\n\\xff\t=x");
    }

    #[test]
    fn a_place_behind_the_listed_ones_makes_another_key() {
        let finding = |names: &[usize]| {
            let places = names.iter().map(|n| FindingPlace {
                guest: GuestName::new("web1").unwrap(),
                path: Some(GuestPath::new(format!("/f{n:04}").as_bytes()).unwrap()),
            });
            let facts = FindingFacts::Linked {
                bytes: 1,
                is_bare_object: false,
            };
            let finding = Finding::at(CheckRule::HardlinkBetweenGuests, places, facts);
            key(&finding, |bytes| {
                let sum = bytes
                    .iter()
                    .fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
                Digest([sum; 32])
            })
        };
        let all: Vec<usize> = (0..Finding::MOST_PLACES).collect();
        let of = |more: &[usize]| finding(&[&all[..], more].concat());
        let keys = [of(&[]), of(&[200]), of(&[201]), of(&[200, 201])];
        let different: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "{keys:?}");
        assert!(keys[3].contains("\t=and 2 more ") && guests_of(&keys[3]).all(|one| one == "web1"));
    }
}
