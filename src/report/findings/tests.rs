use std::collections::BTreeMap;

use super::*;
use crate::model::{
    CheckOutcome, CheckRule, CheckedRule, Digest, Finding, FindingFacts, FindingLevel,
    FindingPlace, GuestName, GuestPath, JudgedFinding, RuleLook, SecretKind,
};
use crate::report::samples::{HOSTILE, assert_tame, guest, written};
use crate::report::words::list::ListLimits;

const ALL: ListLimits = ListLimits {
    most: 20,
    columns: 80,
};

fn judged(number: u8, finding: Finding, level: FindingLevel) -> JudgedFinding {
    JudgedFinding {
        key: format!("key {number}"),
        fingerprint: Digest([number; 32]),
        level,
        finding,
        is_known: false,
    }
}

fn at(name: &str, path: &[u8]) -> FindingPlace {
    FindingPlace {
        guest: guest(name),
        path: Some(GuestPath::new(path).unwrap()),
    }
}

fn secret() -> Finding {
    let places = [
        at("web1", b"/etc/machine-id"),
        at("web2", b"/etc/machine-id"),
    ];
    Finding::at(
        CheckRule::SharedSecret,
        places,
        FindingFacts::SameSecret(SecretKind::MachineId),
    )
}

fn unowned(path: &[u8]) -> Finding {
    let facts = FindingFacts::Unowned {
        bytes: 5,
        near: Some(HOSTILE.to_owned()),
    };
    Finding::at(CheckRule::FileUnowned, [at("web1", path)], facts)
}

fn expired() -> Finding {
    let facts = FindingFacts::Ignore {
        rule: "shared-secret",
        line: 12,
        path: "/etc/*".into(),
        until: "2026-01-01".into(),
    };
    Finding::at(CheckRule::IgnoreExpired, [], facts)
}

/// A name that tries everything, in a directory of such a name.
const BAD: &[u8] = b"/::error::x/a%0A,b:c [x](y) {0} <@all> `|\n::warning::\x1b[2J\xff##[x]";

fn checked(findings: Vec<JudgedFinding>) -> CheckOutcome {
    let rule = |rule: &CheckRule| CheckedRule {
        rule: *rule,
        level: rule.level(),
        look: match rule.level() {
            None => RuleLook::Off,
            Some(_) => RuleLook::Whole,
        },
        not_of: Vec::new(),
        ignored: 0,
    };
    CheckOutcome {
        guests: vec![guest("web1"), guest("web2")],
        rules: CheckRule::ALL.iter().map(rule).collect(),
        findings,
        vanished: vec!["mode-differs\tweb1:/a".into()],
        not_asked: Vec::new(),
        not_verified: Vec::new(),
        fail_on: FindingLevel::Error,
        locate: BTreeMap::from([(guest("web2"), "images/web2.conf".to_owned())]),
        policy: Some("check.toml".into()),
    }
}

fn hostile() -> CheckOutcome {
    checked(vec![
        judged(1, secret(), FindingLevel::Error),
        judged(2, unowned(BAD), FindingLevel::Warn),
        judged(3, expired(), FindingLevel::Error),
    ])
}

#[test]
fn people_read_the_answer_first() {
    let text = written(|out| text::text(&hostile(), ALL, out));
    assert!(
        text.starts_with("FAILED: 2 findings at error or above.\n"),
        "{text}"
    );
    assert!(text.contains("ERROR shared-secret (1): guests have one secret in common\n  web1:/etc/machine-id = web2:/etc/machine-id: the same machine id"), "{text}");
    assert!(
        text.contains("GONE from the baseline, 1 finding: mode-differs web1:/a"),
        "{text}"
    );
    let passed = written(|out| text::text(&checked(Vec::new()), ALL, out));
    assert!(
        passed.starts_with("PASSED: no finding at error or above.\n"),
        "{passed}"
    );
}

/// Every form but GitHub's own commands: no line can be an order to a runner, or move a cursor.
#[test]
fn nothing_hostile_comes_through() {
    let checked = hostile();
    for form in [
        written(|out| text::text(&checked, ALL, out)),
        written(|out| json::json(&checked, out)),
        written(|out| sarif::sarif(&checked, out)),
        written(|out| gitlab::gitlab(&checked, out)),
    ] {
        assert_tame(&form);
    }
    // Headings of markdown have three signs, and XML has a prologue.
    let markdown = written(|out| markdown::markdown(&checked, out));
    assert_tame(&markdown.replace("\n### ", "\n"));
    assert!(
        !markdown.contains('@') && !markdown.contains("<@"),
        "{markdown}"
    );
    assert_tame(&written(|out| junit::junit(&checked, out)));
}

#[test]
fn a_file_name_is_no_workflow_command() {
    let commands = written(|out| github::github(&hostile(), out));
    let lines: Vec<&str> = commands.lines().collect();
    assert_eq!(lines.len(), 3, "{commands}");
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("::error ") || line.starts_with("::warning "))
    );
    // What toolkit/command.ts takes apart: properties up to the next two colons, each without , and :.
    for line in lines {
        let (properties, _) = line[2..].split_once("::").unwrap();
        let (_, properties) = properties.split_once(' ').unwrap();
        for property in properties.split(',') {
            let (key, value) = property.split_once('=').unwrap();
            assert!(["file", "line", "title"].contains(&key), "{line}");
            assert!(!value.contains(':'), "{line}");
        }
    }
    assert!(commands.contains("file=check.toml,line=12,title=ignore-expired::"));
}

#[test]
fn of_too_many_annotations_the_tenth_says_how_many_more() {
    let many = (0..46).map(|n| {
        judged(
            n,
            unowned(format!("/usr/{n}").as_bytes()),
            FindingLevel::Warn,
        )
    });
    let commands = written(|out| github::github(&checked(many.collect()), out));
    assert_eq!(commands.lines().count(), 10);
    assert!(
        commands
            .ends_with("and 37 more findings of this level: see the summary or the JSON form\n")
    );
    let ten = (0..10).map(|n| {
        judged(
            n,
            unowned(format!("/usr/{n}").as_bytes()),
            FindingLevel::Warn,
        )
    });
    let commands = written(|out| github::github(&checked(ten.collect()), out));
    assert!(!commands.contains("more findings"), "{commands}");
}

/// The rules of GitHub that its schema does not know.
#[test]
fn sarif_is_what_github_takes() {
    let sarif = written(|out| sarif::sarif(&hostile(), out));
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["runs"].as_array().unwrap().len(), 1);
    let run = &sarif["runs"][0];
    assert!(run.get("originalUriBaseIds").is_none());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_ne!(result["level"], "none");
        assert!(result["partialFingerprints"]["unifyFinding/v1"].is_string());
        let locations = result["locations"].as_array().unwrap();
        assert!(!locations.is_empty() && locations.len() <= 1000);
        for location in locations {
            let physical = &location["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(
                !uri.is_empty() && !uri.starts_with('/') && !uri.contains(':'),
                "{uri}"
            );
            assert!(
                uri.bytes()
                    .all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`[]".contains(&b)),
                "{uri}"
            );
            assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }
    let severe = |id: &str| {
        let rule = rules.iter().find(|rule| rule["id"] == id).unwrap();
        rule["properties"].get("security-severity").is_some()
    };
    assert!(severe("shared-secret") && severe("baked-identity") && !severe("file-unowned"));
    let uris = sarif.to_string();
    assert!(
        uris.contains("images/web2.conf"),
        "mended where the policy says"
    );
    assert!(uris.contains("%FF"), "bytes that are no text are encoded");
}

#[test]
fn sarif_holds_the_worst_and_says_what_it_leaves_out() {
    let one = |n: u32, level| judged(0, unowned(format!("/usr/{n}").as_bytes()), level);
    let mut many: Vec<JudgedFinding> = (0..5_003).map(|n| one(n, FindingLevel::Info)).collect();
    many.push(one(9_999, FindingLevel::Error));
    let sarif = written(|out| sarif::sarif(&checked(many), out));
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
    assert_eq!(run["results"][0]["level"], "error");
    let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(
        note.as_str().unwrap().starts_with("4 more findings"),
        "{note}"
    );
}

/// Warnings are no failures, rules that are off are skipped, what could not be read is an error.
#[test]
fn junit_counts_what_fails_and_nothing_else() {
    let unread = FindingFacts::Unread { why: "no".into() };
    let unread = Finding::at(CheckRule::InputUnread, [at("web2", b"/x")], unread);
    let mut all = hostile();
    all.findings.push(judged(4, unread, FindingLevel::Error));
    let xml = written(|out| junit::junit(&all, out));
    assert_eq!(xml.matches("<failure ").count(), 2, "{xml}");
    assert_eq!(xml.matches("<error ").count(), 1);
    assert_eq!(xml.matches("<system-out>").count(), 1);
    assert_eq!(xml.matches("<testsuite ").count(), 3);
    let off = CheckRule::ALL
        .iter()
        .filter(|rule| rule.level().is_none())
        .count();
    assert_eq!(xml.matches("<skipped ").count(), 2 * off);
    assert!(xml.contains("<testcase classname=\"web1\" name=\"name-unusable\" time=\"0\"/>"));
}

#[test]
fn gitlab_shows_each_finding_once() {
    let issues = written(|out| gitlab::gitlab(&hostile(), out));
    let issues: serde_json::Value = serde_json::from_str(&issues).unwrap();
    let issues = issues.as_array().unwrap();
    let mut prints: Vec<&str> = issues
        .iter()
        .map(|i| i["fingerprint"].as_str().unwrap())
        .collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 3);
    for issue in issues {
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(
            !path.is_empty() && !path.starts_with("./") && !path.starts_with('/'),
            "{path}"
        );
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        let severity = issue["severity"].as_str().unwrap();
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity));
    }
}

#[test]
fn a_long_summary_is_cut_and_says_so() {
    let many = (0..200).map(|n| {
        judged(
            n,
            unowned(&[b"/".as_slice(), &vec![b'x'; 255]].concat()),
            FindingLevel::Warn,
        )
    });
    let markdown = written(|out| markdown::markdown(&checked(many.collect()), out));
    assert!(markdown.len() < 50_000);
    assert!(markdown.contains("and 180 more"), "{markdown}");
}

#[test]
fn what_the_baseline_knows_is_not_shown_to_services() {
    let mut all = hostile();
    all.findings
        .iter_mut()
        .for_each(|judged| judged.is_known = true);
    for form in [
        written(|out| github::github(&all, out)),
        written(|out| gitlab::gitlab(&all, out)).replace(['[', ']', '\n'], ""),
    ] {
        assert_eq!(form, "");
    }
    let sarif = written(|out| sarif::sarif(&all, out));
    assert!(sarif.contains("\"results\":[]"));
    assert!(written(|out| json::json(&all, out)).contains("\"known\":true"));
    assert_eq!(all.failing().count(), 0);
}

#[test]
fn places_that_are_many_are_cut() {
    let names: Vec<GuestName> = (0..300).map(|n| guest(&format!("g{n:03}"))).collect();
    let places = names
        .into_iter()
        .map(|guest| FindingPlace { guest, path: None });
    let finding = Finding::at(
        CheckRule::SharedSecret,
        places,
        FindingFacts::SameSecret(SecretKind::HostKey),
    );
    assert_eq!((finding.listed().0.len(), finding.unlisted()), (100, 200));
    let all = checked(vec![judged(1, finding, FindingLevel::Error)]);
    let text = written(|out| text::text(&all, ALL, out));
    assert!(
        text.contains("g000 = g001 = g002 = g003 and 296 more names: the same private host key"),
        "{text}"
    );
}
