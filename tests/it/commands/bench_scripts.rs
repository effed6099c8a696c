//! The scripts of `examples/bench` parse, and say how they are used.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What is in `examples/bench` and ends so.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bench");
    let entries = std::fs::read_dir(dir).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            let ending = path.extension().unwrap_or_default();
            endings.iter().any(|wanted| ending == *wanted)
        })
        .collect()
}

fn bash(arguments: &[&str], script: &Path) -> Output {
    let mut command = Command::new("bash");
    command.args(arguments).arg(script);
    if arguments.is_empty() {
        command.arg("--help");
    }
    command.output().unwrap()
}

#[test]
fn the_scripts_of_the_benchmark_parse() {
    let scripts = files(&["sh", "bash"]);
    assert_eq!(scripts.len(), 8, "{scripts:?}");
    for script in scripts {
        let out = bash(&["-n"], &script);
        assert!(
            out.status.success() && out.stderr.is_empty(),
            "{}: {}",
            script.display(),
            String::from_utf8_lossy(&out.stderr)
        );
    }
}

#[test]
fn the_scripts_of_the_benchmark_have_help() {
    for script in files(&["sh"]) {
        let out = bash(&[], &script);
        let name = script.file_name().unwrap().to_str().unwrap();
        let help = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{name}");
        assert!(help.starts_with(&format!("usage: {name} ")), "{help}");
    }
}
