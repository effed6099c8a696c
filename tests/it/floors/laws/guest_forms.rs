//! A plan does not know where a guest comes from: it asks `GuestFiles`, and one place says what it is.

use super::super::reading::{Source, Tree, find_word, line_at};
use super::super::{assert_allows, assert_bites, assert_kept};

/// What only a guest of one form has.
const ONE_FORM: &[&str] = &["View", "InRoot", "in_root", "GuestDirectory", "GuestImage"];

/// What must work for a guest of every form. A plan names the base's directory as well: that is a `Dir`.
const EVERY_FORM: &[&str] = &[
    "packages/",
    "engine/planning/",
    "engine/paths/",
    "engine/comparing/",
    "engine/inspecting/explain/",
    "engine/inspecting/compare.rs",
];

fn broken(tree: &Tree) -> Vec<String> {
    let every_form = |source: &&Source| {
        EVERY_FORM
            .iter()
            .any(|begin| source.path.starts_with(begin))
    };
    tree.shipped().filter(every_form).flat_map(said).collect()
}

fn said(source: &Source) -> Vec<String> {
    let found = ONE_FORM
        .iter()
        .flat_map(|word| find_word(&source.shipped, word).map(move |n| (n, word)));
    let message = |(n, word)| {
        let law = format!("{word} is of one form alone, and this is for guests of every form");
        source.at(line_at(&source.shipped, n), &law)
    };
    found.map(message).collect()
}

#[test]
fn a_plan_asks_guests_of_every_form() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn a_directory_where_every_form_is_meant_is_found() {
    assert_bites(
        broken,
        &[
            (
                "packages/mod.rs",
                "\nuse crate::sys::guest::in_root::InRoot;",
                "src/packages/mod.rs:2: InRoot is of one form alone",
            ),
            (
                "engine/planning/survey.rs",
                "struct Survey { view: View }",
                "View is of one form alone",
            ),
            (
                "engine/inspecting/explain/mod.rs",
                "fn f() { scan::GuestDirectory::of(root) }",
                "GuestDirectory is of one form alone",
            ),
        ],
    );
}

#[test]
fn tests_and_what_knows_directories_are_no_fault() {
    for file in [
        ("engine/guest.rs", "use crate::scan::GuestDirectory;"),
        ("engine/healing/may_heal.rs", "use crate::sys::View;"),
        (
            "engine/planning/survey.rs",
            "fn f(kind: FileKind) { FileKind::Directory; View2 }",
        ),
        (
            "packages/mod.rs",
            "// View\n#[cfg(test)]\nmod tests { use crate::scan::GuestDirectory; }",
        ),
    ] {
        assert_allows(broken, &[file]);
    }
}
