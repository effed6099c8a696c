//! Every answer of the program is held against its schema, and an answer of a kind that has none is a failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;

/// Lines of a long list that are looked at: those that follow are made by the same code.
const MOST_LINES: usize = 500;

/// Fails unless standard output is no answer, or one that its schema allows.
#[track_caller]
pub fn assert_answers(args: &str, stdout: &[u8]) {
    if !stdout.starts_with(b"{\"kind\":\"unify.") {
        return;
    }
    // A plan or receipt in JSON Lines is no answer.
    let Ok(mut answer) = serde_json::from_slice::<Value>(stdout) else {
        return;
    };
    shorten(&mut answer);
    let wrong = wrong_with(&answer);
    assert!(
        wrong.is_empty(),
        "unify {args}: its answer breaks the schema:\n{}",
        wrong.join("\n")
    );
}

/// What is wrong with an answer by the schema of its kind: place and fact.
pub fn wrong_with(answer: &Value) -> Vec<String> {
    let kind = answer["kind"].as_str().unwrap_or_default();
    let Some((path, schema)) = schemas().get(kind) else {
        return vec![format!("no schema describes answers of kind {kind}")];
    };
    static COMPILED: Mutex<BTreeMap<PathBuf, jsonschema::Validator>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || jsonschema::validator_for(schema).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let validator = compiled.entry(path.clone()).or_insert_with(compile);
    let errors = validator.iter_errors(answer).take(10);
    errors
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

/// Schemas by the kinds that they describe.
pub fn schemas() -> &'static BTreeMap<String, (PathBuf, Value)> {
    static SCHEMAS: OnceLock<BTreeMap<String, (PathBuf, Value)>> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let mut all = BTreeMap::new();
        for folder in ["schemas", "schemas/answers"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            let entries = std::fs::read_dir(&folder).expect("the folder of schemas");
            let paths = entries.map(|entry| entry.expect("an entry").path());
            for path in paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            {
                let text = std::fs::read(&path).expect("a schema");
                let schema: Value =
                    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
                for kind in kinds(&schema) {
                    let twice = all.insert(kind, (path.clone(), schema.clone()));
                    assert!(
                        twice.is_none(),
                        "{path:?} describes what another schema does"
                    );
                }
            }
        }
        all
    })
}

/// What may stand as `kind` in what a schema describes.
fn kinds(schema: &Value) -> Vec<String> {
    let kind = &schema["properties"]["kind"];
    let several = kind["enum"].as_array().into_iter().flatten();
    let all = several
        .chain(Some(&kind["const"]))
        .filter_map(Value::as_str);
    all.map(str::to_owned).collect()
}

fn shorten(value: &mut Value) {
    match value {
        Value::Array(list) => {
            list.truncate(MOST_LINES);
            list.iter_mut().for_each(shorten);
        }
        Value::Object(map) => map.values_mut().for_each(shorten),
        _ => {}
    }
}
