//! Imports go down, by the table of rooms, and nothing takes everything.

use super::super::reading::{Modules, Tree, line_at};
use super::super::{assert_allows, assert_bites, assert_kept};

/// A room, and the rooms that it may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("rules", &["model"]),
    ("sys", &["model"]),
    ("scan", &["model", "sys", "rules"]),
    ("images", &["model", "sys", "rules"]),
    // Its globs are matched by the one matcher of the house, see `packages/formats/globs.rs`.
    ("packages", &["model", "sys", "rules"]),
    ("base", &["model", "sys"]),
    ("protect", &["model", "sys"]),
    ("link", &["model", "sys"]),
    ("ledger", &["model", "sys"]),
    ("discover", &["model", "sys"]),
    (
        "engine",
        &[
            "model", "rules", "sys", "scan", "images", "packages", "base", "protect", "link",
            "ledger", "discover",
        ],
    ),
    ("report", &["model", "rules"]),
    ("cli", &["model", "rules", "ledger", "engine", "report"]),
];

fn may_name(room: &str) -> Option<&'static [&'static str]> {
    let mut rows = ROOMS.iter();
    rows.find(|(name, _)| *name == room)
        .map(|(_, rooms)| *rooms)
}

fn broken(tree: &Tree) -> Vec<String> {
    let modules = Modules::new(tree.shipped());
    let mut broken: Vec<String> = (0..modules.files.len())
        .flat_map(|file| names_too_much(&modules, file))
        .collect();
    let homeless = tree.sources.iter().filter(|source| {
        may_name(source.room()).is_none() && !matches!(source.room(), "lib" | "main")
    });
    broken.extend(homeless.map(|s| s.at(1, &format!("{} is no room of the house", s.room()))));
    broken
}

fn names_too_much(modules: &Modules, file: usize) -> Vec<String> {
    let source = modules.files[file].source;
    let room = source.room();
    let mut broken = Vec::new();
    for named in &modules.files[file].named {
        let Some(path) = modules.path_in_crate(file, named) else {
            continue;
        };
        let law = match path.first() {
            None if named.is_glob => "takes everything from the crate".to_owned(),
            Some(other) if !is_allowed(room, other) => format!("{room} may not name {other}"),
            _ => continue,
        };
        broken.push(source.at(line_at(&source.shipped, named.position), &law));
    }
    broken.dedup();
    broken
}

fn is_allowed(room: &str, named: &str) -> bool {
    let allowed = may_name(room).is_none_or(|rooms| rooms.contains(&named));
    room == named || may_name(named).is_none() || allowed
}

#[test]
fn rooms_name_only_rooms_below() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn every_room_is_on_the_map() {
    let tree = Tree::read("src");
    let mut sources = tree.sources.iter();
    let map = sources.find(|source| source.path == "lib.rs").unwrap();
    let is_there = |room: &str| map.shipped.contains(&format!("mod {room};"));
    let lost = ROOMS.iter().filter(|(room, _)| !is_there(room));
    let message = lost.map(|(room, _)| format!("src/lib.rs does not declare {room}"));
    assert_kept(&message.collect::<Vec<_>>());
}

#[test]
fn a_room_that_names_too_much_is_found() {
    assert_bites(
        broken,
        &[
            (
                "rules/choose.rs",
                "use crate::sys::Root;",
                "rules may not name sys",
            ),
            (
                "scan/mod.rs",
                "use crate::base::Base;",
                "scan may not name base",
            ),
            (
                "scan/walk.rs",
                "use super::super::packages::Dpkg;",
                "scan may not name packages",
            ),
            (
                "scan/mod.rs",
                "use super::packages::Dpkg;",
                "scan may not name packages",
            ),
            (
                "report/json.rs",
                "use crate::{\n    model::Plan,\n    engine::{Apply, Undo},\n};",
                "src/report/json.rs:3: report may not name engine",
            ),
            (
                "sys/stat.rs",
                "\nfn f() { crate::rules::choose() }",
                "src/sys/stat.rs:2: sys may not name rules",
            ),
            (
                "base/mod.rs",
                "use crate::protect::Lifted;",
                "base may not name protect",
            ),
            (
                "model/mod.rs",
                "mod inner {\n    use super::super::sys::Root;\n}",
                "model may not name sys",
            ),
            ("link/exchange.rs", "use crate::*;", "takes everything"),
            ("cellar/mod.rs", "", "cellar is no room"),
        ],
    );
}

#[test]
fn what_rooms_may_name_is_no_fault() {
    assert_allows(
        broken,
        &[
            (
                "rules/choose.rs",
                "use crate::model::{Plan, Skip};\nuse super::matching::Set;",
            ),
            (
                "engine/applying/mod.rs",
                "use crate::{base, link, model, packages, protect, rules, scan, sys, ledger};",
            ),
            ("cli/mod.rs", "use crate::engine::Apply;"),
            (
                "scan/walk.rs",
                "#[cfg(test)]\nmod tests {\n    use crate::base::Base;\n}",
            ),
            (
                "scan/tree.rs",
                "// use crate::base::Base;\nfn f() { \"crate::base::Base\" }",
            ),
        ],
    );
}
