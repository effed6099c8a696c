use super::*;

fn read(text: &str) -> Result<CheckPolicy, String> {
    parse(text, "c.toml").map_err(|bad| bad.to_string())
}

const WHOLE: &str = r#"
fail-on = "warn"

[rule.file-unowned]
level = "off"

[rule.sharing-below]
level = "error"
min-share = 0.6
min-bytes = "32M"

[rule.budget-exceeded]
max-unique-bytes = "300M"

[rule.drift-from-golden]
golden = "web1"
beneath = ["/usr", "/opt"]

[guest.web1]
locate = "./images/web1.conf"
max-unique-bytes = 1000

[[owned]]
path = "/opt/agent/**"
reason = "the monitoring team puts it there"

[[ignore]]
rule = "shared-secret"
guest = ["test-*", "web1"]
path = "/etc/machine-id"
reason = "throw-away guests, never booted together"
until = 2027-03-01

[[ignore]]
rule = "mode-differs"
path = "/usr/**"
reason = "known"
until = "2027-03-02"
"#;

#[test]
fn every_key() {
    let policy = read(WHOLE).unwrap();
    assert_eq!(policy.fail_on, FindingLevel::Warn);
    assert_eq!(policy.level(CheckRule::FileUnowned), None);
    assert_eq!(
        policy.level(CheckRule::SharingBelow),
        Some(FindingLevel::Error)
    );
    assert_eq!(
        policy.level(CheckRule::BudgetExceeded),
        Some(FindingLevel::Error)
    );
    assert_eq!(
        policy.level(CheckRule::DriftFromGolden),
        Some(FindingLevel::Warn)
    );
    let least = policy.least_share.unwrap();
    assert_eq!((least.thousandths, least.bytes), (600, 32 << 20));
    let (web1, db1) = (
        GuestName::new("web1").unwrap(),
        GuestName::new("db1").unwrap(),
    );
    assert_eq!(policy.budget(&web1), Some(1000));
    assert_eq!(policy.budget(&db1), Some(300 << 20));
    assert_eq!(policy.locate[&web1], "images/web1.conf");
    assert_eq!(policy.ignores[0].guests, ["test-*", "web1"]);
    assert_eq!(policy.ignores[0].until, "2027-03-01");
    assert_eq!(policy.ignores[0].line, 27);
    assert_eq!(policy.ignores[1].until, "2027-03-02");
    for key in KEYS {
        assert!(WHOLE.contains(key), "{key}");
    }
    assert_eq!(read("").unwrap(), CheckPolicy::default());
}

#[test]
fn a_rule_that_needs_a_bound_is_off_without_one() {
    let policy = read("[rule.budget-exceeded]\nlevel = \"error\"\n").unwrap();
    assert_eq!(policy.level(CheckRule::BudgetExceeded), None);
    assert_eq!(
        policy.level(CheckRule::SharedSecret),
        Some(FindingLevel::Error)
    );
}

/// Each is refused at this place with these words.
fn refused(cases: &[(&str, &str)]) {
    for (text, want) in cases {
        let got = read(text).unwrap_err();
        assert!(got.contains(want), "{text}: {got}");
    }
}

#[test]
fn every_mistake_names_its_place_and_what_was_meant() {
    refused(&[
        (
            "fail_on = \"warn\"",
            "c.toml:1:1: unknown key \"fail_on\": did you mean \"fail-on\"?",
        ),
        (
            "\nfail-on = \"warning\"",
            "c.toml:2:11: expected error, warn or info",
        ),
        (
            "[rule.shared-secrets]\n",
            "c.toml:1:7: unknown rule \"shared-secrets\": did you mean \"shared-secret\"?",
        ),
        (
            "[rule.UNI005]\n",
            "c.toml:1:7: unknown rule \"UNI005\": see `unify check --list-rules`",
        ),
        (
            "[rule.mode-differs]\nlevl = \"off\"",
            "c.toml:2:1: unknown key \"levl\": did you mean \"level\"?",
        ),
        (
            "[rule.mode-differs]\nmin-share = 0.5",
            "c.toml:2:13: min-share belongs to [rule.sharing-below]",
        ),
        (
            "[rule.sharing-below]\nmin-share = 60.0",
            "c.toml:2:13: expected a share from 0 to 1, such as 0.6",
        ),
        (
            "[rule.ignore-unused]\nlevel = \"loud\"",
            "c.toml:2:9: expected error, warn, info or off",
        ),
        ("a = [", "c.toml:1:"),
    ]);
    let no_path = "c.toml:2:10: expected a path within the repository";
    for path in ["/etc/x", "a/../../x", ""] {
        refused(&[(&format!("[guest.web1]\nlocate = \"{path}\""), no_path)]);
    }
}

#[test]
fn an_exception_says_why_and_until_when() {
    let ignore = |line: &str| {
        let whole = "[[ignore]]\nrule = \"mode-differs\"\npath = \"/a\"\nreason = \"x\"\nuntil = 2027-01-01\n";
        format!("{whole}{line}\n")
    };
    let bad_day = ignore("").replace("2027-01-01", "\"2027-13-01\"");
    let no_reason = ignore("").replace("\"x\"", "\" \"");
    let one_guest = ignore("guest = \"a\"").replace("mode-differs", "shared-secret");
    let no_end = ignore("").replace("until = 2027-01-01", "");
    let of_itself = ignore("").replace("mode-differs", "ignore-unused");
    refused(&[
        (&bad_day, "c.toml:5:9: expected a day as 2027-01-31"),
        (&no_reason, "c.toml:4:10: reason: say why"),
        (
            &one_guest,
            "c.toml:6:9: an exception from shared-secret names two guests",
        ),
        (&no_end, "missing field `until`"),
        (&of_itself, "c.toml:2:8: this rule speaks of the policy"),
    ]);
}
