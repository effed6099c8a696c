//! SARIF, JUnit and the other forms, as services take them: of guests whose names try to be orders.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Disk, File, Guest, Lab, content, unify};

/// Guests with findings of all levels, and with names that try everything.
fn furnished(lab: &Lab) -> [Guest; 2] {
    let [web, db] = lab.twins(&[(
        "/etc/machine-id",
        File::new("0123456789abcdef0123456789abcdef\n"),
    )]);
    for name in [
        &b"/usr/::error::x"[..],
        b"/usr/##[x] <&\"'> `|@all\n::warning::y\xff",
        b"/usr/a\x1b[2J%0A,b:c",
    ] {
        web.put(OsStr::from_bytes(name), &File::new(content(1)).mode(0o4755));
    }
    [web, db]
}

/// Everything in one run: each form in its file, text on standard output.
fn reports(lab: &Lab, more: &[&str]) -> (PathBuf, String) {
    let [web, db] = furnished(lab);
    let place = lab.path("reports");
    std::fs::create_dir_all(&place).unwrap();
    let mut args: Vec<String> = vec!["check".into(), "--not-a-root".into()];
    args.extend(more.iter().map(|word| (*word).to_owned()));
    for form in ["json", "sarif", "junit", "github", "gitlab", "markdown"] {
        args.push(format!("--format={form}={}", place.join(form).display()));
    }
    args.extend([web.arg(), db.arg()]);
    let out = unify(&args).expect(11);
    (place, out.stdout)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn services_take_every_form() {
    let lab = lab!(Disk::Own);
    let policy = lab.path("check.toml");
    std::fs::write(&policy, "[guest.db]\nlocate = \"images/db.conf\"\n").unwrap();
    let (place, text) = reports(&lab, &["--policy", policy.to_str().unwrap()]);
    assert!(text.starts_with("FAILED: "), "{text}");
    sarif(&json(&place.join("sarif")));
    junit(&place.join("junit"));
    jenkins_takes(&place.join("junit"));
    let gitlab = json(&place.join("gitlab"));
    assert!(gitlab.as_array().unwrap().iter().all(|issue| {
        let path = issue["location"]["path"].as_str().unwrap();
        !path.is_empty() && !path.starts_with(['.', '/'])
    }));
    let all = json(&place.join("json"));
    let lines = std::fs::read_to_string(place.join("json")).unwrap();
    let findings = all["findings"].as_array().unwrap().len();
    assert_eq!(
        lines
            .lines()
            .filter(|line| line.starts_with("{\"rule\":") && line.contains("\"fingerprint\""))
            .count(),
        findings
    );
    for form in ["json", "sarif", "junit", "gitlab", "markdown"] {
        let text = std::fs::read_to_string(place.join(form)).unwrap();
        orders(&text, form);
    }
    orders(&text, "text");
    let commands = std::fs::read_to_string(place.join("github")).unwrap();
    let known = ["::error ", "::warning ", "::notice "];
    assert!(
        commands
            .lines()
            .all(|line| known.iter().any(|begin| line.starts_with(begin))),
        "{commands}"
    );
}

/// No line of a form is an order to a runner, or moves a cursor.
fn orders(text: &str, form: &str) {
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{form}: {line}");
        assert!(
            !line.contains("##[") && !line.contains("##vso"),
            "{form}: {line}"
        );
        assert!(!line.chars().any(char::is_control), "{form}: {line:?}");
    }
}

fn sarif(log: &Value) {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/schemas/sarif-for-github.schema.json"
    );
    let schema = json(Path::new(schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(log)
        .map(|e| format!("{}: {e}", e.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() > 4);
    assert!(
        log.to_string().contains("images/db.conf"),
        "mended where the policy says"
    );
    assert_eq!(github_takes(log, log.to_string().len()), [""; 0]);
    // The validators bite: what GitHub rejects a whole file for.
    for (pointer, value) in [
        ("/runs/0/results/0/locations", serde_json::json!([])),
        (
            "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri",
            "".into(),
        ),
        (
            "/runs/0/results/0/locations/0/physicalLocation/region/startLine",
            0.into(),
        ),
        ("/runs/0/results/0/level", "none".into()),
    ] {
        let mut bad = log.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&bad), "{pointer}");
        assert!(!github_takes(&bad, 0).is_empty(), "{pointer}");
    }
}

/// Limits of GitHub's code scanning (docs.github.com, "SARIF results limits" and "Supported SARIF output file
/// properties"), and what it refuses a whole file for. What it ignores must not be relied on.
fn github_takes(log: &Value, bytes: usize) -> Vec<String> {
    let runs = log["runs"].as_array().unwrap();
    let mut laws = vec![
        (
            runs.len() == 1,
            "one run: several of a category are not merged",
        ),
        (bytes < 10 << 20, "10 MiB, here before it is packed"),
    ];
    for run in runs {
        let (rules, results) = (&run["tool"]["driver"]["rules"], &run["results"]);
        let (rules, results) = (rules.as_array().unwrap(), results.as_array().unwrap());
        let ids: BTreeSet<String> = rules.iter().map(|rule| rule["id"].to_string()).collect();
        let prints = results
            .iter()
            .map(|one| one["partialFingerprints"].to_string());
        let prints: BTreeSet<String> = prints.collect();
        laws.extend([
            (
                run.get("originalUriBaseIds").is_none(),
                "originalUriBaseIds are not supported",
            ),
            (
                rules.len() <= 25_000 && ids.len() == rules.len(),
                "each rule once",
            ),
            (results.len() <= 5_000, "5,000 results are shown"),
            (prints.len() == results.len(), "each finding once"),
        ]);
        laws.extend(rules.iter().flat_map(rule_laws));
        laws.extend(results.iter().flat_map(|one| result_laws(one, rules)));
    }
    let broken = laws.into_iter().filter(|(is_kept, _)| !is_kept);
    broken.map(|(_, what)| what.to_owned()).collect()
}

type Law = (bool, &'static str);

fn rule_laws(rule: &Value) -> Vec<Law> {
    let tags = rule["properties"]["tags"].as_array().map_or(0, Vec::len);
    let text = |key: &str| {
        rule[key]["text"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .count()
    };
    let severity = rule["properties"]["security-severity"].as_str();
    let number = severity.map(|text| text.parse::<f64>().unwrap());
    vec![
        (tags <= 20, "20 tags a rule"),
        (
            (1..=1024).contains(&text("shortDescription")),
            "a short description",
        ),
        (
            (1..=1024).contains(&text("fullDescription")),
            "a full description",
        ),
        (text("help") > 0, "help as text"),
        (
            number.is_none_or(|n| (0.0..=10.0).contains(&n)),
            "a severity from 0.0 to 10.0",
        ),
    ]
}

fn result_laws(result: &Value, rules: &[Value]) -> Vec<Law> {
    let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
    let places = result["locations"].as_array().unwrap();
    let is_shown = |level: &Value| ["error", "warning", "note"].contains(&level.as_str().unwrap());
    let print = result["partialFingerprints"].as_object().unwrap();
    let mut laws = vec![
        (rule["id"] == result["ruleId"], "the rule that is meant"),
        (
            result.get("suppressions").is_none(),
            "suppressions are ignored",
        ),
        (is_shown(&result["level"]), "a level that is shown"),
        (result["message"]["text"].as_str() > Some(""), "a message"),
        (
            (1..=100).contains(&places.len()),
            "a location, of which 100 are shown",
        ),
        (print.len() == 1, "a fingerprint of our own"),
    ];
    for place in places {
        let physical = &place["physicalLocation"];
        let uri = physical["artifactLocation"]["uri"]
            .as_str()
            .unwrap_or_default();
        let is_relative = !uri.is_empty() && !uri.starts_with('/') && !uri.contains("://");
        let is_encoded = uri.is_ascii() && !uri.contains([' ', '\\']);
        let line = physical["region"]["startLine"].as_u64();
        laws.extend([
            (is_relative, "a path in the repository"),
            (is_encoded, "an encoded path"),
            (line >= Some(1), "a line, from 1 on"),
        ]);
    }
    laws
}

/// As `xmllint` judges by the schema, which is narrower than that of Jenkins.
fn jenkins_takes(path: &Path) {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/schemas/junit-for-jenkins.xsd"
    );
    let lint = |path: &Path| {
        let mut lint = Command::new("xmllint");
        lint.args(["--noout", "--nonet", "--schema", schema])
            .arg(path);
        lint.output()
    };
    let Ok(out) = lint(path) else {
        crate::support::skipped("JUnit by a schema", "no xmllint here");
        return;
    };
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = std::fs::read_to_string(path).unwrap();
    for (from, to) in [
        ("<testcase ", "<properties/><testcase "),
        (" tests=\"", " tests=\"-"),
        ("<failure ", "<skipped message=\"x\"/><failure "),
    ] {
        let bad = path.with_extension("bad");
        std::fs::write(&bad, text.replacen(from, to, 1)).unwrap();
        assert!(!lint(&bad).unwrap().status.success(), "{from}");
    }
}

/// Well formed, as a parser of XML says, and with the sums that Jenkins counts by.
fn junit(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let parse = "import sys,xml.etree.ElementTree as e\nfor s in e.parse(sys.argv[1]).getroot():\n n=lambda t:len(s.findall('testcase/'+t))\n assert s.attrib['failures']==str(n('failure')) and s.attrib['skipped']==str(n('skipped')) and s.attrib['errors']==str(n('error'))\n assert int(s.attrib['tests'])==len(s.findall('testcase'))\n assert not [c.tag for c in s.iter() if c.tag not in ('testsuite','testcase','failure','error','skipped','system-out')]\n";
    match Command::new("python3")
        .args(["-c", parse])
        .arg(path)
        .output()
    {
        Err(_) => crate::support::figure("JUnit's XML was not parsed: no python3 here"),
        Ok(out) => assert!(
            out.status.success(),
            "{}\n{text}",
            String::from_utf8_lossy(&out.stderr)
        ),
    }
    assert!(text.contains("<failure type=\"shared-secret\""), "{text}");
}

#[test]
fn one_form_is_printed_and_files_come_whole_or_not_at_all() {
    let lab = lab!(Disk::Own);
    let [web, _] = furnished(&lab);
    let two = [
        "check",
        "--not-a-root",
        "--format",
        "sarif",
        "--format",
        "junit",
        &web.arg(),
    ];
    let out = unify(&two).expect(2);
    assert!(out.stderr.contains("one form is printed"), "{}", out.stderr);
    unify(&["check", "--not-a-root", "--format", "xml", &web.arg()]).expect(2);
    let there = lab.path("old.sarif");
    std::fs::write(&there, "of before").unwrap();
    // A check that cannot be done leaves the report of before.
    let format = format!("sarif={}", there.display());
    unify(&[
        "check",
        "--not-a-root",
        "--golden",
        "nobody",
        "--format",
        &format,
        &web.arg(),
    ])
    .expect(2);
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "of before");
    unify(&["check", "--not-a-root", "--format", &format, &web.arg()]).expect_one_of(&[0, 11]);
    assert!(
        std::fs::read_to_string(&there)
            .unwrap()
            .contains("\"version\":\"2.1.0\"")
    );
    let left: Vec<_> = std::fs::read_dir(lab.path(""))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("part")),
        "{left:?}"
    );
}
