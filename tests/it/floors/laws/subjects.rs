//! A file of tests stands on `support` and on nothing else: what two subjects need lies there.
//!
//! A subject is what `main.rs` declares, with all beneath it. Where that is a folder whose `mod.rs` only declares
//! modules, each of those is a subject.

use super::super::assert_kept;
use super::super::reading::{Import, Modules, Tree, imports, mentions};

fn broken(tree: &Tree) -> Vec<String> {
    let modules = Modules::new(tree.sources.iter());
    let subjects: Vec<String> = (0..modules.files.len())
        .map(|file| subject(&modules, file))
        .collect();
    let foreign = |import: &Import| {
        let (from, to) = (&subjects[import.from], &subjects[import.to]);
        let law = format!("{from} may not name {to}, only support: {}", import.path);
        let is_fine = from == to || to == "support";
        (!is_fine).then(|| modules.files[import.from].source.at(import.line, &law))
    };
    imports(&modules).iter().filter_map(foreign).collect()
}

fn subject(modules: &Modules, file: usize) -> String {
    let module = modules.files[file].source.module();
    let top = &module[..module.len().min(1)];
    let folder = modules
        .files
        .iter()
        .find(|file| file.source.module() == top);
    let only_declares = folder.is_some_and(|file| is_map(&file.source.code));
    let parts = if only_declares && top != ["support"] {
        2
    } else {
        1
    };
    match &module[..module.len().min(parts)] {
        [] => "main".to_owned(),
        names => names.join("/"),
    }
}

/// Nothing but declarations of modules.
fn is_map(code: &str) -> bool {
    let rest = mentions(code);
    !rest.chars().any(char::is_alphanumeric)
}

#[test]
fn tests_name_only_what_supports_them() {
    assert_kept(&broken(&Tree::read("tests/it")));
}

/// Two subjects, two more in a folder, and what supports them.
const TESTS: &[(&str, &str)] = &[
    (
        "main.rs",
        "#[macro_use]\nmod support;\nmod cut;\nmod power;\nmod crash;",
    ),
    ("support/mod.rs", "mod lab;\npub use lab::Lab;"),
    ("support/lab.rs", "pub struct Lab;"),
    ("cut.rs", "use crate::support::Lab;\npub fn cut() {}"),
    ("power.rs", "mod rig;\nuse rig::Rig;\npub struct Cut;"),
    (
        "power/rig.rs",
        "use super::Cut;\nuse crate::support::Lab;\npub struct Rig;",
    ),
    ("crash/mod.rs", "mod killed;\nmod healed;"),
    (
        "crash/killed.rs",
        "use crate::support::Lab;\npub fn kill() {}",
    ),
];

#[test]
fn tests_that_stand_on_support_are_no_fault() {
    let tree = Tree::planted("tests/it", TESTS);
    assert_eq!(broken(&tree), [""; 0]);
}

#[test]
fn tests_that_stand_on_other_tests_are_found() {
    let faults = [
        (
            "healed.rs",
            "\nuse crate::cut::cut;",
            "tests/it/healed.rs:2: healed may not name cut, only support: crate::cut::cut",
        ),
        (
            "healed.rs",
            "fn f() { super::cut::cut() }",
            "healed may not name cut",
        ),
        (
            "power/medium.rs",
            "use crate::cut::cut;",
            "power may not name cut",
        ),
        (
            "support/mod.rs",
            "use super::power::Cut;",
            "support may not name power",
        ),
        (
            "crash/healed.rs",
            "use super::killed::kill;",
            "crash/healed may not name crash/killed",
        ),
    ];
    for (path, text, wanted) in faults {
        let files = TESTS.iter().copied().filter(|(known, _)| *known != path);
        let files: Vec<_> = files.chain([(path, text)]).collect();
        let broken = broken(&Tree::planted("tests/it", &files));
        assert!(
            broken.iter().any(|line| line.contains(wanted)),
            "wanted {wanted:?}, got {broken:?}"
        );
    }
}
