//! The inner table of `engine`: which act may name which. A plan can therefore reach nothing that writes to a guest.

use super::super::reading::{Import, Modules, Tree, imports};
use super::super::{assert_allows, assert_bites_among, assert_kept};

/// A folder of `engine`, and the folders that it may name. Each may name the errors, and the files that lie directly in
/// `engine`, the ground, which name no other folder; `engine/mod.rs` is the map and re-exports from everywhere.
const ACTS: &[(&str, &[&str])] = &[
    // what acts stand on
    (ERRORS, &[]),
    ("activity", &[]),
    ("paths", &[]),
    ("sources", &[]),
    ("records", &["activity"]),
    ("exchange", &["activity", "records"]),
    ("roots", &["records"]),
    // acts that change no guest
    (
        "planning",
        &["activity", "records", "roots", "paths", "sources"],
    ),
    ("inspecting", &["records", "paths", "sources"]),
    // A plan against now is a plan that is made.
    ("comparing", &["planning", "records", "paths", "sources"]),
    // It reads guests as a plan does, and looks whether a plan still holds and objects are protected.
    (
        "checking",
        &["planning", "inspecting", "records", "paths", "sources"],
    ),
    ("doctoring", &["records"]),
    // It writes a plan to where plans go.
    ("reviewing", &["planning", "paths"]),
    // It touches the kernel, and no guest.
    ("guarding", &[]),
    // acts that do
    ("parting", &["exchange", "activity", "records"]),
    ("healing", &["activity", "records", "parting"]),
    (
        "applying",
        &[
            "exchange", "activity", "records", "roots", "paths", "healing", "parting",
        ],
    ),
    (
        "undoing",
        &[
            "exchange", "activity", "records", "roots", "paths", "healing", "parting",
        ],
    ),
    (
        "forgetting",
        &["exchange", "activity", "records", "healing", "parting"],
    ),
    // It writes no guest that is there; what is shared in the new one is the business of a plan, and of `apply`.
    (
        "cloning",
        &["activity", "records", "paths", "planning", "applying"],
    ),
    ("protecting", &["activity", "healing"]),
    // Its halves are an undo, and a plan that is applied.
    (
        "maintaining",
        &["records", "healing", "undoing", "planning", "applying"],
    ),
    // It answers writers while their guests run.
    ("breaking", &["exchange", "activity", "records", "healing"]),
    ("gc", &["activity", "records", "healing", "parting"]),
];

/// A folder that everyone in `engine` may name.
const ERRORS: &str = "error";

const GROUND: &str = "a ground file";

fn may_name(act: &str) -> Option<&'static [&'static str]> {
    let mut rows = ACTS.iter();
    rows.find(|(name, _)| *name == act).map(|(_, acts)| *acts)
}

/// The folder of `engine` that a file lies in, or the act that is one file, or the ground.
fn act_of(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("engine/")?;
    match inner.split_once('/') {
        Some((folder, _)) => Some(folder),
        None if inner == "mod.rs" => None,
        None => {
            let file = inner.trim_end_matches(".rs");
            Some(may_name(file).map_or(GROUND, |_| file))
        }
    }
}

fn broken(tree: &Tree) -> Vec<String> {
    let modules = Modules::new(tree.shipped());
    let path = |file: usize| &*modules.files[file].source.path;
    let mut broken: Vec<String> = imports(&modules)
        .into_iter()
        .filter_map(|import| too_far(&modules, &import))
        .collect();
    let strange = (0..modules.files.len()).filter(|file| {
        act_of(path(*file)).is_some_and(|act| act != GROUND && may_name(act).is_none())
    });
    broken.extend(strange.map(|file| {
        let law = "this folder of engine has no row in the table of acts";
        modules.files[file].source.at(1, law)
    }));
    broken
}

fn too_far(modules: &Modules, import: &Import) -> Option<String> {
    let source = modules.files[import.from].source;
    let act = act_of(&source.path)?;
    let named = act_of(&modules.files[import.to].source.path)?;
    let allowed = may_name(act).unwrap_or_default();
    let is_fine = act == named || [GROUND, ERRORS].contains(&named) || allowed.contains(&named);
    let law = format!("{act} may not name {named}: {}", import.path);
    (!is_fine).then(|| source.at(import.line, &law))
}

#[test]
fn acts_name_only_what_they_stand_on() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn every_act_is_there() {
    let tree = Tree::read("src");
    let is_there = |act: &str| tree.shipped().any(|s| act_of(&s.path) == Some(act));
    let lost = ACTS.iter().filter(|(act, _)| !is_there(act));
    let message = lost.map(|(act, _)| format!("engine has no {act}, but the table of acts has"));
    assert_kept(&message.collect::<Vec<_>>());
}

/// A small engine, in which every fault of the next test is planted.
const ENGINE: &[(&str, &str)] = &[
    ("lib.rs", "pub mod engine;"),
    (
        "engine/mod.rs",
        "mod exchange; mod planning; pub use exchange::Batch; pub use planning::plan;",
    ),
    ("engine/error.rs", "pub struct EngineError;"),
    (
        "engine/exchange/mod.rs",
        "mod job; pub use job::Job; pub struct Batch;",
    ),
    ("engine/exchange/job.rs", "pub struct Job;"),
    ("engine/healing/mod.rs", "pub fn heal() {}"),
    ("engine/planning/mod.rs", "pub fn plan() {}"),
];

#[test]
fn an_act_that_names_too_much_is_found() {
    let faults = [
        (
            "engine/planning/lines.rs",
            "\nuse crate::engine::exchange::Job;",
            "src/engine/planning/lines.rs:2: planning may not name exchange: crate::engine::exchange::Job",
        ),
        (
            "engine/planning/lines.rs",
            "use super::super::Batch;",
            "planning may not name exchange",
        ),
        (
            "engine/planning/matching/mod.rs",
            "use crate::engine;\nfn f() { engine::healing::heal() }",
            "planning/matching/mod.rs:2: planning may not name healing",
        ),
        (
            "engine/planning/lines.rs",
            "pub use crate::engine::exchange::Job;",
            "planning may not name exchange",
        ),
        (
            "engine/sandbox.rs",
            "use super::planning::plan;",
            "a ground file may not name planning",
        ),
        (
            "engine/gc.rs",
            "use super::exchange::Batch;",
            "gc may not name exchange",
        ),
        (
            "engine/watching/mod.rs",
            "pub struct Watch;",
            "this folder of engine has no row",
        ),
    ];
    for (path, text, wanted) in faults {
        assert_bites_among(broken, &[ENGINE, &[(path, text)]].concat(), wanted);
    }
}

#[test]
fn what_acts_may_name_is_no_fault() {
    let fine = [
        (
            "engine/applying/mod.rs",
            "use crate::engine::exchange::{Batch, Job};\nuse crate::engine::healing::heal;\nuse crate::engine::error::EngineError;",
        ),
        (
            "engine/planning/lines.rs",
            "use super::plan;\nuse super::super::error::EngineError;",
        ),
        ("engine/gc.rs", "use super::healing::heal;"),
    ];
    for file in fine {
        assert_allows(broken, &[ENGINE, &[file]].concat());
    }
}
