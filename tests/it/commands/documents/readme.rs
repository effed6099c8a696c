//! The README is true: its two scripts run, the plan that the guide shows is a plan, and its tables of exit codes and
//! of programs in a guarded guest are those of the program and of the lists.

use std::path::Path;
use std::process::Command;

use super::pages::{self, TOP};
use crate::support::{BIN, Disk, debian, unify, validate};

#[test]
fn the_set_up_is_two_scripts_and_one_command() {
    let lines = pages::readme().blocks("sh").join("\n");
    let words = lines
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let words: Vec<&str> = words.collect();
    assert_eq!(words, ["examples/two-guests.sh", "tests/run.sh", "cargo"]);
    let ci = std::fs::read_to_string(Path::new(TOP).join(".ci/run")).unwrap();
    let install = lines.lines().last().unwrap();
    let (install, root) = install.rsplit_once(' ').unwrap();
    assert!(
        ci.contains(install),
        "CI does what the README says: {install}"
    );
    assert_eq!(root, "/usr/local", "where the unit looks for the program");
}

/// The first of the two, on the guests that the other tests use.
#[test]
fn the_demonstration_runs() {
    let lab = lab!(Disk::Own);
    debian(&lab);
    let script = Path::new(TOP).join("examples/two-guests.sh");
    let guests = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests");
    let out = Command::new(script)
        .envs([
            ("UNIFY", BIN.as_ref()),
            ("SCRATCH", lab.path("").as_os_str()),
            ("GUESTS", guests.as_os_str()),
        ])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    assert!(said.contains("nothing was lost"), "{said}");
}

/// The plan that is explained is an example that the program reads.
#[test]
fn the_plan_of_the_guide_is_the_example() {
    let example = Path::new(TOP).join("examples/plans/two-guests.json");
    let example = std::fs::read_to_string(example).unwrap();
    let pages = pages::all();
    let shown: Vec<String> = pages.iter().flat_map(|page| page.blocks("json")).collect();
    assert_eq!(shown, [example.trim_end()]);
    assert_eq!(validate(&serde_json::from_str(&example).unwrap()), [""; 0]);
}

/// Rows such as `| 5 | plan refused as a whole |`.
fn exit_codes() -> Vec<(String, String)> {
    let text = pages::readme().text;
    let (_, text) = text.split_once("## Exit codes").expect("its heading");
    let row = |line: &str| {
        let (code, meaning) = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split_once(" | ")?;
        code.starts_with(|c: char| c.is_ascii_digit())
            .then(|| (code.to_owned(), meaning.replace('`', "")))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn its_exit_codes_are_those_of_the_help() {
    let help = unify(&["--help"]).expect(0).stdout.replace('`', "");
    let (_, list) = help
        .split_once("xit codes")
        .expect("`unify --help` lists exit codes");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let table = exit_codes();
    assert!(table.len() > 10, "{table:?}");
    for (code, meaning) in &table {
        let row = words(&format!("{code} {meaning}"));
        assert!(
            words(list).contains(&row),
            "`unify --help` does not say: {row}"
        );
    }
    let numbers = list.lines().filter_map(|line| {
        line.split_whitespace()
            .next()?
            .trim_end_matches(',')
            .parse::<u32>()
            .ok()
    });
    for number in numbers {
        let known = table
            .iter()
            .any(|(code, _)| code.split(", ").any(|code| code == number.to_string()));
        assert!(known, "the README does not explain exit code {number}");
    }
}

/// Each command that runs in a guarded guest is in its table, and nothing else is.
#[test]
fn the_programs_in_a_guarded_guest_are_those_that_were_run() {
    let script = Path::new(TOP).join("tests/guard/programs/table.sh");
    let table = String::from_utf8(Command::new(script).output().unwrap().stdout).unwrap();
    let readme = std::fs::read_to_string(Path::new(TOP).join("README.md")).unwrap();
    assert!(table.contains("`apt upgrade`"));
    assert!(readme.contains(&format!("\n\n{table}\n")), "{table}");
}
