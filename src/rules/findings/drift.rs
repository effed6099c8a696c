//! What is not as in the golden guest, put together by what explains it: a package of another version, or one that is
//! only in one of the two, else the directory.

use std::collections::BTreeMap;

use crate::model::{
    CheckRule, DriftChange, DriftPart, Finding, FindingFacts, FindingPlace, GuestName, GuestPath,
};

/// Most paths that are named of one part.
pub const MOST_PATHS: usize = 20;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drifted {
    /// The golden guest lacks it.
    Added,
    /// Only the golden guest has it.
    Removed,
    /// Another content, owner or mode.
    Changed,
}

/// The package of a file in one of the two guests, and its version in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftPackage {
    /// Its name.
    pub name: String,
    /// In the golden guest; `None` where it is not there.
    pub golden: Option<String>,
    /// In the other.
    pub here: Option<String>,
}

/// The drift of one guest, in the making.
#[derive(Debug, Default)]
pub struct GuestDrift {
    parts: BTreeMap<DriftPart, DriftChange>,
}

impl GuestDrift {
    /// One file more. `package` is what owns it, where anything does.
    pub fn take(&mut self, path: &GuestPath, drifted: Drifted, package: Option<DriftPackage>) {
        let part = match package {
            Some(package) if package.golden != package.here => DriftPart::Package {
                name: package.name,
                golden: package.golden,
                here: package.here,
            },
            _ => DriftPart::Directory(path.parent()),
        };
        let change = self.parts.entry(part).or_default();
        match drifted {
            Drifted::Added => change.added += 1,
            Drifted::Removed => change.removed += 1,
            Drifted::Changed => change.changed += 1,
        }
        if change.paths.len() < MOST_PATHS {
            change.paths.push(path.clone());
        }
    }

    /// One finding for each part.
    pub fn findings(self, guest: &GuestName) -> Vec<Finding> {
        let finding = |(part, change): (DriftPart, DriftChange)| {
            let path = match &part {
                DriftPart::Directory(path) => Some(path.clone()),
                DriftPart::Package { .. } => None,
            };
            let place = FindingPlace {
                guest: guest.clone(),
                path,
            };
            let facts = FindingFacts::Drift { part, change };
            Finding::at(CheckRule::DriftFromGolden, [place], facts)
        };
        self.parts.into_iter().map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_explains_its_files() {
        let path = |text: &str| GuestPath::new(text.as_bytes()).unwrap();
        let perl = |here: &str| {
            Some(DriftPackage {
                name: "perl".into(),
                golden: Some("1".into()),
                here: Some(here.into()),
            })
        };
        let mut drift = GuestDrift::default();
        drift.take(&path("/usr/bin/perl"), Drifted::Changed, perl("2"));
        drift.take(&path("/usr/share/perl/new"), Drifted::Added, perl("2"));
        drift.take(&path("/usr/bin/tool"), Drifted::Changed, perl("1"));
        drift.take(&path("/usr/bin/other"), Drifted::Removed, None);
        let found = drift.findings(&GuestName::new("a").unwrap());
        let facts: Vec<_> = found.iter().map(|finding| &finding.facts).collect();
        let [
            FindingFacts::Drift {
                part: DriftPart::Package { name, .. },
                change: first,
            },
            FindingFacts::Drift {
                part: DriftPart::Directory(dir),
                change: second,
            },
        ] = facts[..]
        else {
            panic!("{facts:?}")
        };
        assert_eq!((name.as_str(), first.changed, first.added), ("perl", 1, 1));
        assert_eq!(
            (dir, second.changed, second.removed),
            (&path("/usr/bin"), 1, 1)
        );
    }
}
