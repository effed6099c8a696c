//! What fuzzing begins with, and what it has found, is run by every test: no panic, no wait, no answer larger than
//! its input.

use super::*;
use crate::sys::effort::computed;

fn files(manager: &str) -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let Ok(files) = fs::read_dir(corpus.join(manager)) else {
        return Vec::new();
    };
    files
        .map(|file| file.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

/// Stores have no database of their own to parse.
#[test]
fn every_parser_has_a_corpus_and_stands_it() {
    for backend in ALL
        .iter()
        .filter(|b| !matches!(b.manager(), "nix" | "guix"))
    {
        let manager = backend.manager();
        let files = files(manager);
        assert!(!files.is_empty(), "{manager} has no corpus");
        let target = format!("tests/fuzz/fuzz_targets/{manager}.rs");
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        assert!(target.exists(), "{manager} has no fuzz target");
        for (name, data) in files {
            let before = computed();
            if let Some(Ok(entries)) = parse_as(manager, &data) {
                assert!(entries <= data.len() + 1, "{name}");
            }
            assert!((computed() - before).as_secs() < 10, "{name}");
        }
    }
    assert!(parse_as("nobody", b"").is_none());
}
