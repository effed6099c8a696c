//! A copy of the source without its defences, each behind a question to the environment, built beside the program. It
//! has another name, so that what both depend on is built once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::defences::{Defence, Edit};
use crate::support::BIN;

/// What `WEAK` stands for in the edits.
const ASK: &str = r#"
/// Is this defence switched off?
pub fn weak(defence: &str) -> bool {
    std::env::var("UNIFY_WEAK").is_ok_and(|weak| weak == defence)
}
"#;

/// Builds it, if it is not built yet, and gives its path.
pub fn build(defences: &[Defence]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    // One place for each build, so that cargo sees what it has built before.
    let copy = target.join("tmp/weak");
    fill(scratch.path(), defences);
    replace(scratch.path(), &copy);
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--offline",
            "--quiet",
            "--features",
            "faults",
            "--bin",
            "unify-weak",
        ])
        .arg("--manifest-path")
        .arg(copy.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success(), "{said}");
    Path::new(BIN).with_file_name("unify-weak")
}

/// Puts the source there, with all edits.
fn fill(copy: &Path, defences: &[Defence]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for tree in ["src", "schemas"] {
        copy_tree(&root.join(tree), &copy.join(tree));
    }
    for defence in defences {
        for edit in defence.edits {
            weaken(copy, defence.name, edit);
        }
    }
    let room = copy.join("src/sys/mod.rs");
    let text = fs::read_to_string(&room).unwrap();
    fs::write(&room, text + ASK).unwrap();
    for paper in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(root.join(paper)).unwrap();
        fs::write(copy.join(paper), renamed(&text)).unwrap();
    }
}

/// Package and program get another name, the library keeps its own, and there is no bench.
fn renamed(text: &str) -> String {
    let text = text.replace("name = \"unify\"", "name = \"unify-weak\"");
    let text = text.replace("[lib]\n", "[lib]\nname = \"unify\"\n");
    let bench = text.find("[[bench]]").zip(text.find("[lints.rust]"));
    match bench {
        Some((from, to)) => [&text[..from], &text[to..]].concat(),
        None => text,
    }
}

fn weaken(copy: &Path, defence: &str, (file, strong, weak): &Edit) {
    let path = copy.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let found = text.matches(strong).count();
    assert_eq!(
        found, 1,
        "{defence}: the text in {file} is there {found} times:\n{strong}"
    );
    let weak = weak.replace("WEAK", &format!("crate::sys::weak({defence:?})"));
    fs::write(&path, text.replacen(strong, &weak, 1)).unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Makes `to` what `from` is. Files that are the same keep their times, so that cargo builds nothing for them.
fn replace(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(to).unwrap() {
        let entry = entry.unwrap();
        if !from.join(entry.file_name()).exists() {
            let path = entry.path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
    }
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if from.is_dir() {
            replace(&from, &to);
        } else if fs::read(&from).ok() != fs::read(&to).ok() {
            fs::copy(from, to).unwrap();
        }
    }
}
