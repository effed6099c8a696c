//! A folder holds what one can read at a glance.

use std::collections::BTreeMap;

use super::super::assert_kept;
use super::super::reading::{Source, Tree};

const MOST_FILES: usize = 16;

fn broken(tree: &Tree) -> Vec<String> {
    let mut files = BTreeMap::new();
    for source in &tree.sources {
        *files.entry(folder(source)).or_insert(0) += 1;
    }
    let large = files.into_iter().filter(|(_, files)| *files > MOST_FILES);
    let message =
        |(folder, files)| format!("{folder}: {files} files in one folder, at most {MOST_FILES}");
    large.map(message).collect()
}

fn folder(source: &Source) -> String {
    let folder = format!("{}/{}", source.top, source.folder());
    folder.trim_end_matches('/').to_owned()
}

#[test]
fn folders_are_small() {
    let broken = [broken(&Tree::read("src")), broken(&Tree::read("tests/it"))];
    assert_kept(&broken.concat());
}

#[test]
fn a_large_folder_is_found() {
    let names: Vec<String> = (0..17).map(|n| format!("scan/file{n}.rs")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "")).collect();
    assert_eq!(
        broken(&Tree::planted("src", &files)),
        ["src/scan: 17 files in one folder, at most 16"]
    );
    let elsewhere = [&files[1..], &[("scan/inner/file.rs", "")]].concat();
    assert_eq!(broken(&Tree::planted("src", &elsewhere)), [""; 0]);
}
