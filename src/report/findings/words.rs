//! Findings as sentences. Everything from a guest is escaped where it enters one.

use crate::model::{
    CheckRule, DriftChange, DriftPart, Finding, FindingFacts, FindingLevel, FindingPlace,
    JudgedFinding, NameFault, Owner, SecretKind, SharedPath, Side,
};
use crate::report::layout::size::{counted, iec};
use crate::report::words::sentence::safe;

/// Places that one sentence names.
const MOST_PLACES: usize = 4;

/// `web1:/etc/machine-id`, and of a whole guest its name.
pub(super) fn place(place: &FindingPlace) -> String {
    match &place.path {
        Some(path) => format!("{}:{path}", place.guest),
        None => place.guest.to_string(),
    }
}

/// The places of a finding: equal ones with a sign between.
fn places(finding: &Finding) -> String {
    let between = match finding.rule {
        CheckRule::SharedSecret | CheckRule::HardlinkBetweenGuests => " = ",
        _ => ", ",
    };
    let shown: Vec<String> = finding.places.iter().take(MOST_PLACES).map(place).collect();
    let more = finding.places.len().saturating_sub(MOST_PLACES) as u64 + finding.more;
    match more {
        0 => shown.join(between),
        more => format!("{} and {}", shown.join(between), counted(more, "more name")),
    }
}

/// What was found, with the places in front.
pub(super) fn sentence(judged: &JudgedFinding) -> String {
    let finding = &judged.finding;
    let (places, what) = (places(finding), facts(&finding.facts));
    match places.is_empty() {
        true => what,
        false => format!("{places}: {what}"),
    }
}

fn facts(facts: &FindingFacts) -> String {
    match facts {
        FindingFacts::SameSecret(kind) => {
            format!(
                "the same {}: who holds one guest can pretend to be the other",
                secret(*kind)
            )
        }
        FindingFacts::Baked(kind) => format!("{}: every copy of this guest has it", secret(*kind)),
        FindingFacts::Modified {
            package,
            expected,
            found,
        } => format!(
            "not as {} brought it: expected {}, found {}",
            owner(package),
            safe(expected),
            safe(found)
        ),
        FindingFacts::Unowned { bytes, near } => unowned(*bytes, near.as_deref()),
        FindingFacts::Rights {
            sides: both,
            package,
        } => rights(both, package.as_ref()),
        FindingFacts::Differs {
            fields,
            sides: both,
            bytes,
        } => {
            let names: Vec<&str> = fields.iter().map(|field| field.code()).collect();
            let values = if both.is_empty() {
                String::new()
            } else {
                format!(" ({})", sides(both))
            };
            format!(
                "equal content, different {}{values}: {} kept apart",
                names.join(" and "),
                iec(*bytes)
            )
        }
        FindingFacts::Shifted {
            uid,
            gid,
            files,
            bytes,
        } => format!(
            "all owners differ by {uid:+}, groups by {gid:+}, as in another user namespace: {} and {} kept apart",
            counted(*files, "file"),
            iec(*bytes)
        ),
        other => facts_between(other),
    }
}

/// Of several guests.
fn facts_between(facts: &FindingFacts) -> String {
    match facts {
        FindingFacts::Foreign { guest, package } => {
            let package = package.as_deref().map_or("a package".to_owned(), safe);
            format!("configuration of {package}, which {guest} has and this guest has not")
        }
        FindingFacts::Linked {
            bytes,
            is_bare_object,
        } => {
            let what = match is_bare_object {
                true => "an object of a base that has lost its protection",
                false => "no object of a base",
            };
            format!(
                "one file ({}) under names of several guests, and {what}: what one writes the others read",
                iec(*bytes)
            )
        }
        FindingFacts::Sharing {
            shared,
            of,
            least,
            largest: files,
        } => format!(
            "they share {} of {} ({}), less than {}{}",
            iec(*shared),
            iec(*of),
            share(*shared, *of),
            thousandths(*least),
            largest(files)
        ),
        FindingFacts::Budget {
            unique,
            most,
            largest: files,
        } => {
            format!(
                "{} that no other guest has, more than {}{}",
                iec(*unique),
                iec(*most),
                largest(files)
            )
        }
        FindingFacts::Drift { part, change } => drift(part, change),
        other => more_facts(other),
    }
}

fn more_facts(facts: &FindingFacts) -> String {
    match facts {
        FindingFacts::Name { fault, package } => name(fault, package.as_ref()),
        FindingFacts::Linkable { care } => {
            format!(
                "the plan links it, and the care rule {care} keeps it private unless a policy says otherwise"
            )
        }
        FindingFacts::Stale(why) => format!("not as the plan says: {}", why.codes().join(", ")),
        FindingFacts::Damaged { manager, problem } => {
            format!(
                "the {} database is damaged: {}",
                safe(manager),
                safe(problem)
            )
        }
        FindingFacts::Unread { why } => safe(why),
        FindingFacts::Ignore {
            rule,
            line,
            path,
            until,
        } => {
            format!(
                "the exception in line {line} of the policy (rule {rule}, path {}, until {until})",
                safe(path)
            )
        }
        _ => String::new(),
    }
}

fn secret(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::HostKey => "private host key",
        SecretKind::PrivateKey => "private key",
        SecretKind::MachineId => "machine id",
        SecretKind::RandomSeed => "random seed",
        SecretKind::CredentialKey => "key of service credentials",
        SecretKind::Keytab => "Kerberos keytab",
    }
}

fn owner(owner: &Owner) -> String {
    match &owner.version {
        Some(version) => format!("{} {}", safe(&owner.package), safe(version)),
        None => safe(&owner.package),
    }
}

fn unowned(bytes: u64, near: Option<&str>) -> String {
    match near {
        Some(near) => format!(
            "{}, of no package; {} has files beside it",
            iec(bytes),
            safe(near)
        ),
        None => format!("{}, of no package", iec(bytes)),
    }
}

fn rights(both: &[Side], package: Option<&Owner>) -> String {
    match package {
        Some(package) => format!("{} (package {})", sides(both), owner(package)),
        None => format!("{} (no package)", sides(both)),
    }
}

fn sides(sides: &[Side]) -> String {
    let all: Vec<String> = sides
        .iter()
        .take(MOST_PLACES)
        .map(|side| format!("{} {}", side.guest, safe(&side.value)))
        .collect();
    match sides.len().saturating_sub(MOST_PLACES) as u64 {
        0 => all.join(", "),
        more => format!("{} and {}", all.join(", "), counted(more, "more guest")),
    }
}

fn share(part: u64, whole: u64) -> String {
    let share = u128::from(part) * 1000 / u128::from(whole.max(1));
    thousandths(u64::try_from(share).unwrap_or(u64::MAX))
}

/// `61.2 %`
fn thousandths(share: u64) -> String {
    format!("{}.{} %", share / 10, share % 10)
}

/// Files that one sentence names; JSON has more.
const MOST_FILES: usize = 3;

fn largest(files: &[SharedPath]) -> String {
    let shown = files.iter().take(MOST_FILES);
    let shown: Vec<String> = shown
        .map(|file| format!("{} {}", file.path, iec(file.bytes)))
        .collect();
    match shown.is_empty() {
        true => String::new(),
        false => format!("; the largest: {}", shown.join(", ")),
    }
}

fn drift(part: &DriftPart, change: &DriftChange) -> String {
    let counts = [
        (change.changed, "changed"),
        (change.added, "added"),
        (change.removed, "removed"),
    ];
    let counts = counts.iter().filter(|(files, _)| *files > 0);
    let counts: Vec<String> = counts
        .map(|(files, what)| format!("{} {what}", counted(*files, "file")))
        .collect();
    let counts = counts.join(", ");
    match part {
        DriftPart::Directory(_) => {
            let some: Vec<String> = change
                .paths
                .iter()
                .take(MOST_FILES)
                .map(ToString::to_string)
                .collect();
            format!("{counts}, such as {}", some.join(", "))
        }
        DriftPart::Package { name, golden, here } => {
            let at =
                |version: &Option<String>| version.as_deref().map_or("absent".to_owned(), safe);
            format!(
                "package {} is {} here and {} in the golden guest: {counts}",
                safe(name),
                at(here),
                at(golden)
            )
        }
    }
}

fn name(fault: &NameFault, package: Option<&Owner>) -> String {
    let what = match fault {
        NameFault::NotText => "the name is not UTF-8".to_owned(),
        NameFault::Control => "the name holds control characters".to_owned(),
        NameFault::TooLong => "the name is longer than 255 bytes".to_owned(),
        NameFault::Case(twin) => format!("differs from {twin} in case or in Unicode's form only"),
    };
    match package {
        Some(package) => format!("{what}; {} brings it", owner(package)),
        None => what,
    }
}

/// What ends findings of a rule, as an order.
pub(super) fn fix(rule: CheckRule) -> &'static str {
    use CheckRule as Is;
    match rule {
        Is::SharedSecret | Is::BakedIdentity => {
            "remove it when the image is built, and let it be made at first boot (systemd-firstboot, ssh-keygen -A)"
        }
        Is::FileModified => "install the package again, or divert the file (dpkg-divert)",
        Is::FileUnowned => "package it, or name it in the policy under [[owned]] with a reason",
        Is::SetuidDiffers => {
            "set the mode or capability where the package does, or with dpkg-statoverride"
        }
        Is::OwnerDiffers | Is::ModeDiffers | Is::XattrDiffers => {
            "set it alike in both builds: COPY --chmod --chown, or a line for mkosi"
        }
        Is::ForeignConfig => "remove it, or install the package that it belongs to",
        Is::HardlinkBetweenGuests => {
            "give each guest a file of its own (cp --reflink), or plan and apply both guests"
        }
        Is::SharingBelow => {
            "build from one golden image; near misses (unify show --near-misses) show what keeps files apart"
        }
        Is::BudgetExceeded => "remove what the guest need not have, or give it another budget",
        Is::DriftFromGolden => {
            "upgrade both guests to the same versions, or build anew from the golden image"
        }
        Is::NameUnusable => "rename it",
        Is::ConfigLinked => {
            "strike the line (unify cut), or plan without the policy that allows it"
        }
        Is::PlanStale => "plan again",
        Is::DatabaseDamaged => "mend the database in the guest",
        Is::ArchiveAmbiguous => {
            "make the archive anew, with GNU tar or bsdtar, and find out who made this one"
        }
        Is::InputUnread => "run as root, or mend what could not be read",
        Is::IgnoreExpired => "take the exception away, or give it a new end",
        Is::IgnoreUnused => "take the exception away",
    }
}

/// As a heading.
pub(super) fn level(level: FindingLevel) -> &'static str {
    match level {
        FindingLevel::Error => "ERROR",
        FindingLevel::Warn => "WARN",
        FindingLevel::Info => "INFO",
    }
}
