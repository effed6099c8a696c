//! The facts of a finding for programs.

use serde::Serialize;

use crate::model::{DriftPart, FindingFacts, GuestPath, NameFault, Owner, SharedPath, Side};
use crate::report::layout::json::PathJson;

/// All of them; a finding has those that its rule speaks of.
#[derive(Debug, Default, Serialize)]
pub(super) struct FactsJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    near_package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sides: Vec<SideJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gid: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bare_object: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    least_thousandths: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    largest: Vec<SizedJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    golden_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<PathJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    care_rule: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manager: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    glob: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct SideJson<'a> {
    guest: &'a str,
    value: &'a str,
}

#[derive(Debug, Serialize)]
struct SizedJson {
    #[serde(flatten)]
    path: PathJson,
    bytes: u64,
}

impl<'a> FactsJson<'a> {
    pub(super) fn of(facts: &'a FindingFacts) -> FactsJson<'a> {
        let mut json = FactsJson::default();
        json.put(facts);
        json
    }

    fn put(&mut self, facts: &'a FindingFacts) {
        match facts {
            FindingFacts::SameSecret(kind) | FindingFacts::Baked(kind) => {
                self.secret = Some(kind.code());
            }
            FindingFacts::Modified {
                package,
                expected,
                found,
            } => {
                self.owner(Some(package));
                self.expected = Some(expected);
                self.found = Some(found);
            }
            FindingFacts::Unowned { bytes, near } => {
                (self.bytes, self.near_package) = (Some(*bytes), near.as_deref());
            }
            FindingFacts::Rights { sides, package } => {
                self.sides(sides);
                self.owner(package.as_ref());
            }
            FindingFacts::Differs {
                fields,
                sides,
                bytes,
            } => {
                self.sides(sides);
                self.fields = fields.iter().map(|field| field.code()).collect();
                self.bytes = Some(*bytes);
            }
            FindingFacts::Shifted {
                uid,
                gid,
                files,
                bytes,
            } => {
                (self.uid, self.gid) = (Some(*uid), Some(*gid));
                (self.files, self.bytes) = (Some(*files), Some(*bytes));
            }
            FindingFacts::Foreign { guest, package } => {
                (self.guest, self.package) = (Some(guest.as_str()), package.as_deref());
            }
            other => self.put_more(other),
        }
    }

    fn put_more(&mut self, facts: &'a FindingFacts) {
        match facts {
            FindingFacts::Linked {
                bytes,
                is_bare_object,
            } => (self.bytes, self.bare_object) = (Some(*bytes), Some(*is_bare_object)),
            FindingFacts::Sharing {
                shared,
                of,
                least,
                largest,
            } => {
                (self.bytes, self.of_bytes) = (Some(*shared), Some(*of));
                self.least_thousandths = Some(*least);
                self.largest(largest);
            }
            FindingFacts::Budget {
                unique,
                most,
                largest,
            } => {
                (self.bytes, self.most_bytes) = (Some(*unique), Some(*most));
                self.largest(largest);
            }
            FindingFacts::Drift { part, change } => {
                self.part(part);
                self.added = Some(change.added);
                (self.removed, self.changed) = (Some(change.removed), Some(change.changed));
                self.paths = change.paths.iter().map(PathJson::from).collect();
            }
            FindingFacts::Name { fault, package } => {
                self.fault = Some(fault.code());
                self.owner(package.as_ref());
                let twin = |twin: &GuestPath| vec![PathJson::from(twin)];
                self.paths = match fault {
                    NameFault::Case(path) => twin(path),
                    _ => Vec::new(),
                };
            }
            FindingFacts::Linkable { care } => self.care_rule = Some(care),
            FindingFacts::Stale(why) => self.fields = why.codes(),
            FindingFacts::Damaged { manager, problem } => {
                self.manager = Some(manager);
                self.problem = Some(problem);
            }
            FindingFacts::Unread { why } => self.problem = Some(why),
            FindingFacts::Ignore {
                rule,
                line,
                path,
                until,
            } => {
                self.rule = Some(*rule);
                self.line = Some(*line);
                self.glob = Some(path);
                self.until = Some(until);
            }
            _ => {}
        }
    }

    fn owner(&mut self, owner: Option<&'a Owner>) {
        self.package = owner.map(|owner| owner.package.as_str());
        self.version = owner.and_then(|owner| owner.version.as_deref());
    }

    fn sides(&mut self, sides: &'a [Side]) {
        let side = |side: &'a Side| SideJson {
            guest: side.guest.as_str(),
            value: &side.value,
        };
        self.sides = sides.iter().map(side).collect();
    }

    fn largest(&mut self, files: &[SharedPath]) {
        let sized = |file: &SharedPath| SizedJson {
            path: PathJson::from(&file.path),
            bytes: file.bytes,
        };
        self.largest = files.iter().map(sized).collect();
    }

    fn part(&mut self, part: &'a DriftPart) {
        if let DriftPart::Package { name, golden, here } = part {
            self.package = Some(name);
            (self.golden_version, self.version) = (golden.as_deref(), here.as_deref());
        }
    }
}
