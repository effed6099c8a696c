//! The manuals against the code: what we write is valid, what we refuse is not, and the words agree.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::image_plan::image_plan;
use super::receipt;
use super::reflink::{reflink_header, reflinks};
use super::sample::*;
use crate::ledger::{
    Form, IMAGE_PLAN_SCHEMA, IMAGE_PLAN_SCHEMA_ID, PLAN_SCHEMA, PLAN_SCHEMA_ID, RECEIPT_SCHEMA,
};
use crate::model::*;

fn schema(text: &str) -> (Value, Validator) {
    let schema: Value = serde_json::from_str(text).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    (schema, validator)
}

fn sample_plan() -> Value {
    serde_json::from_str(&plan(Form::Document)).unwrap()
}

fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    let errors = validator.iter_errors(value);
    errors
        .map(|e| format!("{}: {e}", e.instance_path))
        .collect()
}

#[test]
fn every_plan_is_valid() {
    let (schema, validator) = schema(PLAN_SCHEMA);
    assert_eq!(schema["$id"], PLAN_SCHEMA_ID);
    assert_eq!(header().schema, PLAN_SCHEMA_ID);
    assert_eq!(errors(&validator, &sample_plan()), [""; 0]);
    let empty = serde_json::from_str(&write(Form::Document, &[])).unwrap();
    assert_eq!(errors(&validator, &empty), [""; 0]);
    let shared = write_with(Form::Document, &reflink_header(), &guests(), &reflinks());
    let mut shared: Value = serde_json::from_str(&shared).unwrap();
    assert_eq!(errors(&validator, &shared), [""; 0]);
    shared["protection"] = sample_plan()["protection"].clone();
    assert!(!validator.is_valid(&shared));
}

#[test]
fn every_note_about_a_root_is_valid() {
    let (_, validator) = schema(PLAN_SCHEMA);
    let text = |text: &str| text.to_owned();
    let notes = vec![
        RootNote::NotARoot { likely: Vec::new() },
        RootNote::NotARoot {
            likely: vec![text("/srv/web1/rootfs")],
        },
        RootNote::NoFiles {},
        RootNote::NoPackageDatabase { had: Vec::new() },
        RootNote::NoPackageDatabase {
            had: vec![text("dpkg")],
        },
        RootNote::HalfDeleted {
            had_files: 9,
            shared_files: 3,
        },
        RootNote::OtherName {
            known_as: guest("web1"),
        },
        RootNote::NameTaken {
            root: "/srv/web2".into(),
        },
        RootNote::ContainerStore {
            manager: text("Docker"),
        },
        RootNote::OverlayLayer {},
        RootNote::OnOverlay {},
        RootNote::InUse { why: text("why") },
    ];
    let written = serde_json::to_value(&notes).unwrap();
    let mut plan = sample_plan();
    plan["guests"][0]["noticed"] = written.clone();
    assert_eq!(errors(&validator, &plan), [""; 0]);
    let again: Vec<RootNote> = serde_json::from_value(written).unwrap();
    assert_eq!(again, notes);
    for bad in [
        json!({"code": "no-files", "unknown": 1}),
        json!({"code": "unknown"}),
        json!({"code": "name-taken"}),
        json!({}),
    ] {
        plan["guests"][0]["noticed"] = json!([bad]);
        assert!(!validator.is_valid(&plan), "{bad}");
        assert!(serde_json::from_value::<RootNote>(bad).is_err());
    }
}

#[test]
fn every_image_plan_is_valid_and_no_other_plan_is() {
    let (schema, validator) = schema(IMAGE_PLAN_SCHEMA);
    assert_eq!(schema["$id"], IMAGE_PLAN_SCHEMA_ID);
    let audit: Value = serde_json::from_str(&image_plan(Form::Document)).unwrap();
    assert_eq!(errors(&validator, &audit), [""; 0]);
    assert!(!validator.is_valid(&sample_plan()));
    let (_, other) = self::schema(PLAN_SCHEMA);
    assert!(!other.is_valid(&audit));
}

/// What the two kinds of plans have in common is described in the same words, but for what is said of `apply`.
#[test]
fn the_manuals_of_both_kinds_agree() {
    let (plan, image) = (schema(PLAN_SCHEMA).0, schema(IMAGE_PLAN_SCHEMA).0);
    let (of_plan, of_image) = (words_of(&plan), words_of(&image));
    let same = |place: &str| {
        let parts = ["/properties/", "/$defs/"].iter();
        let parts = parts.filter_map(|part| place.strip_prefix(part));
        parts.into_iter().all(|name| {
            ![
                "$schema",
                "kind",
                "digest",
                "link",
                "reflink",
                "guest",
                "imageFacts",
            ]
            .contains(&name)
        })
    };
    for (place, value) in of_image.iter().filter(|(place, _)| same(place)) {
        assert_eq!(Some(value), of_plan.get(place), "{place}");
    }
    let gone: Vec<&String> = of_plan
        .keys()
        .filter(|place| !of_image.contains_key(*place))
        .collect();
    let want = [
        "/$defs/before",
        "/$defs/small",
        "/$defs/time",
        "/properties/base",
        "/properties/host",
        "/properties/protection",
        "/properties/sharing",
    ];
    assert_eq!(gone, want);
}

/// The parts of a schema without their descriptions.
fn words_of(schema: &Value) -> BTreeMap<String, Value> {
    let parts = ["properties", "$defs"].into_iter();
    let parts = parts.flat_map(|part| {
        let members = schema[part].as_object().unwrap().iter();
        members.map(move |(name, value)| (format!("/{part}/{name}"), without_descriptions(value)))
    });
    parts.collect()
}

fn without_descriptions(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let rest = map
                .iter()
                .filter(|(key, text)| *key != "description" || !text.is_string());
            rest.map(|(key, value)| (key.clone(), without_descriptions(value)))
                .collect()
        }
        Value::Array(list) => list.iter().map(without_descriptions).collect(),
        other => other.clone(),
    }
}

#[test]
fn an_edited_plan_is_valid() {
    let (_, validator) = schema(PLAN_SCHEMA);
    let held = plan(Form::Document)
        .replace("\"action\":\"link\"", "\"action\":\"skip\"")
        .replace("\"action\":\"flag\"", "\"action\":\"skip\"");
    assert!(read(&held).is_ok());
    assert_eq!(
        errors(&validator, &serde_json::from_str(&held).unwrap()),
        [""; 0]
    );
}

#[test]
fn what_the_reader_refuses_is_invalid() {
    let (_, validator) = schema(PLAN_SCHEMA);
    let remove = |value: &mut Value, key: &str| drop(value.as_object_mut().unwrap().remove(key));
    let mut broken = Vec::new();
    let mut change = |edit: &dyn Fn(&mut Value)| {
        let mut plan = sample_plan();
        edit(&mut plan);
        broken.push(plan);
    };
    for place in [
        "",
        "/base",
        "/policy",
        "/guests/0",
        "/summary/totals",
        "/digest",
    ] {
        change(&|plan| plan.pointer_mut(place).unwrap()["unknown"] = json!(1));
    }
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    // Without its seal a plan is one that was made by hand, and apply asks.
    for key in keys(&sample_plan()).iter().filter(|key| *key != "seal") {
        change(&|plan| remove(plan, key));
    }
    let optional = [
        "also", "path_b64", "makes", "seal", "per", "package", "size",
    ];
    for i in [0, 1, 2] {
        change(&|plan| plan["actions"][i]["unknown"] = json!(1));
        change(&|plan| plan["actions"][i]["action"] = json!("delete"));
        let required = keys(&sample_plan()["actions"][i]);
        let required = required
            .iter()
            .filter(|key| i == 1 && *key == "size" || !optional.contains(&key.as_str()));
        for key in required {
            change(&|plan| remove(&mut plan["actions"][i], key));
        }
    }
    for key in keys(&sample_plan()["actions"][1]["before"]) {
        change(&|plan| remove(&mut plan["actions"][1]["before"], &key));
    }
    assert!(broken.len() > 40);
    for plan in broken {
        assert!(!validator.is_valid(&plan), "{plan:#}");
        assert!(read(in_order(&plan)).is_err(), "{plan:#}");
    }
}

/// The text of a plan with its parts in order: [`Value`] sorts them.
fn in_order(plan: &Value) -> String {
    let parts = ["guests", "actions", "summary", "digest"];
    let members = plan.as_object().unwrap().iter();
    let mut members: Vec<_> = members.map(|(key, value)| (key.as_str(), value)).collect();
    members.sort_by_key(|(key, _)| {
        parts
            .iter()
            .position(|part| part == key)
            .map_or(0, |i| i + 1)
    });
    let texts: Vec<String> = members
        .iter()
        .map(|(k, v)| format!("\"{k}\":{v}"))
        .collect();
    format!("{{{}}}", texts.join(","))
}

#[test]
fn a_plan_put_in_order_is_read() {
    assert!(read(in_order(&sample_plan())).is_ok());
}

#[test]
fn the_reasons_are_those_of_the_model() {
    let (schema, _) = schema(PLAN_SCHEMA);
    let words = |name: &str| -> BTreeSet<String> {
        let words = schema["$defs"][name]["enum"].as_array().unwrap();
        words
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let codes = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(
        words("skipReason"),
        codes(SkipReason::ALL.iter().map(|r| r.code()).collect())
    );
    assert_eq!(
        words("linkReason"),
        codes(LinkReason::ALL.iter().map(|r| r.code()).collect())
    );
    assert_eq!(
        words("flagReason"),
        codes(FlagReason::ALL.iter().map(|r| r.code()).collect())
    );
}

#[test]
fn every_line_of_a_receipt_is_valid() {
    let (_, validator) = schema(RECEIPT_SCHEMA);
    let text = String::from_utf8(receipt::text()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), receipt::lines().len() + 2);
    for line in lines {
        assert_eq!(errors(&validator, &line), [""; 0], "{line:#}");
        let mut more = line.clone();
        more["unknown"] = json!(1);
        assert!(!validator.is_valid(&more));
        for (key, _) in line
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| *key != "made")
        {
            let mut fewer = line.clone();
            fewer.as_object_mut().unwrap().remove(key);
            // Blocks that were given back by the disk alone have no digest, those of hard links are never without.
            let of_reflink =
                line["method"] == "reflink" && ["size", "content", "left"].contains(&key.as_str());
            let optional = of_reflink
                || ["mtime", "also", "path_b64", "check", "size"].contains(&key.as_str());
            assert_eq!(
                validator.is_valid(&fewer),
                optional,
                "without {key}: {line:#}"
            );
        }
    }
}

#[test]
fn the_codes_of_refusals_are_those_of_the_model() {
    let (schema, _) = schema(RECEIPT_SCHEMA);
    let shapes = schema["$defs"]["refusal"]["oneOf"].as_array().unwrap();
    let codes: BTreeSet<&str> = shapes
        .iter()
        .flat_map(|shape| words(&shape["properties"]["code"]))
        .collect();
    let want: BTreeSet<&str> = RefusalKind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(codes, want);
    for shape in shapes {
        let fields = words(&shape["properties"]["fields"]["items"]);
        let want: Vec<&str> = Moved::ALL.iter().map(|moved| moved.code()).collect();
        assert!(fields.is_empty() || fields == want, "{fields:?}");
    }
}

/// What a value may be: one word, or one of several.
fn words(schema: &Value) -> Vec<&str> {
    let several = schema["enum"].as_array().into_iter().flatten();
    let all = several.chain(schema.get("const"));
    all.filter_map(Value::as_str).collect()
}
