//! A type's name means one thing in the whole house, so that a search for it finds that thing.

use std::collections::BTreeMap;

use super::super::reading::{Source, Tree, line_at, types};
use super::super::{assert_allows, assert_bites_among, assert_kept};

/// Names that more than one file may define, each with the reason.
const SHARED: &[(&str, &str)] = &[(
    "Args",
    "what one command of `cli` is given: each has its own, and is called by its module",
)];

fn broken(tree: &Tree) -> Vec<String> {
    let mut defined: BTreeMap<String, Vec<(&Source, usize)>> = BTreeMap::new();
    for source in tree.shipped() {
        for (position, name) in types(&source.shipped) {
            let places = defined.entry(name).or_default();
            places.push((source, line_at(&source.shipped, position)));
        }
    }
    defined.retain(|name, places| {
        let in_two = places
            .iter()
            .any(|(source, _)| source.path != places[0].0.path);
        in_two && SHARED.iter().all(|(shared, _)| shared != name)
    });
    defined
        .iter()
        .map(|(name, places)| message(name, places))
        .collect()
}

fn message(name: &str, places: &[(&Source, usize)]) -> String {
    let place =
        |(source, line): &(&Source, usize)| format!("{}/{}:{line}", source.top, source.path);
    let places: Vec<String> = places.iter().map(place).collect();
    format!("{name} is defined in {}", places.join(", "))
}

#[test]
fn a_type_name_means_one_thing() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn every_shared_name_is_shared() {
    let tree = Tree::read("src");
    let names = |source: &Source| types(&source.shipped).into_iter().map(|(_, name)| name);
    let names: Vec<String> = tree.shipped().flat_map(names).collect();
    let alone = |shared: &str| names.iter().filter(|name| *name == shared).count() < 2;
    let idle = SHARED.iter().filter(|(shared, _)| alone(shared));
    let message = idle.map(|(shared, _)| format!("{shared} is no name for two things any more"));
    assert_kept(&message.collect::<Vec<_>>());
}

#[test]
fn a_name_for_two_things_is_found() {
    let one = ("engine/gc.rs", "\npub(super) struct Found<'a>;");
    for second in [
        "enum Found {}",
        "trait Found {}",
        "type Found = u8;",
        "fn f() { struct Found; }",
    ] {
        assert_bites_among(
            broken,
            &[one, ("report/gc.rs", second)],
            "Found is defined in src/engine/gc.rs:2, src/report/gc.rs:1",
        );
    }
}

#[test]
fn names_that_are_no_types_are_no_fault() {
    let one = ("engine/gc.rs", "struct Found;\nstruct Found;");
    for second in [
        "impl Iterator for F { type Found = u8; }",
        "#[cfg(test)]\nmod tests { struct Found; }",
        "struct FoundAll;\n// struct Found;\nfn found() { Found }",
    ] {
        assert_allows(broken, &[one, ("report/gc.rs", second)]);
    }
}
