//! What earlier programs wrote is read by this one, and by all later ones: bases, receipts, journals, plans, memories.
//!
//! `tests/data/old-base` has a disk that an earlier program left, and what that program said of it; its `make.sh` tells
//! how both came about. The disk is mounted where it was made, as the device that it was, on a machine with the same
//! identity: device and inode numbers, times and paths are what the papers say, so that the program under test takes it
//! for its own. It must then give the same answers (more facts are welcome, others are not), heal what was cut,
//! apply what was planned, and give every guest its files back.

mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Listing, assert_same, unify};
use disk::OldDisk;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/old-base");

/// A base with its guests, and what this program says of it.
struct Scene<'a> {
    disk: &'a OldDisk,
    name: String,
    /// Runs of the earlier program.
    runs: BTreeSet<String>,
    told: Vec<Value>,
}

impl<'a> Scene<'a> {
    /// The scenes whose names begin so.
    fn all(disk: &'a OldDisk, kind: &str) -> Vec<Scene<'a>> {
        let mut names: Vec<String> = std::fs::read_dir(disk.host(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(kind))
            .collect();
        names.sort();
        assert!(!names.is_empty(), "no scene of {kind}");
        names
            .into_iter()
            .map(|name| Scene::new(disk, name))
            .collect()
    }

    fn new(disk: &'a OldDisk, name: String) -> Scene<'a> {
        let runs = std::fs::read_dir(disk.host(format!("{name}/guests/.unify/runs"))).unwrap();
        let runs = runs.map(|run| run.unwrap().file_name().into_string().unwrap());
        Scene {
            runs: runs.collect(),
            told: Vec::new(),
            disk,
            name,
        }
    }

    fn path(&self, path: &str) -> String {
        format!("/mnt/{}/{path}", self.name)
    }

    /// Asks, and keeps the answer.
    fn ask(&mut self, args: &[&str]) -> Value {
        let out = self.disk.unify(args);
        let mut answer = serde_json::from_str(&out.stdout).unwrap_or(Value::Null);
        level(&mut answer, &self.runs);
        let told = json!({"asked": args.join(" "), "code": out.code, "answer": answer});
        self.told.push(told);
        // For whoever looks at a failure.
        eprint!("{}", out.stderr);
        self.told.last().unwrap()["answer"].clone()
    }

    /// The same of a command of the base.
    fn of_base(&mut self, command: &str, more: &[&str]) -> Value {
        let base = self.path("guests/.unify");
        let args = [command, "--json", "--base", &base];
        self.ask(&[&args[..], more].concat())
    }

    /// Takes all back, and looks whether every guest has what it had.
    fn give_back(&mut self) {
        self.of_base("undo", &["--run", "all", "--yes"]);
        self.of_base("gc", &[]);
        let own = format!("{}/were", self.name);
        let were = if self.disk.host(&own).exists() {
            own
        } else {
            "were".to_owned()
        };
        for guest in ["a", "b", "c"] {
            let listing = |at: &str| {
                let top = self.disk.host(format!("{at}/{guest}"));
                Listing::of(&top).without_directory_times()
            };
            let (before, after) = (listing(&were), listing(&format!("{}/guests", self.name)));
            assert_same(&before, &after, &format!("guest {guest} of {}", self.name));
        }
        let staging = self
            .disk
            .host(format!("{}/guests/.unify/staging", self.name));
        assert_eq!(
            std::fs::read_dir(staging).unwrap().count(),
            0,
            "{}",
            self.name
        );
    }
}

/// What a new run is called says when it ran, as it does itself; and sentences for people may be put better.
fn level(value: &mut Value, old: &BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let words: Vec<&str> = text.split(' ').collect();
            let words = words
                .iter()
                .map(|word| match is_run(word) && !old.contains(*word) {
                    true => format!("NEW{}", &word[16..]),
                    false => (*word).to_owned(),
                });
            *text = words.collect::<Vec<_>>().join(" ");
        }
        Value::Array(list) => list.iter_mut().for_each(|value| level(value, old)),
        Value::Object(map) => {
            map.retain(|key, _| !["next", "sentence"].contains(&key.as_str()));
            map.values_mut().for_each(|value| level(value, old));
            let run = map.get("run").and_then(Value::as_str);
            if run.is_some_and(|run| run.starts_with("NEW")) && map.contains_key("started") {
                map.insert("started".into(), "NOW".into());
            }
        }
        _ => {}
    }
}

fn is_run(text: &str) -> bool {
    text.len() == 25 && text.is_ascii() && text.as_bytes()[15..17] == *b"Z-"
}

/// Answers, by scene.
type Told = BTreeMap<String, Vec<Value>>;

/// Fails where an answer of the earlier program is not given any more. What is given now lies where the message says.
#[track_caller]
fn compare(name: &str, told: &Told) {
    let now = Path::new(env!("CARGO_TARGET_TMPDIR")).join("old-base");
    std::fs::create_dir_all(&now).unwrap();
    let now = now.join(format!("{name}.json"));
    let scene = |(scene, answers): (&String, &Vec<Value>)| {
        let lines: Vec<String> = answers.iter().map(Value::to_string).collect();
        format!("\"{scene}\": [\n{}\n]", lines.join(",\n"))
    };
    let scenes: Vec<String> = told.iter().map(scene).collect();
    std::fs::write(&now, format!("{{\n{}\n}}\n", scenes.join(",\n"))).unwrap();
    let path = Path::new(DATA).join(format!("told/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let wanted: Value = serde_json::from_str(&text).unwrap();
    let mut lacks = String::new();
    missing(&wanted, &json!(told), "", &mut lacks);
    assert!(lacks.is_empty(), "{name}, now as in {now:?}:\n{lacks}");
}

/// Facts of `wanted` that are not in `found`. Objects may have more.
fn missing(wanted: &Value, found: &Value, at: &str, lacks: &mut String) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, wanted) in wanted {
                let found = found.get(key).unwrap_or(&Value::Null);
                missing(wanted, found, &format!("{at}/{key}"), lacks);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (i, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                missing(wanted, found, &format!("{at}/{i}"), lacks);
            }
        }
        _ if wanted == found => {}
        _ => writeln!(lacks, "{at}: was {wanted}, is {found}").unwrap(),
    }
}

/// The old disk, or a test skipped aloud.
macro_rules! old_disk {
    () => {
        match OldDisk::mount() {
            Ok(disk) => disk,
            Err(why) => skip!("{why}"),
        }
    };
}

#[test]
fn a_base_of_an_earlier_program_is_known_and_undone() {
    let (disk, mut told) = (old_disk!(), Told::new());
    for mut scene in Scene::all(&disk, "settled") {
        let status = scene.of_base("status", &[]);
        assert!(!status["runs"].as_array().unwrap().is_empty());
        // The base remembers that they were read.
        let fresh = scene.of_base("verify", &["--since", "2026-11-01"]);
        assert_eq!(fresh["fresh"], status["objects"]);
        scene.of_base("verify", &[]);
        for plan in ["second.jsonl.zst", "third.json"] {
            let plan = scene.path(plan);
            scene.ask(&["verify", "--json", &plan]);
        }
        scene.of_base("recover", &[]);
        let runs: Vec<String> = scene.runs.iter().cloned().collect();
        for run in &runs[1..] {
            scene.of_base("undo", &["--yes", "--run", run]);
        }
        scene.of_base("status", &[]);
        scene.give_back();
        told.insert(scene.name, scene.told);
    }
    compare("settled", &told);
}

#[test]
fn what_an_earlier_program_left_half_done_is_healed() {
    let (disk, mut told) = (old_disk!(), Told::new());
    for kind in ["apply-", "undo-", "recover-", "aside"] {
        for mut scene in Scene::all(&disk, kind) {
            scene.of_base("status", &[]);
            scene.of_base("recover", &[]);
            scene.of_base("recover", &[]);
            scene.of_base("status", &[]);
            scene.of_base("verify", &[]);
            scene.give_back();
            told.insert(scene.name, scene.told);
        }
    }
    compare("cut", &told);
}

#[test]
fn a_plan_of_an_earlier_program_is_applied() {
    let (disk, mut told) = (old_disk!(), Told::new());
    for mut scene in Scene::all(&disk, "planned-") {
        let form = scene.name.strip_prefix("planned-").unwrap().to_owned();
        let plan = scene.path(&format!("plan.{form}"));
        scene.ask(&["verify", "--json", &plan]);
        scene.ask(&["explain", "--json", "--plan", &plan, "b:/usr/share/near"]);
        let applied = scene.ask(&["apply", "--yes", "--json", &plan]);
        assert_eq!(applied["totals"]["refused"], 0, "{applied}");
        assert_ne!(applied["totals"]["done"], 0, "{applied}");
        scene.ask(&["verify", "--json", &plan]);
        scene.of_base("status", &[]);
        scene.give_back();
        told.insert(scene.name, scene.told);
    }
    compare("planned", &told);
}

/// The choices of a policy file mean what they meant.
#[test]
fn a_policy_of_an_earlier_time_is_understood() {
    let disk = old_disk!();
    let old = disk.host("planned-json/plan.json");
    let old: Value = serde_json::from_str(&std::fs::read_to_string(old).unwrap()).unwrap();
    let (policy, plan) = (
        "/mnt/planned-json/policy.toml",
        "/mnt/planned-json/new.json",
    );
    let guests = ["a", "b", "c"].map(|name| format!("/mnt/planned-json/guests/{name}"));
    let mut args = vec![
        "plan",
        "--policy",
        policy,
        "--exclude",
        "/usr/none/**",
        "-o",
        plan,
    ];
    args.extend(guests.iter().map(String::as_str));
    disk.unify(&args).expect(0);
    let new = std::fs::read_to_string(disk.host("planned-json/new.json")).unwrap();
    let new: Value = serde_json::from_str(&new).unwrap();
    let mut lacks = String::new();
    missing(&old["policy"], &new["policy"], "policy", &mut lacks);
    assert!(lacks.is_empty(), "{lacks}");
}

/// What an earlier plan has read is not read again, and what this one remembers has the same form.
#[test]
fn what_an_earlier_plan_remembered_is_believed() {
    let disk = old_disk!();
    let cache = disk.host("settled/guests/.unify/cache");
    let paper = cache.join("digests");
    let old = std::fs::read(&paper).unwrap();
    let reads = |more: &[&str]| {
        let trace = disk.host("trace");
        std::fs::remove_file(&trace).ok();
        let guests = ["a", "b", "c"].map(|name| format!("/mnt/settled/guests/{name}"));
        let mut args = vec!["plan", "--ignore", "mtime", "-o", "/mnt/new.json"];
        args.extend(more.iter().chain(&guests.each_ref().map(String::as_str)));
        disk.unify_with(&[("UNIFY_FAULT_TRACE", "/mnt/trace")], &args)
            .expect(0);
        let calls = std::fs::read_to_string(&trace).unwrap_or_default();
        calls.lines().filter(|call| *call == "read").count()
    };
    let (with, without) = (reads(&[]), reads(&["--no-cache"]));
    assert!(
        std::fs::read(&paper).unwrap() == old,
        "the paper was made anew"
    );
    if cfg!(feature = "faults") {
        assert!(with < without, "{with} reads, {without} without the cache");
    }
    std::fs::remove_dir_all(cache).unwrap();
    reads(&[]);
    assert!(std::fs::read(&paper).unwrap() == old, "of another form");
}

/// The papers that lie beside the disk are those on it: other tests read them without one.
#[test]
fn the_papers_are_those_of_the_disk() {
    let disk = old_disk!();
    let top = Path::new(DATA).join("papers");
    let list = |dir: &Path| {
        let entries = std::fs::read_dir(dir).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    };
    let mut seen = 0;
    // Those with every word that there is were never on a disk.
    for scene in list(&top).into_iter().filter(|scene| scene != "every") {
        for name in list(&top.join(&scene)) {
            let on_disk = match name.split_once('.') {
                // Of the run with this count.
                Some((run, paper)) if run.len() == 8 => {
                    let runs = format!("{scene}/guests/.unify/runs");
                    let all = list(&disk.host(&runs));
                    let dir = all.iter().find(|dir| dir.ends_with(run)).unwrap();
                    format!("{runs}/{dir}/{paper}")
                }
                _ => format!("{scene}/{name}"),
            };
            let beside = std::fs::read(top.join(&scene).join(&name)).unwrap();
            assert_eq!(
                beside,
                std::fs::read(disk.host(on_disk)).unwrap(),
                "{scene}/{name}"
            );
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen} papers");
}

/// Plans need no disk to be read.
#[test]
fn a_plan_of_an_earlier_program_is_shown() {
    let mut told = Told::new();
    let views = [
        &["--near-misses", "--lines"][..],
        &["--by", "reason"],
        &["--by", "package"],
    ];
    for (form, views) in [
        ("json", &views[..]),
        ("jsonl", &views[1..2]),
        ("json.zst", &views[1..2]),
    ] {
        let plan = format!("{DATA}/papers/planned-{form}/plan.{form}");
        for view in views {
            let args = [&["show", "--json"], *view, &[&plan]].concat();
            let mut answer = unify(&args).expect(0).json();
            level(&mut answer, &BTreeSet::new());
            let answers = told.entry(form.to_owned()).or_default();
            answers.push(json!({"asked": view.join(" "), "answer": answer}));
        }
    }
    compare("shown", &told);
}
