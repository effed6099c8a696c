//! Reads what a base holds: receipts, objects, and what runs have staged or quarantined.

use std::path::PathBuf;

use serde_json::Value;

use super::planned::schema;
use super::{Lab, strings_in};

impl Lab {
    /// The lines of the newest receipt.
    pub fn receipt(&self) -> Vec<Value> {
        let runs = std::fs::read_dir(self.base().join("runs")).expect("runs of the base");
        let receipts = runs.map(|run| run.unwrap().path().join("receipt.jsonl"));
        let newest = receipts
            .filter(|path| path.exists())
            .max_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
        let text = std::fs::read_to_string(newest.expect("a receipt")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Value> = lines.collect();
        let schema = schema("receipt-1");
        let bad = lines.iter().find(|line| !schema.is_valid(line));
        assert!(
            bad.is_none(),
            "this line of the receipt breaks the schema: {bad:?}"
        );
        lines
    }

    /// Objects in the base, as paths.
    pub fn objects(&self) -> Vec<PathBuf> {
        let mut objects = Vec::new();
        let fan = std::fs::read_dir(self.base().join("objects"))
            .into_iter()
            .flatten();
        for dir in fan
            .map(|dir| dir.unwrap().path())
            .filter(|dir| dir.is_dir())
        {
            objects.extend(
                std::fs::read_dir(dir)
                    .unwrap()
                    .map(|object| object.unwrap().path()),
            );
        }
        objects.sort();
        objects
    }

    /// What lies in the staging area of any run.
    pub fn staged(&self) -> Vec<PathBuf> {
        let runs = std::fs::read_dir(self.base().join("staging"))
            .into_iter()
            .flatten();
        let list = |run: PathBuf| match std::fs::read_dir(&run) {
            Ok(dir) => dir.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => vec![run],
        };
        runs.flat_map(|run| list(run.unwrap().path())).collect()
    }

    /// What the program has quarantined, in any run.
    pub fn quarantined(&self) -> Vec<PathBuf> {
        let list = |dir: PathBuf| std::fs::read_dir(dir).into_iter().flatten();
        let runs = list(self.base().join("quarantine"));
        runs.flat_map(|run| list(run.unwrap().path()))
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}

/// The line of the receipt about a name.
#[track_caller]
pub fn line_of<'a>(receipt: &'a [Value], guest: &str, path: &str) -> &'a Value {
    let about = |line: &&Value| line["guest"] == guest && strings_in(line).contains(&path);
    receipt
        .iter()
        .find(about)
        .unwrap_or_else(|| panic!("no line about {guest}:{path} in {receipt:#?}"))
}
