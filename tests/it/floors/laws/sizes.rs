//! A file is about one thing, a function is read at one glance, a comment fits the screen. Tests are no exception.

use super::super::reading::{Function, Source, Tree, functions, line_at};
use super::super::{assert_allows, assert_bites, assert_kept};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;
/// In characters. rustfmt folds code, but leaves comments as they are. A row of a table cannot be folded and is free.
const WIDEST_COMMENT: usize = 120;

fn broken(tree: &Tree) -> Vec<String> {
    tree.sources.iter().flat_map(broken_in).collect()
}

fn broken_in(source: &Source) -> Vec<String> {
    [
        long_file(source),
        long_functions(source),
        wide_comments(source),
    ]
    .concat()
}

fn long_file(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let law = format!("{lines} lines, at most {LONGEST_FILE}");
    let broken = (lines > LONGEST_FILE).then(|| source.at(1, &law));
    broken.into_iter().collect()
}

fn long_functions(source: &Source) -> Vec<String> {
    let functions = functions(&source.code).into_iter();
    let long = functions.filter(|function| function.lines > LONGEST_FUNCTION);
    let message = |function: Function| {
        let lines = function.lines;
        let law = format!("a function of {lines} lines, at most {LONGEST_FUNCTION}");
        source.at(line_at(&source.code, function.start), &law)
    };
    long.map(message).collect()
}

fn wide_comments(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let comments = source.comments.iter();
    let comments = comments.filter_map(|line| Some((*line, *lines.get(line - 1)?)));
    let wide = comments.filter_map(|(line, text)| {
        let width = text.chars().count();
        let law = format!("a comment of {width} characters, at most {WIDEST_COMMENT}");
        (width > WIDEST_COMMENT && !is_row(text)).then(|| source.at(line, &law))
    });
    wide.collect()
}

fn is_row(line: &str) -> bool {
    let words = line.trim_start().trim_start_matches(['/', '!']);
    words.trim_start().starts_with('|')
}

#[test]
fn files_functions_and_comments_are_short() {
    let broken = [broken(&Tree::read("src")), broken(&Tree::read("tests"))];
    assert_kept(&broken.concat());
}

#[test]
fn what_is_too_long_is_found() {
    let long = format!("\nfn long() {{\n{}}}\n", "    step();\n".repeat(60));
    let taken = format!("fn long(x: [u8; 4]) {{\n{}}}\n", "    step();\n".repeat(60));
    let wide = format!("fn f() {{\n    // {}\n}}", "é".repeat(114));
    let block = format!("/* one\n{} */", "x".repeat(118));
    assert_bites(
        broken,
        &[
            (
                "rules/choose.rs",
                &long,
                "src/rules/choose.rs:2: a function of 62 lines",
            ),
            ("rules/choose.rs", &taken, "62 lines"),
            ("rules/choose.rs", &"// line\n".repeat(401), "401 lines"),
            (
                "rules/choose.rs",
                &wide,
                "src/rules/choose.rs:2: a comment of 121 characters",
            ),
            (
                "rules/choose.rs",
                &block,
                "src/rules/choose.rs:2: a comment of 121 characters",
            ),
        ],
    );
}

#[test]
fn what_is_short_enough_is_no_fault() {
    let file = "// line\n".repeat(400);
    let function = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(58));
    let text = format!("fn f() {{\n    \"// {}\"\n}}", "x".repeat(200));
    let comment = format!("/// {}", "é".repeat(116));
    let row = format!("//! | {} |", "x".repeat(200));
    for text in [file, function, text, comment, row] {
        assert_allows(broken, &[("rules/choose.rs", &text)]);
    }
}
