//! All files beneath one directory of a checkout.

use std::path::{Path, PathBuf};

use super::source::Source;
use super::text::{find_word, name_at};

/// The files of `src`, or of `tests/it`.
#[derive(Debug)]
pub struct Tree {
    pub sources: Vec<Source>,
}

impl Tree {
    /// The files of this checkout, or of the one that `UNIFY_HOUSE` names.
    pub fn read(top: &str) -> Tree {
        let dir = checkout().join(top);
        let mut paths = Vec::new();
        collect(&dir, &mut paths);
        paths.sort();
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            let name = path.strip_prefix(&dir).unwrap().to_str().unwrap();
            (name.to_owned(), text)
        };
        Tree::of(top, paths.iter().map(read))
    }

    /// Files that a test plants.
    pub fn planted(top: &str, files: &[(&str, &str)]) -> Tree {
        let owned = files.iter().map(|(path, text)| (*path, *text));
        Tree::of(top, owned.map(|(path, text)| (path.into(), text.into())))
    }

    fn of(top: &str, files: impl Iterator<Item = (String, String)>) -> Tree {
        let source = |(path, text): (String, String)| Source {
            top: top.to_owned(),
            ..Source::new(&path, &text)
        };
        let mut sources: Vec<Source> = files.map(source).collect();
        if top == "src" {
            let tests: Vec<Vec<String>> = sources.iter().flat_map(test_modules).collect();
            let tested = |source: &&mut Source| {
                let module = source.module();
                tests.iter().any(|test| module.starts_with(test))
            };
            for source in sources.iter_mut().filter(tested) {
                source.shipped.clear();
                source.shipped_lines = 0;
            }
        } else {
            for source in &mut sources {
                source.shipped.clone_from(&source.code);
                source.shipped_lines = source.text.lines().count();
            }
        }
        Tree { sources }
    }

    /// The files that are not tests.
    pub fn shipped(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| !source.is_test())
    }
}

/// Where `src`, `tests` and `Cargo.toml` are.
pub fn checkout() -> PathBuf {
    let here = || PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("UNIFY_HOUSE").map_or_else(here, PathBuf::from)
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
}

/// The modules that a file declares for its tests alone.
fn test_modules(source: &Source) -> Vec<Vec<String>> {
    let is_shipped = |n: &usize| {
        source
            .shipped
            .get(*n..)
            .is_some_and(|rest| rest.starts_with("mod "))
    };
    let for_tests = |n: &usize| !is_shipped(n);
    let declared = find_word(&source.code, "mod ").filter(for_tests);
    let names = declared.filter_map(|n| name_at(&source.code, n + "mod ".len()));
    let with_parent = |name| [source.module(), vec![name]].concat();
    names.map(with_parent).collect()
}
