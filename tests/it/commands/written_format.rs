//! The schemas of `schemas/` describe what the program writes: the examples fit them, and the program refuses the plans
//! that they refuse.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Disk, File, content, unify, validate};

fn top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every JSON file of a directory; at least one.
fn json_files(dir: &str) -> Vec<(PathBuf, Value)> {
    let entries = std::fs::read_dir(top(dir)).unwrap_or_else(|e| panic!("{dir}: {e}"));
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{dir} is empty");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        (path, json)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn the_examples_are_plans() {
    for (path, plan) in json_files("examples/plans") {
        assert_eq!(validate(&plan), [""; 0], "{path:?}");
        let shown = unify(&["show".as_ref(), "--lines".as_ref(), path.as_os_str()]).expect(0);
        assert!(!shown.stdout.is_empty());
    }
}

#[test]
fn the_program_prints_its_schemas() {
    for (name, file) in [
        ("plan", "schemas/plan-1.schema.json"),
        ("image-plan", "schemas/image-plan-1.schema.json"),
        ("receipt", "schemas/receipt-1.schema.json"),
    ] {
        let printed = unify(&["schema", name]).expect(0).stdout;
        assert!(
            printed == std::fs::read_to_string(top(file)).unwrap(),
            "unify schema {name} is not {file}"
        );
        let schema = serde_json::from_str(&printed).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{file} is no schema");
    }
}

/// The same faults in an example, so that the schema is tested where the program cannot run.
#[test]
fn the_schema_refuses_bad_plans() {
    let text = std::fs::read_to_string(top("examples/plans/two-guests.json")).unwrap();
    let faults = json_files("tests/data/bad-plans").into_iter();
    let valid = faults.filter(|(_, fault)| {
        let bad = serde_json::from_str(&with_fault(&text, fault)).unwrap();
        validate(&bad).is_empty()
    });
    let valid: Vec<_> = valid.map(|(name, _)| name).collect();
    assert!(valid.is_empty(), "valid by the schema: {valid:?}");
}

/// Each file in `tests/data/bad-plans` names a kind of line, a place in it (a JSON pointer), and the value put there;
/// without a value the place is removed. The rest of the plan is as the program made it, so that nothing else is wrong.
#[test]
fn schema_and_program_refuse_the_same_plans() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ]);
    let plan = lab.plan(
        &[&web, &db],
        &[
            "--protect",
            "immutable",
            "--exclude",
            "/usr/b",
            "--skips",
            "all",
        ],
    );
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let path = lab.path("bad.json");
    for (name, fault) in json_files("tests/data/bad-plans") {
        let bad = with_fault(&text, &fault);
        assert_ne!(
            validate(&serde_json::from_str(&bad).unwrap()),
            [""; 0],
            "{name:?} is valid by the schema"
        );
        std::fs::write(&path, bad).unwrap();
        unify(&[
            "apply".as_ref(),
            "--yes".as_ref(),
            "--accept-edits".as_ref(),
            path.as_os_str(),
        ])
        .expect(5);
        assert_eq!(lab.objects().len(), 0, "{name:?}: nothing is done");
    }
    plan.apply().expect(0);
}

/// The plan with the first line of a kind changed.
fn with_fault(text: &str, fault: &Value) -> String {
    let kind = format!("{{\"action\":\"{}\"", fault["line"].as_str().expect("line"));
    let line = text
        .lines()
        .find(|line| line.starts_with(&kind))
        .unwrap_or_else(|| panic!("no line {kind}"));
    let (bare, comma) = line
        .strip_suffix(',')
        .map_or((line, ""), |bare| (bare, ","));
    let mut value: Value = serde_json::from_str(bare).unwrap();
    let (parent, key) = fault["at"].as_str().expect("at").rsplit_once('/').unwrap();
    let object = value
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("an object");
    match fault.get("value") {
        Some(new) => drop(object.insert(key.to_owned(), new.clone())),
        None => assert!(
            object.remove(key).is_some(),
            "{key} is not there to be removed"
        ),
    }
    text.replacen(line, &format!("{value}{comma}"), 1)
}
