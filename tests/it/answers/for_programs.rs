//! Answers for programs: one object on standard output whatever happens, and one type for one key.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{BIN, Disk, File, schemas, unify, wrong_with};

/// A run that does not do all tells of every action in JSON, and what may come next can be run as it is.
#[test]
fn refusals_are_whole_in_json_and_next_is_a_command() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins_of(30);
    let plan = lab.plan(&[&web, &db], &[]);
    for n in 0..25 {
        web.put(format!("/usr/f{n:02}"), &File::new("changed"));
    }
    let out = unify(&["apply", "--yes", "--json", plan.path.to_str().unwrap()]).expect(4);
    let answer = out.json();
    let refusals = answer["refusals"].as_array().unwrap();
    let changed = refusals
        .iter()
        .filter(|one| one["code"] == "changed" && one["guest"] == "web");
    assert_eq!(changed.count(), 25, "{answer}");
    assert!(
        out.stderr.contains("more; the receipt"),
        "text is cut: {}",
        out.stderr
    );
    let step = &answer["next"][0];
    let words: Vec<&str> = step["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(words[..2], ["unify", "plan"]);
    let next = Command::new(BIN)
        .args(&words[1..])
        .current_dir(lab.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        next.status.success(),
        "{words:?}\n{}",
        String::from_utf8_lossy(&next.stderr)
    );
    assert!(lab.path("new-plan.json").exists());
}

#[test]
fn every_answer_has_a_schema_that_is_listed_and_closed() {
    let list = unify(&["schema", "--json"]).expect(0).json();
    let listed: BTreeSet<&str> = list["schemas"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["kinds"].as_array().unwrap())
        .map(|kind| kind.as_str().unwrap())
        .collect();
    let said = unify(&["schema"]).expect(0).stdout;
    for (kind, (path, schema)) in schemas() {
        assert!(
            listed.contains(kind.as_str()) || kind == "unify.totals",
            "{kind} is not listed"
        );
        assert!(jsonschema::meta::is_valid(schema), "{path:?}");
        let mut open = Vec::new();
        closed(schema, "", &mut open);
        assert!(
            open.is_empty(),
            "{path:?} leaves open or undescribed: {open:?}"
        );
    }
    for one in list["schemas"].as_array().unwrap() {
        let name = one["name"].as_str().unwrap();
        assert!(
            said.contains(&format!("  {name} ")),
            "{name} is listed for people"
        );
        let printed = unify(&["schema", name]).expect(0).json();
        assert_eq!(
            printed["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{name}"
        );
    }
    let stranger = serde_json::json!({"kind": "unify.stranger"});
    assert!(
        !wrong_with(&stranger).is_empty(),
        "a kind without a schema is wrong"
    );
    let more = serde_json::json!({"kind": "unify.no-base", "more": 1});
    assert!(
        !wrong_with(&more).is_empty(),
        "a key that no schema has is wrong"
    );
    unify(&["schema", "no-such"]).expect(2);
}

/// Objects with properties that allow others.
fn closed(schema: &Value, at: &str, open: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            let is_object =
                map.get("properties").is_some_and(Value::is_object) && map.get("type").is_some();
            if is_object && map.get("additionalProperties") != Some(&Value::Bool(false)) {
                open.push(at.to_owned());
            }
            map.iter()
                .for_each(|(key, value)| closed(value, &format!("{at}/{key}"), open));
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(n, value)| closed(value, &format!("{at}/{n}"), open)),
        _ => {}
    }
}

/// What has two shapes in plans, whose form is older; and who says a rule, which is no file whose blocks are shared.
const OLD: &[&str] = &["all", "files", "guests", "objects", "skips", "source"];

/// `skipped` is not a list here and an object there.
#[test]
fn a_key_has_one_type_in_all_answers_and_papers() {
    let mut types: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (path, schema) in schemas().values() {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        properties(schema, schema, &mut |key, kind| {
            types
                .entry(key.to_owned())
                .or_default()
                .entry(kind)
                .or_insert_with(|| file.clone());
        });
    }
    types.retain(|key, kinds| kinds.len() > 1 && !OLD.contains(&key.as_str()));
    assert!(types.is_empty(), "{types:#?}");
}

fn properties(top: &Value, schema: &Value, each: &mut impl FnMut(&str, String)) {
    if let Some(map) = schema.as_object() {
        let own = map
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        for (key, value) in own {
            if let Some(kind) = type_of(top, value) {
                each(key, kind);
            }
        }
        map.values().for_each(|value| properties(top, value, each));
    }
    if let Some(list) = schema.as_array() {
        list.iter().for_each(|value| properties(top, value, each));
    }
}

/// The type of a value, null aside; `None` where the schema only narrows what it says elsewhere.
fn type_of(top: &Value, schema: &Value) -> Option<String> {
    let map = schema.as_object()?;
    if let Some(to) = map.get("$ref").and_then(Value::as_str) {
        return type_of(top, top.pointer(to.strip_prefix('#')?)?);
    }
    if let Some(kind) = map.get("type").and_then(Value::as_str) {
        return Some(kind.to_owned()).filter(|kind| kind != "null");
    }
    let first = map.get("const").or_else(|| map.get("enum")?.get(0));
    if let Some(first) = first {
        return Some(
            match first {
                Value::String(_) => "string",
                Value::Bool(_) => "boolean",
                _ => "integer",
            }
            .to_owned(),
        );
    }
    let choices = map.get("anyOf").or_else(|| map.get("oneOf"))?.as_array()?;
    choices.iter().find_map(|one| type_of(top, one))
}
