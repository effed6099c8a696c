use super::*;
use crate::model::{FindingPlace, GuestPath, SecretKind};

fn secret(guests: &[&str]) -> Finding {
    let place = |guest: &&str| FindingPlace {
        guest: GuestName::new(guest).unwrap(),
        path: Some(GuestPath::new(b"/etc/machine-id").unwrap()),
    };
    let facts = FindingFacts::SameSecret(SecretKind::MachineId);
    Finding::at(CheckRule::SharedSecret, guests.iter().map(place), facts)
}

fn ignore(guests: &[&str], until: &str) -> CheckIgnore {
    CheckIgnore {
        rule: CheckRule::SharedSecret,
        guests: guests.iter().map(|guest| (*guest).to_owned()).collect(),
        path: "/etc/*".into(),
        reason: "x".into(),
        until: until.into(),
        line: 7,
    }
}

fn judge(ignores: Vec<CheckIgnore>, today: &str, findings: Vec<Finding>) -> CheckOutcome {
    let policy = CheckPolicy {
        ignores,
        ..CheckPolicy::default()
    };
    let judging = Judging {
        policy: &policy,
        file: Some("c.toml"),
        today,
        ignores: true,
        strict: false,
        baseline: None,
        digest: |_| Digest([0; 32]),
    };
    let found = FoundAll {
        findings,
        ..FoundAll::default()
    };
    judging.judge(found).unwrap()
}

fn rules(checked: &CheckOutcome) -> Vec<&'static str> {
    let all = checked.findings.iter();
    all.map(|judged| judged.finding.rule.code()).collect()
}

#[test]
fn an_exception_holds_to_the_end_of_its_last_day() {
    for (today, want) in [
        ("2027-02-28", vec![]),
        ("2027-03-01", vec![]),
        ("2027-03-02", vec!["shared-secret", "ignore-expired"]),
    ] {
        let checked = judge(
            vec![ignore(&["a", "b"], "2027-03-01")],
            today,
            vec![secret(&["a", "b"])],
        );
        assert_eq!(rules(&checked), want, "{today}");
    }
}

#[test]
fn an_exception_covers_the_guests_that_it_names_and_no_third() {
    let only = |guests: &[&str], found: &[&str]| {
        rules(&judge(
            vec![ignore(guests, "2027-03-01")],
            "2027-01-01",
            vec![secret(found)],
        ))
    };
    assert_eq!(only(&[], &["a", "b", "c"]), [""; 0]);
    assert_eq!(only(&["t-*"], &["t-1", "t-2"]), [""; 0]);
    assert_eq!(
        only(&["a", "b"], &["a", "b", "c"]),
        ["shared-secret", "ignore-unused"]
    );
}

#[test]
fn an_ignored_finding_never_counts() {
    let checked = judge(
        vec![ignore(&[], "2027-03-01")],
        "2027-01-01",
        vec![secret(&["a", "b"])],
    );
    assert_eq!(checked.failing().count(), 0);
    assert_eq!(
        checked.rules.iter().map(|rule| rule.ignored).sum::<u64>(),
        1
    );
}

#[test]
fn an_exception_without_use_is_said_and_fails_where_that_is_asked_for() {
    let policy = CheckPolicy {
        ignores: vec![ignore(&[], "2027-03-01")],
        ..CheckPolicy::default()
    };
    let mut judging = Judging {
        policy: &policy,
        file: None,
        today: "2027-01-01",
        ignores: true,
        strict: false,
        baseline: None,
        digest: |_| Digest([0; 32]),
    };
    let level = |judging: &Judging<'_>| {
        let checked = judging.judge(FoundAll::default()).unwrap();
        checked.findings.first().map(|judged| judged.level)
    };
    assert_eq!(level(&judging), Some(FindingLevel::Info));
    judging.strict = true;
    assert_eq!(level(&judging), Some(FindingLevel::Error));
    judging.ignores = false;
    assert_eq!(level(&judging), None);
}

#[test]
fn a_baseline_knows_findings_but_nothing_that_could_not_be_looked_at() {
    let unread = FindingFacts::Unread { why: "x".into() };
    let findings = || {
        vec![
            secret(&["a", "b"]),
            Finding::at(CheckRule::InputUnread, [], unread.clone()),
        ]
    };
    let policy = CheckPolicy::default();
    let others = ["mode-differs\ta:/x", "mode-differs\tz:/x"];
    let keys = findings()
        .iter()
        .map(|finding| key(finding, |_| Digest([0; 32])))
        .chain(others.map(str::to_owned))
        .collect();
    let judging = Judging {
        policy: &policy,
        file: None,
        today: "2027-01-01",
        ignores: true,
        strict: false,
        baseline: Some(&keys),
        digest: |_| Digest([0; 32]),
    };
    let found = FoundAll {
        findings: findings(),
        guests: ["a", "b"].map(|name| GuestName::new(name).unwrap()).into(),
        ..FoundAll::default()
    };
    let checked = judging.judge(found).unwrap();
    assert_eq!(
        checked
            .failing()
            .map(|j| j.finding.rule)
            .collect::<Vec<_>>(),
        [CheckRule::InputUnread]
    );
    assert_eq!(checked.vanished, others[..1]);
    assert_eq!(
        checked.not_asked,
        others[1..],
        "of a guest that was not looked at"
    );
    assert!(checked.is_blind());
}

#[test]
fn the_level_that_fails_is_inclusive() {
    let mut policy = CheckPolicy::default();
    policy
        .levels
        .insert(CheckRule::SharedSecret, Some(FindingLevel::Warn));
    for (fail_on, want) in [
        (FindingLevel::Error, 0),
        (FindingLevel::Warn, 1),
        (FindingLevel::Info, 1),
    ] {
        policy.fail_on = fail_on;
        let judging = Judging {
            policy: &policy,
            file: None,
            today: "2027-01-01",
            ignores: true,
            strict: false,
            baseline: None,
            digest: |_| Digest([0; 32]),
        };
        let found = FoundAll {
            findings: vec![secret(&["a", "b"])],
            ..FoundAll::default()
        };
        assert_eq!(judging.judge(found).unwrap().failing().count(), want);
    }
}
