//! Reads the README and the pages of the guide.

use std::path::{Path, PathBuf};

pub const TOP: &str = env!("CARGO_MANIFEST_DIR");

pub struct Page {
    /// Beneath the top of the checkout.
    pub path: PathBuf,
    pub text: String,
}

pub fn readme() -> Page {
    page("README.md".into())
}

/// The README and every page of the guide.
pub fn all() -> Vec<Page> {
    let entries = std::fs::read_dir(Path::new(TOP).join("examples/guide")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    let mut paths: Vec<PathBuf> = names
        .map(|name| Path::new("examples/guide").join(name))
        .collect();
    paths.sort();
    paths.insert(0, "README.md".into());
    paths.into_iter().map(page).collect()
}

fn page(path: PathBuf) -> Page {
    let text = std::fs::read_to_string(Path::new(TOP).join(&path)).unwrap();
    Page { path, text }
}

impl Page {
    /// `README`, `life`, …
    pub fn name(&self) -> &str {
        self.path.file_stem().unwrap().to_str().unwrap()
    }

    /// The insides of all fenced blocks in a language.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let fence = format!("\n```{language}\n");
        let parts = self.text.split(&*fence).skip(1);
        parts
            .map(|part| part.split("\n```").next().unwrap().to_owned())
            .collect()
    }

    /// Commands of all console blocks, in order.
    pub fn commands(&self) -> Vec<String> {
        let lines = self.blocks("console").join("\n");
        lines
            .lines()
            .map(|line| {
                let command = line.strip_prefix("$ ");
                command.unwrap_or_else(|| panic!("{:?}: no command: {line}", self.path))
            })
            .map(str::to_owned)
            .collect()
    }
}
