//! What the house measures, as a table for a paper: `tests/house.sh`.

use std::collections::BTreeMap;

use super::reading::{
    Modules, Source, Tree, circles, find_word, functions, imports, line_at, public_items,
};

const TITLES: &[&str] = &[
    "code",
    "files",
    "median / p90 / max lines a file",
    "most files in one folder",
    "functions: median / p90 / max lines of the body",
    "over 60 lines",
    "`unsafe`",
    "pub documented",
    "file circles (files in them, largest)",
];

#[test]
#[ignore = "prints a table and asserts nothing: tests/house.sh"]
fn the_house_in_numbers() {
    println!(
        "\n| {} |\n|{}",
        TITLES.join(" | "),
        " --- |".repeat(TITLES.len())
    );
    let src = Measured::of("src");
    println!("{}", src.row("**unify, all**", |_| true));
    for room in src.rooms() {
        println!("{}", src.row(&room, |source| source.room() == room));
    }
    println!("{}", Measured::of("tests/it").row("tests/it", |_| true));
}

struct Measured {
    tree: Tree,
    /// The paths of the files in each circle.
    circles: Vec<Vec<String>>,
}

impl Measured {
    fn of(top: &str) -> Measured {
        let tree = Tree::read(top);
        let modules = Modules::new(tree.shipped());
        let path = |file: &usize| modules.files[*file].source.path.clone();
        let circles = circles(modules.files.len(), &imports(&modules));
        let circles = circles
            .iter()
            .map(|circle| circle.iter().map(path).collect());
        Measured {
            circles: circles.collect(),
            tree,
        }
    }

    /// The directories, each once.
    fn rooms(&self) -> Vec<String> {
        let sources = self.tree.sources.iter();
        let nested = sources.filter(|source| !source.folder().is_empty());
        let mut rooms: Vec<String> = nested.map(|source| source.room().to_owned()).collect();
        rooms.dedup();
        rooms
    }

    /// A row about the files that `is_in` takes. Tests within `src` count for their folder only.
    fn row(&self, name: &str, is_in: impl Fn(&Source) -> bool) -> String {
        let all: Vec<&Source> = self.tree.sources.iter().filter(|s| is_in(s)).collect();
        let shipped: Vec<&Source> = all.iter().copied().filter(|s| !s.is_test()).collect();
        let bodies: Vec<usize> = shipped.iter().flat_map(|s| bodies(s)).collect();
        let long = bodies.iter().filter(|lines| **lines > 60).count();
        let cells = [
            name.to_owned(),
            shipped.len().to_string(),
            spread(shipped.iter().map(|s| s.shipped_lines).collect()),
            most_in_a_folder(&all).to_string(),
            spread(bodies.clone()),
            format!("{long} of {}", bodies.len()),
            count(&shipped, |s| find_word(&s.shipped, "unsafe").count()),
            documented(&shipped),
            self.circles_of(&shipped),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// The circles that lie in these files.
    fn circles_of(&self, sources: &[&Source]) -> String {
        let is_in = |path: &String| sources.iter().any(|source| source.path == *path);
        let circles = self
            .circles
            .iter()
            .filter(|circle| circle.iter().all(is_in));
        let sizes: Vec<usize> = circles.map(Vec::len).collect();
        match sizes.iter().max() {
            Some(most) => format!("{} ({}, {most})", sizes.len(), sizes.iter().sum::<usize>()),
            None => "0".to_owned(),
        }
    }
}

fn bodies(source: &Source) -> Vec<usize> {
    let functions = functions(&source.shipped).into_iter();
    functions.map(|function| function.body).collect()
}

fn count(sources: &[&Source], of: impl Fn(&Source) -> usize) -> String {
    sources
        .iter()
        .map(|source| of(source))
        .sum::<usize>()
        .to_string()
}

fn spread(mut numbers: Vec<usize>) -> String {
    numbers.sort_unstable();
    let last = numbers.len().saturating_sub(1);
    let at = |percent: usize| numbers.get((numbers.len() * percent / 100).min(last));
    let [median, p90, most] = [50, 90, 100].map(|percent| at(percent).copied().unwrap_or(0));
    format!("{median} / {p90} / {most}")
}

fn most_in_a_folder(sources: &[&Source]) -> usize {
    let mut folders = BTreeMap::new();
    for source in sources {
        *folders.entry(source.folder()).or_insert(0) += 1;
    }
    folders.into_values().max().unwrap_or(0)
}

/// How many public items have a comment above them, and how many there are.
fn documented(sources: &[&Source]) -> String {
    let (mut documented, mut public) = (0, 0);
    for source in sources {
        let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
        for item in public_items(&source.shipped) {
            let above = &lines[..line_at(&source.shipped, item) - 1];
            public += 1;
            documented += usize::from(has_comment(above));
        }
    }
    format!("{documented} / {public}")
}

/// Attributes may stand between, also those of several lines.
fn has_comment(above: &[&str]) -> bool {
    let is_attribute = |line: &&&str| line.starts_with('#') || line.ends_with([']', ',', '(']);
    let mut lines = above.iter().rev().skip_while(is_attribute);
    lines.next().is_some_and(|line| line.starts_with("///"))
}
