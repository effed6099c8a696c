//! The product has no switches for its defences. This test takes each out of a copy of the source, builds that
//! once, and some test of this suite must fail by it. The test runs again in a process of its own, in whose mount
//! namespace the weak program lies over the one that is tested.

mod defences;
mod weak_program;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::BIN;
use defences::DEFENCES;

/// Runs the test that misses the defence, by the weak program; gives what it printed, and whether it passed.
fn without(defence: &str, missed_by: &str, weak: &Path) -> (String, bool) {
    let script = r#"mount --bind "$1" "$2" && shift 2 && exec "$@""#;
    let again = Command::new("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .args([weak, Path::new(BIN), &std::env::current_exe().unwrap()])
        .args([missed_by, "--exact", "--nocapture"])
        .env("UNIFY_WEAK", defence)
        .output()
        .unwrap();
    let said = [again.stdout, again.stderr].concat();
    (
        String::from_utf8_lossy(&said).into_owned(),
        again.status.success(),
    )
}

#[test]
fn every_defence_is_missed() {
    armed!();
    let weak = weak_program::build(DEFENCES);
    // With no defence switched off it is whole. On a commit a sample of the tests is asked, in a night all of them.
    let tests: BTreeSet<&str> = DEFENCES.iter().map(|defence| defence.missed_by).collect();
    let every = if crate::support::is_long() { 1 } else { 5 };
    for missed_by in tests.into_iter().step_by(every) {
        let (said, passed) = without("", missed_by, &weak);
        assert!(passed, "{said}");
    }
    let (mut caught, mut missed) = (0, Vec::new());
    for defence in DEFENCES {
        let (said, passed) = without(defence.name, defence.missed_by, &weak);
        assert!(
            said.contains("1 test"),
            "there is no test {}: {said}",
            defence.missed_by
        );
        match (passed, said.contains("SKIPPED")) {
            (false, _) => caught += 1,
            (true, true) => {}
            (true, false) => missed.push(format!(
                "{} passes with {}",
                defence.missed_by, defence.name
            )),
        }
    }
    let all = DEFENCES.len();
    crate::support::figure(&format!("weak builds: {caught} of {all} caught"));
    assert!(missed.is_empty(), "{missed:#?}");
}
