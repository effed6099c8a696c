//! What counts: policies, exceptions, baselines, levels and exit codes.

use crate::support::{Disk, File, Guest, Lab, content, unify, unify_with};

fn differing(lab: &Lab) -> [Guest; 2] {
    let [web, db] = lab.twins(&[(
        "/etc/machine-id",
        File::new("0123456789abcdef0123456789abcdef\n"),
    )]);
    web.put("/usr/share/mode", &File::new(content(5)).mode(0o644));
    db.put("/usr/share/mode", &File::new(content(5)).mode(0o444));
    [web, db]
}

fn written(lab: &Lab, name: &str, text: &str) -> String {
    let path = lab.path(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// One function reads the level of the command line and of the file.
#[test]
fn the_level_that_fails_is_inclusive_wherever_it_is_given() {
    let lab = lab!(Disk::Own);
    let [web, db] = differing(&lab);
    let off = "[rule.shared-secret]\nlevel = \"off\"\n[rule.baked-identity]\nlevel = \"off\"\n";
    for (level, code) in [("error", 0), ("warn", 0), ("info", 11)] {
        let file = written(&lab, "check.toml", &format!("fail-on = \"{level}\"\n{off}"));
        lab.check(&[&web, &db], &["--policy", &file])
            .out
            .expect(code);
        let file = written(&lab, "check.toml", off);
        lab.check(&[&web, &db], &["--policy", &file, "--fail-on", level])
            .out
            .expect(code);
    }
    let help = unify(&["--help"]).expect(0).stdout;
    assert!(
        help.contains("  11        findings at or above --fail-on (check)"),
        "{help}"
    );
}

#[test]
fn exceptions_end_and_are_of_use_or_are_said() {
    let lab = lab!(Disk::Own);
    let [web, db] = differing(&lab);
    let text = "[rule.baked-identity]\nlevel = \"off\"\n\n[[ignore]]\nrule = \"shared-secret\"\nguest = [\"web\", \"db\"]\npath = \"/etc/machine-id\"\nreason = \"never booted together\"\nuntil = 2027-03-01\n\n[[ignore]]\nrule = \"name-unusable\"\npath = \"/usr/**\"\nreason = \"x\"\nuntil = \"2027-03-01\"\n";
    let file = written(&lab, "check.toml", text);
    let on = |day: &str, more: &[&str]| {
        let options = [&["--policy", &file, "--today", day], more].concat();
        lab.check(&[&web, &db], &options)
    };
    for day in ["2027-02-28", "2027-03-01"] {
        let answer = on(day, &[]);
        answer.out.clone().expect(0);
        assert!(answer.found("shared-secret").is_empty());
        assert_eq!(answer.findings("ignore-unused")[0]["facts"]["line"], 11);
    }
    let ended = on("2027-03-02", &[]);
    ended.out.clone().expect(11);
    assert_eq!(ended.findings("ignore-expired").len(), 2);
    assert_eq!(ended.findings("shared-secret").len(), 1);
    on("2027-03-01", &["--strict-ignores"]).out.expect(11);
    let none = on("2027-03-01", &["--no-ignores"]);
    assert_eq!(none.rules(), ["shared-secret", "mode-differs"]);
    let typo = written(
        &lab,
        "typo.toml",
        &text.replace("reason = \"x\"", "raeson = \"x\""),
    );
    let out = lab.check(&[&web, &db], &["--policy", &typo]).out.expect(2);
    assert!(
        out.stderr
            .contains("typo.toml:14:1: unknown key \"raeson\": did you mean \"reason\"?"),
        "{}",
        out.stderr
    );
}

/// The same guests of another build: other times, other content.
fn rebuilt(lab: &Lab) -> [Guest; 2] {
    let [web, db] = differing(lab);
    let file = File::new(content("rebuilt")).mtime(9, 9);
    web.put("/usr/share/mode", &file);
    db.put("/usr/share/mode", &file.mode(0o444));
    [web, db]
}

/// Keys survive another machine, directory and build: the guests are made anew elsewhere, with other times and inodes.
#[test]
fn a_baseline_knows_findings_wherever_the_guests_are() {
    let lab = lab!(Disk::Own);
    let [web, db] = differing(&lab);
    let known = lab.path("known.txt");
    let known = known.to_str().unwrap();
    lab.check(&[&web, &db], &["--write-baseline", known])
        .out
        .expect(11);
    let text = std::fs::read_to_string(known).unwrap();
    assert!(text.lines().is_sorted(), "one a line: {text}");
    assert!(!text.contains(lab.path("").to_str().unwrap()), "{text}");

    let elsewhere = lab.part("elsewhere");
    let [web2, db2] = rebuilt(&elsewhere);
    let known_too = ["--baseline", known, "--fail-on", "info"];
    let answer = elsewhere.check(&[&web2, &db2], &known_too);
    answer.out.clone().expect(0);
    let mut findings = answer.json["findings"].as_array().unwrap().iter();
    assert!(findings.all(|one| one["known"] == true));

    // What is new fails, what is mended is said, and both are written in one run.
    db2.put("/etc/machine-id", &File::new("uninitialized\n"));
    web2.put("/usr/bin/su", &File::new(content(1)).mode(0o4755));
    let options = ["--baseline", known, "--write-baseline", known];
    let answer = elsewhere.check(&[&web2, &db2], &options);
    answer.out.clone().expect(11);
    let vanished = answer.json["vanished"].as_array().unwrap();
    assert_eq!(vanished.len(), 2, "shared, and baked into db: {vanished:?}");
    let text = std::fs::read_to_string(known).unwrap();
    assert!(text.contains("setuid-differs\tweb:/usr/bin/su") && !text.contains("shared-secret"));
    elsewhere
        .check(&[&web2, &db2], &["--baseline", known])
        .out
        .expect(0);
    elsewhere
        .check(&[&web2, &db2], &["--baseline", "/no/such/file"])
        .out
        .expect(1);
    let other = written(&lab, "other.txt", "not a baseline\n");
    elsewhere
        .check(&[&web2, &db2], &["--baseline", &other])
        .out
        .expect(2);
}

/// One baseline serves a fleet: a check of some guests, or by fewer rules, takes nothing out of it.
#[test]
fn a_baseline_keeps_what_was_not_asked_for() {
    let lab = lab!(Disk::Own);
    let [web, db] = differing(&lab);
    let known = lab.path("known.txt");
    let known = known.to_str().unwrap();
    let both = ["--baseline", known, "--write-baseline", known];
    lab.check(&[&web, &db], &both[2..]).out.expect(11);
    let before = std::fs::read_to_string(known).unwrap();
    let one = lab.check(&[&web], &both);
    one.out.clone().expect(0);
    assert_eq!(one.json["vanished"], serde_json::json!([]));
    let fewer = [&both[..], &["--level", "mode-differs=off"]].concat();
    lab.check(&[&web, &db], &fewer).out.expect(0);
    assert_eq!(std::fs::read_to_string(known).unwrap(), before);
}

/// A gate that could not look does not pass, whatever else there is, and no baseline hides it.
#[test]
fn what_could_not_be_looked_at_comes_first() {
    let lab = lab!(Disk::Own);
    let [web, db] = differing(&lab);
    db.put(
        "/var/lib/dpkg/status",
        &File::new("Package: x\nno colon here\n"),
    );
    let known = lab.path("known.txt");
    let known = known.to_str().unwrap();
    let answer = lab.check(&[&web, &db], &["--write-baseline", known]);
    answer.out.clone().expect(3);
    assert_eq!(answer.found("database-damaged"), ["db"]);
    assert_eq!(
        answer.found("shared-secret").len(),
        1,
        "findings are told all the same"
    );
    let answer = lab.check(&[&web, &db], &["--baseline", known]);
    answer.out.clone().expect(3);
    assert_eq!(answer.json["ok"], false);
    // With a reason somebody may say so.
    let text = "[[ignore]]\nrule = \"database-damaged\"\nguest = \"db\"\npath = \"/\"\nreason = \"made by hand\"\nuntil = 2099-01-01\n";
    let file = written(&lab, "check.toml", text);
    lab.check(&[&web, &db], &["--baseline", known, "--policy", &file])
        .out
        .expect(0);
}

/// Nobody's own rights do not suffice to read a key: that is no pass.
#[test]
fn another_user_is_told_what_he_cannot_read() {
    let lab = lab!(Disk::Own);
    let web = lab.guest("web");
    web.put(
        "/etc/ssh/ssh_host_rsa_key",
        &File::new("secret").mode(0o600),
    );
    let out = std::process::Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            crate::support::BIN,
            "check",
        ])
        .arg(web.arg())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    if said.is_empty() {
        skip!(
            "the lab is closed to others: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("input-unread"), "{said}");
}

/// The same input gives the same answer, and a quiet check that passes says nothing.
#[test]
fn answers_are_the_same_twice_and_quiet_is_quiet() {
    let lab = lab!(Disk::Own);
    let [web, db] = differing(&lab);
    let one = lab.check(&[&web, &db], &["--jobs", "1"]).out.stdout;
    assert_eq!(one, lab.check(&[&db, &web], &[]).out.stdout);
    let out = unify_with(
        &[],
        &[
            "check",
            "-q",
            "--not-a-root",
            "--level",
            "baked-identity=off",
            &web.arg(),
        ],
    )
    .expect(0);
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("", ""));
    let list = unify(&["check", "--list-rules", "--json"]).expect(0).json();
    let listed = list["rules"].as_array().unwrap().len();
    assert_eq!(
        listed,
        lab.check(&[&web], &[]).json["rules"]
            .as_array()
            .unwrap()
            .len()
    );
}

/// The example has every key, and the program takes it.
#[test]
fn the_example_is_a_policy() {
    let lab = lab!(Disk::Own);
    let (web, db) = (lab.guest("web1"), lab.guest("db1"));
    for guest in [&web, &db] {
        guest.put("/usr/bin/tool", &File::new(content(1)));
    }
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/check.toml");
    lab.check(&[&web, &db], &["--policy", example])
        .out
        .expect(0);
}
