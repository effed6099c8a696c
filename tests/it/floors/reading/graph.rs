//! Which file imports from which, and where they do so in a circle.

use std::collections::HashSet;

use super::modules::Modules;
use super::paths::{How, Named, mentions};
use super::text::{find_word, line_at};

/// A file names something of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub from: usize,
    pub to: usize,
    /// Where in `from`.
    pub line: usize,
    /// As it stands there.
    pub path: String,
    /// The file uses it in its own code; a mere re-export is a line of a map.
    pub is_own: bool,
}

/// Every import between two files of the crate.
pub fn imports(modules: &Modules) -> Vec<Import> {
    (0..modules.files.len())
        .flat_map(|file| imports_of(modules, file))
        .collect()
}

fn imports_of(modules: &Modules, from: usize) -> Vec<Import> {
    let file = &modules.files[from];
    let code = &file.source.shipped;
    let mentioned = mentions(code);
    let mut seen = HashSet::new();
    let import = |named: &Named| {
        let found = modules.meant(from, named)?;
        let names_nothing = found.is_module && !named.is_glob;
        let line = line_at(code, named.position);
        (found.file != from && !names_nothing && seen.insert((line, found.file))).then(|| Import {
            from,
            to: found.file,
            line,
            path: named.segments.join("::"),
            is_own: named.how != How::ReExport || is_mentioned(&mentioned, named),
        })
    };
    file.named.iter().filter_map(import).collect()
}

fn is_mentioned(mentioned: &str, named: &Named) -> bool {
    let alone = |name: &String| {
        let mut found = find_word(mentioned, name);
        found.any(|n| !mentioned[..n].ends_with([':', '.']))
    };
    named.bound.as_ref().is_some_and(alone)
}

/// Files that import from each other in a circle, each circle with all that are in it.
pub fn circles(files: usize, imports: &[Import]) -> Vec<Vec<usize>> {
    let mut next = vec![Vec::new(); files];
    for import in imports.iter().filter(|import| import.is_own) {
        next[import.from].push(import.to);
    }
    let reached: Vec<HashSet<usize>> = (0..files).map(|file| reached(&next, file)).collect();
    let mut circles = Vec::new();
    let mut placed = HashSet::new();
    for file in 0..files {
        let with = |other: &usize| reached[file].contains(other) && reached[*other].contains(&file);
        let circle: Vec<usize> = (0..files).filter(with).collect();
        if circle.len() > 1 && placed.insert(circle[0]) {
            circles.push(circle);
        }
    }
    circles
}

fn reached(next: &[Vec<usize>], start: usize) -> HashSet<usize> {
    let (mut found, mut open) = (HashSet::new(), vec![start]);
    while let Some(file) = open.pop() {
        let new = next[file].iter().filter(|to| found.insert(**to));
        open.extend(new);
    }
    found
}
