//! The laws of the house, kept over every file of `src`: who may import whom, which outside crate has which door,
//! what only one file may do, and how long a file or a function may be, be it a test.
//!
//! A law that does not hold names the file, the line and the law. Code in `#[cfg(test)]` modules is free of
//! doors and imports, but not of sizes. `planted_faults_are_caught` shows that each law bites.

mod laws;
mod source;

use std::path::{Path, PathBuf};

use source::Source;

fn sources(beneath: &str) -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(beneath);
    let mut paths = Vec::new();
    collect(&top, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path
            .strip_prefix(&top)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        Source::new(&name, &text)
    };
    paths.iter().map(read).collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
}

#[test]
fn the_house_keeps_its_laws() {
    let shipped = sources("src");
    let mut broken: Vec<String> = shipped.iter().flat_map(laws::broken_in).collect();
    broken.extend(laws::broken_between(&shipped));
    let tests = sources("tests");
    let long = tests.iter().flat_map(laws::sizes);
    broken.extend(long.map(|law| law.replacen("src/", "tests/", 1)));
    assert!(
        broken.is_empty(),
        "{} laws are broken\n{}",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn every_room_is_on_the_map() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap();
    for (room, _) in laws::ROOMS {
        assert!(
            text.contains(&format!("pub mod {room};")),
            "src/lib.rs does not declare {room}"
        );
    }
}

/// A path, a text, and what the law that the text breaks there says.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "rules/choose.rs",
        "use crate::sys::Root;",
        "may not name sys",
    ),
    ("scan/mod.rs", "use crate::base::Base;", "may not name base"),
    (
        "scan/walk.rs",
        "use super::super::packages::Dpkg;",
        "may not name packages",
    ),
    (
        "scan/mod.rs",
        "use super::packages::Dpkg;",
        "may not name packages",
    ),
    (
        "report/json.rs",
        "use crate::{\n    model::Plan,\n    engine::{Apply, Undo},\n};",
        "may not name engine",
    ),
    (
        "sys/stat.rs",
        "fn f() { crate::rules::choose() }",
        "may not name rules",
    ),
    ("model/mod.rs", "use crate::sys::Root;", "may not name sys"),
    ("link/swap.rs", "use crate::*;", "takes everything"),
    ("scan/walk.rs", "use std::fs::File;", "door of std::fs"),
    (
        "scan/walk.rs",
        "use std::{\n    fs,\n    io,\n};",
        "door of std::fs",
    ),
    (
        "engine/apply.rs",
        "fn f() { rustix::fs::sync() }",
        "door of rustix",
    ),
    ("cli/plan.rs", "use nix::unistd::getuid;", "door of nix"),
    (
        "cli/plan.rs",
        "use std::os::unix::ffi::OsStrExt;",
        "door of std::os",
    ),
    (
        "engine/plan.rs",
        "use serde_json::Value;",
        "door of serde_json",
    ),
    ("rules/exclude.rs", "use globset::Glob;", "door of globset"),
    ("base/audit.rs", "use sha2::Sha256;", "door of sha2"),
    ("scan/mod.rs", "use walkdir::WalkDir;", "door of walkdir"),
    ("report/mod.rs", "fn f() { println!(\"x\") }", "prints"),
    ("engine/mod.rs", "fn f() { std::process::exit(1) }", "exits"),
    ("sys/stat.rs", "fn f() { unsafe { g() } }", "unsafe"),
    (
        "rules/choose.rs",
        "fn f() { std::time::SystemTime::now() }",
        "not pure",
    ),
];

/// Each fault alone, in an otherwise empty file: the law that it breaks must say so.
#[test]
fn planted_faults_are_caught() {
    let long = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(60));
    let sizes: &[(&str, &str, &str)] = &[
        ("rules/choose.rs", &long, "62 lines"),
        ("rules/choose.rs", &"// line\n".repeat(401), "401 lines"),
    ];
    for (path, text, wanted) in FAULTS.iter().chain(sizes) {
        let broken = laws::broken_in(&Source::new(path, text));
        assert!(
            broken.iter().any(|law| law.contains(wanted)),
            "{path}: wanted {wanted:?} for {text:?}, got {broken:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_called_a_fault() {
    let fine: &[(&str, &str)] = &[
        (
            "rules/choose.rs",
            "use crate::model::{Plan, Skip};\nuse super::matching::Set;",
        ),
        (
            "engine/apply.rs",
            "use crate::{base, link, model, packages, rules, scan, sys, ledger};",
        ),
        (
            "sys/root.rs",
            "use std::{fs, os::fd::OwnedFd};\nuse rustix::fs::openat;",
        ),
        (
            "sys/ffi.rs",
            "#![allow(unsafe_code)]\nfn f() { unsafe { g() } }",
        ),
        (
            "report/json.rs",
            "// println!(\"x\") and std::fs in words\nfn f() { write(\"std::fs::read\", '\"', \"unsafe {\") }",
        ),
        (
            "rules/choose.rs",
            "#[cfg(test)]\nmod tests {\n    use std::fs;\n    fn f() { println!(\"{{\") }\n}\n",
        ),
        (
            "rules/choose.rs",
            "fn f<'a>(x: &'a str) -> char { '\\'' }\n/* unsafe /* nested */ { */",
        ),
        (
            "cli/mod.rs",
            "use clap::Parser;\nuse crate::engine::Apply;\nfn f() { eprintln!(\"x\") }",
        ),
    ];
    for (path, text) in fine {
        assert_eq!(
            laws::broken_in(&Source::new(path, text)),
            [""; 0],
            "{path}: {text}"
        );
    }
}

/// Guest files have one way to change places, and one room that uses it.
#[test]
fn a_second_exchange_would_be_caught() {
    let sys = Source::new(
        "sys/swap.rs",
        "pub fn exchange() { rename(RenameFlags::EXCHANGE) }",
    );
    let right = Source::new("link/swap.rs", "fn f() { root.exchange(a, b) }");
    let wrong = Source::new("engine/undo.rs", "fn f() { sys::exchange(a, b) }");
    assert_eq!(laws::broken_between(&[sys.clone(), right.clone()]), [""; 0]);
    assert_eq!(laws::broken_between(&[sys.clone(), right, wrong]).len(), 1);
    assert_eq!(
        laws::broken_between(&[sys]).len(),
        1,
        "somebody must use it"
    );
}
