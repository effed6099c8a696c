//! An outside crate has a door: the files that may name it. So has what of `std` touches the machine.

use super::super::reading::{Modules, Named, Source, Tree, line_at};
use super::super::{assert_allows, assert_bites, assert_kept};

/// An outside name, and the beginnings of the paths that may say it.
const DOORS: &[(&str, &[&str])] = &[
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("walkdir", &["scan/walk.rs"]),
    ("landlock", &["sys/confine.rs"]),
    ("sha2", &["sys/hash.rs"]),
    ("xxhash_rust", &["sys/hash.rs"]),
    ("globset", &["rules/pattern.rs"]),
    ("serde_json", &["ledger/", "report/"]),
    ("toml", &["ledger/policy_file.rs"]),
    ("nix", &["sys/"]),
    ("rustix", &["sys/"]),
    ("std::fs", &["sys/"]),
    ("std::os", &["sys/"]),
];

fn broken(tree: &Tree) -> Vec<String> {
    let modules = Modules::new(tree.shipped());
    let wrong = |(source, named, name, door): (&Source, &Named, &str, &[&str])| {
        let is_door = door.iter().any(|begin| source.path.starts_with(begin));
        let law = format!("this is not the door of {name}: {}", door.join(", "));
        (!is_door).then(|| source.at(line_at(&source.shipped, named.position), &law))
    };
    let mut broken: Vec<String> = passages(&modules).into_iter().filter_map(wrong).collect();
    broken.dedup();
    broken
}

type Passage<'a> = (&'a Source, &'a Named, &'static str, &'static [&'static str]);

/// Every place where a name of the table is said.
fn passages<'a>(modules: &'a Modules) -> Vec<Passage<'a>> {
    let mut found = Vec::new();
    for (n, file) in modules.files.iter().enumerate() {
        let outside = |named: &&Named| modules.path_in_crate(n, named).is_none();
        for named in file.named.iter().filter(outside) {
            let path = named.segments.join("::") + "::";
            let rows = DOORS.iter();
            let rows = rows.filter(|(name, _)| path.starts_with(&format!("{name}::")));
            found.extend(rows.map(|(name, door)| (file.source, named, *name, *door)));
        }
    }
    found
}

#[test]
fn outside_crates_come_in_by_their_doors() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn a_wrong_door_is_found() {
    assert_bites(
        broken,
        &[
            ("scan/walk.rs", "use std::fs::File;", "door of std::fs"),
            (
                "scan/walk.rs",
                "use std::{\n    fs,\n    io,\n};",
                "src/scan/walk.rs:2: this is not the door of std::fs",
            ),
            (
                "engine/applying/mod.rs",
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
                "engine/planning/mod.rs",
                "use serde_json::Value;",
                "door of serde_json",
            ),
            ("base/audit.rs", "use sha2::Sha256;", "door of sha2"),
            ("scan/mod.rs", "use walkdir::WalkDir;", "door of walkdir"),
        ],
    );
}

#[test]
fn a_right_door_is_no_fault() {
    let fine: &[&[(&str, &str)]] = &[
        &[(
            "sys/root.rs",
            "use std::{fs, os::fd::OwnedFd};\nuse rustix::fs::openat;",
        )],
        &[(
            "report/json.rs",
            "// std::fs in words\nfn f() { g(\"std::fs::read\") }",
        )],
        &[(
            "rules/choose.rs",
            "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
        )],
        &[(
            "model/mod.rs",
            "use std::path::Path;\nfn f() { serde_like::g() }",
        )],
    ];
    for files in fine {
        assert_allows(broken, files);
    }
}
