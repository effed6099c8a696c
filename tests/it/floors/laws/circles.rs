//! No two files of `src` import each other, not even by way of others.
//!
//! A name that a `mod.rs` re-exports counts for the file that it comes from. A child that names what is defined in
//! its parent's `mod.rs` is in a circle with it where the parent's own code uses the child.

use super::super::reading::{Import, Modules, Tree, circles, imports};
use super::super::{assert_allows, assert_bites_among, assert_kept};

fn broken(tree: &Tree) -> Vec<String> {
    let modules = Modules::new(tree.shipped());
    let imports = imports(&modules);
    let circles = circles(modules.files.len(), &imports);
    circles
        .iter()
        .map(|circle| message(&modules, &imports, circle))
        .collect()
}

/// Which file imports from which within the circle: the first place of each pair.
fn message(modules: &Modules, imports: &[Import], circle: &[usize]) -> String {
    let within = |import: &&Import| {
        import.is_own && circle.contains(&import.from) && circle.contains(&import.to)
    };
    let mut pairs: Vec<&Import> = imports.iter().filter(within).collect();
    pairs.sort_by_key(|import| (import.from, import.to, import.line));
    pairs.dedup_by_key(|import| (import.from, import.to));
    let line = |import: &&Import| {
        let to = &modules.files[import.to].source.path;
        let law = format!("names {}, of {to}", import.path);
        modules.files[import.from].source.at(import.line, &law)
    };
    let lines: Vec<String> = pairs.iter().map(line).collect();
    let lines = lines.join("\n    ");
    format!(
        "{} files import each other in a circle:\n    {lines}",
        circle.len()
    )
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn a_circle_is_found() {
    let faults: &[(&[(&str, &str)], &str)] = &[
        (
            &[
                ("scan/a.rs", "use super::b::B;\npub struct A;"),
                ("scan/b.rs", "pub struct B;\nfn f() { crate::scan::a::A; }"),
            ],
            "src/scan/b.rs:2: names crate::scan::a::A, of scan/a.rs",
        ),
        (
            &[
                ("scan/a.rs", "use super::{b::{self, B}};\npub struct A;"),
                ("scan/b.rs", "use super::c::C;\npub struct B;"),
                ("scan/c.rs", "use super::A as Renamed;\npub struct C;"),
            ],
            "3 files import each other",
        ),
        (
            &[
                (
                    "scan/a.rs",
                    "mod inner;\npub struct A;\nfn f() { inner::g() }",
                ),
                ("scan/a/inner.rs", "use super::A;\npub fn g() {}"),
            ],
            "src/scan/a/inner.rs:1: names super::A, of scan/a.rs",
        ),
        (
            &[
                (
                    "scan/a.rs",
                    "mod inner;\npub use inner::g;\npub struct A;\nfn f() { g() }",
                ),
                ("scan/a/inner.rs", "use super::*;\npub fn g() {}"),
            ],
            "src/scan/a.rs:2: names inner::g, of scan/a/inner.rs",
        ),
    ];
    let map = [
        ("lib.rs", "pub mod scan;"),
        (
            "scan/mod.rs",
            "mod a;\nmod b;\nmod c;\npub(crate) use a::A;",
        ),
    ];
    for (files, wanted) in faults {
        assert_bites_among(broken, &[&map, *files].concat(), wanted);
    }
}

#[test]
fn a_map_and_its_children_are_no_circle() {
    let fine: &[&[(&str, &str)]] = &[
        &[
            (
                "scan/mod.rs",
                "mod a;\nmod b;\npub use a::A;\npub(super) use b::{B as C};",
            ),
            ("scan/a.rs", "use super::C;\npub struct A;"),
            ("scan/b.rs", "pub struct B;"),
        ],
        &[
            ("scan/mod.rs", "mod a;\nuse a::A;\nfn f() { A }"),
            (
                "scan/a.rs",
                "pub struct A;\n#[cfg(test)]\nmod tests { use super::super::f; }",
            ),
        ],
        &[
            ("scan/mod.rs", "mod a;\npub struct S;\npub use a::walk;"),
            ("scan/a.rs", "use super::S;\npub fn walk() {}"),
        ],
    ];
    for files in fine {
        assert_allows(broken, &[&[("lib.rs", "pub mod scan;")], *files].concat());
    }
}
