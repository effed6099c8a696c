//! One source file: its text, its code, and its place among the modules.

use super::blank::{Blanked, blank, keep_newlines};
use super::text::{block_end, body_or_end};

/// Where a line of code is looked for.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The directory that the path lies beneath: `src`, if nothing else is said.
    pub top: String,
    /// Path beneath it, such as `rules/choose.rs`.
    pub path: String,
    /// Everything, as it stands.
    pub text: String,
    /// The lines that hold a comment, from 1.
    pub comments: Vec<usize>,
    /// Comments, strings and characters blanked; test modules kept.
    pub code: String,
    /// The same with test modules blanked, too.
    pub shipped: String,
    /// Lines of the text, tests left out.
    pub shipped_lines: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let Blanked { code, comments } = blank(text);
        let whole_file_is_test = path.ends_with("tests.rs") || path.contains("/tests/");
        let (shipped, test_lines) = if whole_file_is_test {
            (String::new(), text.lines().count())
        } else {
            without_tests(&code)
        };
        Source {
            top: "src".to_owned(),
            path: path.to_owned(),
            text: text.to_owned(),
            comments,
            code,
            shipped,
            shipped_lines: text.lines().count() - test_lines,
        }
    }

    /// The floor's room: the first directory, or the file itself beside `lib.rs`.
    pub fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.trim_end_matches(".rs")
    }

    /// The directory of the file, beneath the top: empty for `lib.rs`.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The names of its module, from the crate on: none for `lib.rs`, `scan` for `scan/mod.rs`.
    pub fn module(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        match path {
            "lib" | "main" | "mod" => Vec::new(),
            _ => path.split('/').map(str::to_owned).collect(),
        }
    }

    /// A test file has nothing that is shipped.
    pub fn is_test(&self) -> bool {
        self.shipped.is_empty() && !self.code.is_empty()
    }

    /// Says where a law is broken, and which.
    pub fn at(&self, line: usize, law: &str) -> String {
        format!("{}/{}:{line}: {law}", self.top, self.path)
    }
}

/// Blanks what stands after `#[cfg(test)]`, and counts its lines.
fn without_tests(code: &str) -> (String, usize) {
    let (mut rest, mut lines) = (code.to_owned(), 0);
    while let Some(start) = rest.find("#[cfg(test)]") {
        let (end, is_block) = body_or_end(&rest, start + "#[cfg(test)]".len());
        let end = if is_block {
            block_end(&rest, end)
        } else {
            (end + 1).min(rest.len())
        };
        let blank = keep_newlines(&rest[start..end]);
        lines += blank.matches('\n').count() + 1;
        rest.replace_range(start..end, &blank);
    }
    (rest, lines)
}
