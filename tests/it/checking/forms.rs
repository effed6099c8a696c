//! SARIF, JUnit and the other forms, as services take them: of guests whose names try to be orders.

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
    // The validator bites: what GitHub rejects a whole file for.
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
