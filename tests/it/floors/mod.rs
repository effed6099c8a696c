//! The laws of the house, kept over every file of `src` and of the tests: which room may name which, which
//! outside crate has which door, what only one room may do, what a name means, and how long a file, a function or
//! a comment may be.
//!
//! A law that does not hold names the file, the line and the law. Code in `#[cfg(test)]` modules is free of
//! doors and imports, but not of sizes. Beside each law, planted faults show that it bites.
//!
//! `UNIFY_HOUSE=DIR` asks another checkout; `tests/house.sh` prints what the house measures.

mod house;
mod laws;
mod reading;

use reading::Tree;

/// A law says what breaks it, a line each.
type Law = fn(&Tree) -> Vec<String>;

fn assert_kept(broken: &[String]) {
    assert!(
        broken.is_empty(),
        "broken {} times\n{}",
        broken.len(),
        broken.join("\n")
    );
}

/// One file alone breaks the law, and the law says `wanted`.
fn assert_bites(law: Law, faults: &[(&str, &str, &str)]) {
    for (path, text, wanted) in faults {
        assert_bites_among(law, &[(path, text)], wanted);
    }
}

fn assert_bites_among(law: Law, files: &[(&str, &str)], wanted: &str) {
    let broken = law(&Tree::planted("src", files));
    assert!(
        broken.iter().any(|line| line.contains(wanted)),
        "wanted {wanted:?} for {files:?}, got {broken:?}"
    );
}

fn assert_allows(law: Law, files: &[(&str, &str)]) {
    assert_eq!(law(&Tree::planted("src", files)), [""; 0], "for {files:?}");
}
