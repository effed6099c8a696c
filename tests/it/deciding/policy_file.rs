//! A policy file carries the choices that a plan is made by, and the plan records them.

use std::path::Path;

use serde_json::json;

use crate::support::{Disk, File, Guest, Lab, content, make_fifo, unify};

fn furnished(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[
        ("/usr/bin/root-tool", File::new(content(1)).mode(0o4755)),
        ("/usr/share/a.pyc", File::new(content(2))),
        ("/usr/share/small", File::new("small")),
        ("/usr/share/f", File::new(content(3))),
    ])
}

fn policy(lab: &Lab, text: &str) -> String {
    let path = lab.path("policy.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_policy_file_decides_and_is_recorded() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let text = "min-size = 100\nallow = [\"privileged\"]\nobjects = \"copy\"\n\n[[pattern]]\nexclude = \"*.pyc\"\nreason = \"made on the spot\"\n";
    let file = policy(&lab, text);
    let plan = lab.plan(&[&web, &db], &["--policy", &file]);
    assert!(
        plan.link("web", "/usr/bin/root-tool").is_some(),
        "the rule is off"
    );
    let skip = plan.skip("web", "/usr/share/a.pyc").unwrap();
    assert_eq!(
        (&skip["reason"], &skip["per"]),
        (&json!("excluded"), &json!(format!("{file}:5")))
    );
    assert!(plan.link("web", "/usr/share/small").is_none());
    let said = &plan.json["policy"];
    assert_eq!(said["file"]["path"], json!(file));
    assert_eq!(
        (&said["min_size"], &said["objects"]),
        (&json!(100), &json!("copy"))
    );

    // What is typed wins; lists are united.
    let options = [
        "--policy",
        &file,
        "--min-size",
        "0",
        "--objects",
        "adopt",
        "--include",
        "*.pyc",
    ];
    let plan = lab.plan(&[&web, &db], &options);
    assert!(plan.link("web", "/usr/share/small").is_some());
    assert!(
        plan.link("web", "/usr/share/a.pyc").is_some(),
        "the include came first"
    );
    assert_eq!(plan.json["policy"]["objects"], "adopt");
    plan.apply().expect(0);
}

#[test]
fn a_mistake_is_named_and_no_plan_is_written() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let ended = "\n[[pattern]]\nexclude = \"x\"\nreason = \"y\"\nuntil = \"2020-01-01\"\n";
    for (text, want) in [
        ("min_size = 3\n", "policy.toml:1: unknown key"),
        (ended, "policy.toml:2: this exception ended"),
        ("protect = \"none\"\n", "policy.toml:1: none cannot stand"),
        (
            "[package-databases-of]\nnobody = \"ignore\"\n",
            "no guest of this plan",
        ),
    ] {
        let file = policy(&lab, text);
        let (out, plan) = lab.try_plan(&[&web, &db], &["--policy", &file]);
        let out = out.expect(2);
        assert!(out.stderr.contains(want), "{want}: {}", out.stderr);
        assert!(plan.is_none(), "no plan is written");
    }
    let fifo = lab.path("fifo");
    make_fifo(&fifo);
    for file in ["/no/such/file", fifo.to_str().unwrap(), "/dev/zero"] {
        for option in ["--policy", "--exclude-from"] {
            lab.try_plan(&[&web, &db], &[option, file]).0.expect(1);
        }
    }
}

/// The example has every key, and its defaults change nothing but its patterns.
#[test]
fn the_example_is_true() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policy.toml");
    let text = std::fs::read_to_string(&example).unwrap();
    for key in unify::internals::KEYS {
        let starts = [
            format!("{key} = "),
            format!("[{key}]"),
            format!("[[{key}]]"),
        ];
        let there = |line: &str| starts.iter().any(|start| line.starts_with(start));
        assert!(text.lines().any(there), "{key} is not in the example");
    }
    let with = lab.plan(&[&web, &db], &["--policy", example.to_str().unwrap()]);
    let without = lab.plan(&[&web, &db], &[]);
    assert_eq!(
        with.json["digest"]["content"],
        without.json["digest"]["content"]
    );
    assert_eq!(with.json["policy"]["patterns"].as_array().unwrap().len(), 2);
    unify(&["show", with.path.to_str().unwrap()]).expect(0);
}
