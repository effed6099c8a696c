//! Every outside crate has a door: the files that may name it. So has what of `std` touches the machine.

use super::super::reading::{Modules, Named, Source, Tree, checkout, line_at};
use super::super::{assert_allows, assert_bites, assert_kept};

/// An outside name, and the beginnings of the paths that may say it.
const DOORS: &[(&str, &[&str])] = &[
    ("aya", &["sys/guard/"]),
    (
        "base64",
        &[
            "images/tar/pax.rs",
            "ledger/name.rs",
            "report/layout/json.rs",
            "packages/digests/apk.rs",
        ],
    ),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/manual/completions.rs"]),
    ("clap_mangen", &["cli/manual/man.rs"]),
    (
        "flate2",
        &["images/stream.rs", "packages/digests/pacman.rs"],
    ),
    (
        "indexmap",
        &[
            "images/tree/mod.rs",
            "model/packed.rs",
            "engine/planning/matching/",
        ],
    ),
    ("indicatif", &["cli/terminal/screen.rs"]),
    ("jiff", &["sys/host/machine.rs"]),
    ("landlock", &["sys/host/landlock.rs"]),
    ("liblzma", &["images/stream.rs"]),
    ("md5", &["sys/package_hash.rs"]),
    ("nix", &["sys/"]),
    ("postcard", &["engine/records/table.rs"]),
    (
        "rayon",
        &["engine/", "ledger/plan/reader.rs", "sys/host/workers.rs"],
    ),
    ("rustix", &["sys/"]),
    (
        "serde",
        &[
            "model/",
            "ledger/",
            "discover/oci.rs",
            "images/archive/",
            "engine/records/",
            "report/",
            "cli/args/code.rs",
        ],
    ),
    (
        "serde_json",
        &[
            "ledger/",
            "discover/oci.rs",
            "images/archive/",
            "report/layout/json.rs",
        ],
    ),
    ("serde_path_to_error", &["ledger/json.rs"]),
    ("sha1", &["sys/package_hash.rs"]),
    ("sha2", &["sys/hash.rs", "sys/package_hash.rs"]),
    ("signal_hook", &["sys/host/signals.rs"]),
    ("similar", &["engine/comparing/text.rs"]),
    ("tar_core", &["images/tar/"]),
    (
        "thiserror",
        &[
            "model/",
            "rules/",
            "sys/",
            "packages/",
            "images/",
            "base/",
            "ledger/",
            "engine/",
            "cli/",
        ],
    ),
    ("toml", &["ledger/policy_file.rs", "ledger/check_policy/"]),
    ("unicode_normalization", &["rules/findings/names.rs"]),
    ("unicode_properties", &["model/guest/shown.rs"]),
    ("walkdir", &["scan/walk.rs", "scan/seek.rs"]),
    ("xxhash_rust", &["sys/hash.rs"]),
    ("zstd", &["images/stream.rs", "ledger/codec.rs"]),
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

/// The names below `[dependencies]`, as code says them.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut is_listed = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            is_listed = section == "dependencies" || section.ends_with(".dependencies");
            names.extend(section.strip_prefix("dependencies.").map(str::to_owned));
        } else if is_listed && line.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let name = line.split(['=', '.', ' ']).next().unwrap();
            names.push(name.to_owned());
        }
    }
    names.iter().map(|name| name.replace('-', "_")).collect()
}

#[test]
fn outside_crates_come_in_by_their_doors() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn every_dependency_has_a_door_and_no_door_is_left_over() {
    let manifest = std::fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
    let mut names = dependencies(&manifest);
    names.sort();
    let crates = DOORS.iter().map(|(name, _)| *name);
    let crates: Vec<&str> = crates.filter(|name| !name.starts_with("std::")).collect();
    assert_eq!(names, crates, "Cargo.toml, and the table of doors");
}

#[test]
fn every_door_is_used() {
    let tree = Tree::read("src");
    let modules = Modules::new(tree.shipped());
    let passages = passages(&modules);
    let used = |name: &str, begin: &str| {
        let mut users = passages.iter().filter(|(_, _, said, _)| *said == name);
        users.any(|(source, ..)| source.path.starts_with(begin))
    };
    let begins = DOORS
        .iter()
        .flat_map(|(name, door)| door.iter().map(move |begin| (name, begin)));
    let idle = begins.filter(|(name, begin)| !used(name, begin));
    let message = idle.map(|(name, begin)| format!("nothing beneath src/{begin} names {name}"));
    assert_kept(&message.collect::<Vec<_>>());
}

#[test]
fn dependencies_are_read_in_every_form() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# a = 1\nb-c = \"1\"\nd.workspace = true\n\
        [target.'cfg(unix)'.dependencies]\ne = \"1\"\n[dependencies.f]\nversion = \"1\"\n[dev-dependencies]\ng = \"1\"\n";
    assert_eq!(dependencies(manifest), ["b_c", "d", "e", "f"]);
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
            ("report/mod.rs", "#[derive(thiserror::Error)]", "thiserror"),
            ("rules/choose.rs", "use rayon;", "door of rayon"),
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
            "report/layout/json.rs",
            "// std::fs in words\nfn f() { g(\"std::fs::read\") }",
        )],
        &[(
            "rules/choose.rs",
            "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
        )],
        &[
            (
                "sys/host/mod.rs",
                "mod landlock;\npub use landlock::confine;",
            ),
            (
                "sys/host/landlock.rs",
                "use landlock::Ruleset;\npub fn confine() {}",
            ),
        ],
        &[(
            "model/mod.rs",
            "use std::path::Path;\nfn f() { serde_like::g() }",
        )],
    ];
    for files in fine {
        assert_allows(broken, files);
    }
}
