//! What one room or one file alone may do: speak, exit, be `unsafe`; and what thought must not know.

use super::super::reading::{Source, Tree, find_word, line_at};
use super::super::{assert_allows, assert_bites, assert_kept};

const PRINTERS: &[&str] = &["print!", "println!", "eprint!", "eprintln!", "dbg!"];
const STREAMS: &[&str] = &["io::stdout", "io::stderr"];

/// Clock, environment, randomness, threads and processes.
const IMPURE: &[&str] = &[
    "SystemTime",
    "Instant",
    "std::env",
    "std::net",
    "std::thread",
    "std::process",
    "thread_rng",
];

fn broken(tree: &Tree) -> Vec<String> {
    let in_one = |source: &Source| [speech(source), hands(source), purity(source)].concat();
    tree.sources.iter().flat_map(in_one).collect()
}

/// Where one of `words` stands in `code`, with what that means.
fn said(source: &Source, code: &str, words: &[&str], means: &str) -> Vec<String> {
    let found = words
        .iter()
        .flat_map(|word| find_word(code, word).map(move |n| (n, word)));
    found
        .map(|(n, word)| source.at(line_at(code, n), &format!("{word} {means}")))
        .collect()
}

/// Only `cli` speaks and exits.
fn speech(source: &Source) -> Vec<String> {
    if matches!(source.room(), "cli" | "main") {
        return Vec::new();
    }
    let code = &source.shipped;
    let prints = said(source, code, PRINTERS, "prints");
    let streams = said(source, code, STREAMS, "prints to a stream of the process");
    let exits = said(source, code, &["process::exit"], "exits");
    [prints, streams, exits].concat()
}

/// `unsafe` lives in one file, tests included.
fn hands(source: &Source) -> Vec<String> {
    if source.path == "sys/ffi.rs" {
        return Vec::new();
    }
    let words = ["unsafe", "unsafe_code"];
    said(source, &source.code, &words, "stands outside of sys/ffi.rs")
}

/// Thought has no clock, environment, randomness or I/O.
fn purity(source: &Source) -> Vec<String> {
    if !matches!(source.room(), "model" | "rules") {
        return Vec::new();
    }
    said(source, &source.shipped, IMPURE, "is not pure")
}

#[test]
fn rooms_do_only_what_is_theirs() {
    assert_kept(&broken(&Tree::read("src")));
}

#[test]
fn a_room_that_does_more_is_found() {
    assert_bites(
        broken,
        &[
            ("report/mod.rs", "fn f() { println!(\"x\") }", "prints"),
            (
                "report/mod.rs",
                "fn f() { std::io::stdout() }",
                "prints to a stream",
            ),
            ("engine/mod.rs", "fn f() { std::process::exit(1) }", "exits"),
            (
                "sys/stat.rs",
                "\nfn f() { unsafe { g() } }",
                "src/sys/stat.rs:2: unsafe stands",
            ),
            (
                "sys/stat.rs",
                "#[cfg(test)]\nmod tests { fn f() { unsafe { g() } } }",
                "unsafe stands",
            ),
            (
                "rules/choose.rs",
                "fn f() { std::time::SystemTime::now() }",
                "not pure",
            ),
        ],
    );
}

#[test]
fn words_and_tests_are_no_fault() {
    let fine = [
        (
            "sys/ffi.rs",
            "#![allow(unsafe_code)]\nfn f() { unsafe { g() } }",
        ),
        (
            "report/json.rs",
            "// println!(\"x\")\nfn f() { write(\"println!()\", '\"', \"unsafe {\") }",
        ),
        (
            "rules/choose.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() { println!(\"{{\") }\n}\n",
        ),
        (
            "rules/choose.rs",
            "fn f<'a>(x: &'a str) -> char { '\\'' }\n/* unsafe /* nested */ { */",
        ),
        ("cli/mod.rs", "fn f() { eprintln!(\"x\") }"),
    ];
    for file in fine {
        assert_allows(broken, &[file]);
    }
}
