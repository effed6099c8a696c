//! Makes plans, checks every one of them against the schema, and reads them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use serde_json::Value;

use super::{Guest, Lab, Out, unify};

/// A plan on disk, and what is in it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub path: PathBuf,
    pub json: Value,
}

impl Lab {
    /// Plans for these guests; fails unless the exit code is 0 and the plan is valid.
    #[track_caller]
    pub fn plan(&self, guests: &[&Guest], options: &[&str]) -> Planned {
        let (out, plan) = self.try_plan(guests, options);
        out.expect(0);
        plan.expect("a plan")
    }

    /// The same, for runs that may say 3 (something could not be read) or more.
    #[track_caller]
    pub fn try_plan(&self, guests: &[&Guest], options: &[&str]) -> (Out, Option<Planned>) {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let path = self.path(&format!(
            "plan-{}.json",
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        let mut args: Vec<OsString> = vec!["plan".into(), "--base".into(), self.base().into()];
        args.extend(["-o".into(), path.clone().into()]);
        args.extend(options.iter().map(OsString::from));
        if !options.contains(&"--protect") && !self.flag_holds_against_all() {
            // `auto` takes no flag that leaves a writer who was there before.
            args.extend(["--protect", "immutable"].map(OsString::from));
        }
        args.extend(guests.iter().map(|guest| OsString::from(guest.arg())));
        let out = unify(&args);
        let plan = path.exists().then(|| Planned::read(&path));
        (out, plan)
    }

    /// `unify COMMAND --base BASE OPTIONS`
    pub fn on_base(&self, command: &str, options: &[&str]) -> Out {
        let base = self.base();
        let args = [command, "--base", base.to_str().unwrap()];
        unify(&[&args[..], options].concat())
    }
}

impl Planned {
    /// Reads and validates a plan.
    #[track_caller]
    pub fn read(path: &Path) -> Planned {
        let text = std::fs::read_to_string(path).unwrap();
        let json =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path:?} is not JSON: {e}"));
        let errors = validate(&json);
        assert!(
            errors.is_empty(),
            "{path:?} breaks the schema:\n{}",
            errors.join("\n")
        );
        Planned {
            path: path.to_owned(),
            json,
        }
    }

    /// Lines of one kind of action.
    pub fn actions(&self, kind: &str) -> Vec<&Value> {
        let all = self.json["actions"].as_array().expect("actions");
        all.iter()
            .filter(|action| action["action"] == kind)
            .collect()
    }

    /// The link line that exchanges this name.
    pub fn link(&self, guest: &str, path: impl AsRef<[u8]>) -> Option<&Value> {
        let path = path.as_ref();
        let holds = |link: &&Value| {
            link["guest"] == guest && names_of(link).iter().any(|name| name == path)
        };
        self.actions("link").into_iter().find(holds)
    }

    /// The skip line of exactly this name.
    pub fn skip(&self, guest: &str, path: impl AsRef<[u8]>) -> Option<&Value> {
        let path = path.as_ref();
        let holds = |skip: &&Value| skip["guest"] == guest && bytes_of(skip) == path;
        self.actions("skip").into_iter().find(holds)
    }

    /// Every name that the plan would link, with its guest.
    pub fn names(&self) -> Vec<(String, Vec<u8>)> {
        let links = self.actions("link").into_iter();
        let named = |link: &Value| {
            let guest = link["guest"].as_str().unwrap().to_owned();
            names_of(link)
                .into_iter()
                .map(move |name| (guest.clone(), name))
                .collect::<Vec<_>>()
        };
        links.flat_map(named).collect()
    }

    /// `unify apply --yes` of this plan.
    pub fn apply(&self) -> Out {
        unify(&["apply".as_ref(), "--yes".as_ref(), self.path.as_os_str()])
    }

    /// `unify verify` of this plan.
    pub fn verify(&self) -> Out {
        unify(&["verify".as_ref(), self.path.as_os_str()])
    }

    /// The bytes that `unify show` promises to free.
    pub fn promised(&self) -> u64 {
        let args = ["show", "--format", "json"].map(AsRef::as_ref);
        let shown = unify(&[&args[..], &[self.path.as_os_str()]].concat())
            .expect(0)
            .json();
        let totals = find(&shown, "totals").expect("`show` has totals");
        totals["saves"].as_u64().expect("totals have `saves`")
    }
}

/// What is wrong with a plan by the schema of its kind: place and fact.
pub fn validate(plan: &Value) -> Vec<String> {
    static PLAN: OnceLock<jsonschema::Validator> = OnceLock::new();
    static IMAGE_PLAN: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = match plan["kind"].as_str() {
        Some("unify.image-plan") => IMAGE_PLAN.get_or_init(|| schema("image-plan-1")),
        _ => PLAN.get_or_init(|| schema("plan-1")),
    };
    let errors = schema.iter_errors(plan).take(10);
    errors
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

/// One of `schemas/`.
pub(super) fn schema(name: &str) -> jsonschema::Validator {
    let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// All names of a link line.
fn names_of(link: &Value) -> Vec<Vec<u8>> {
    let also = link["also"].as_array().into_iter().flatten();
    std::iter::once(link).chain(also).map(bytes_of).collect()
}

/// The bytes of the path of a line.
pub fn bytes_of(line: &Value) -> Vec<u8> {
    match line["path_b64"].as_str() {
        Some(text) => base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap(),
        None => line["path"]
            .as_str()
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
    }
}

/// The first value with this key, at any depth.
fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map
            .get(key)
            .or_else(|| map.values().find_map(|v| find(v, key))),
        Value::Array(list) => list.iter().find_map(|v| find(v, key)),
        _ => None,
    }
}

/// Every string in a value: keys left out.
pub fn strings_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(strings_in).collect(),
        Value::Object(map) => map.values().flat_map(strings_in).collect(),
        _ => Vec::new(),
    }
}
