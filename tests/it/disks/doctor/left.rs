//! What `doctor` leaves: nothing, wherever it is killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{BIN, Disk, is_long};

/// Killed at each of so many calls on a commit.
const STEP: usize = 97;

fn doctor(dir: &Path, env: &[(&str, String)]) -> Option<i32> {
    let mut program = Command::new(BIN);
    program.args(["doctor", "--json"]).arg(dir).current_dir("/");
    program.envs(env.iter().map(|(name, value)| (*name, value)));
    let out = program.stdin(Stdio::null()).stdout(Stdio::null()).status();
    out.unwrap().code()
}

/// The second process needs a moment.
fn becomes_empty(dir: &Path) -> bool {
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        if std::fs::read_dir(dir).unwrap().count() == 0 {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// What was left by doctors that are gone: those of other tests may be at work.
fn cgroups() -> usize {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let place = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    let (Some(own), Some(place)) = (own, place) else {
        return 0;
    };
    let top = Path::new(place.split(' ').nth(4).unwrap()).join(own);
    let names = std::fs::read_dir(top).unwrap().flatten();
    let left = names.filter(|entry| {
        let name = entry.file_name();
        let maker = name
            .to_str()
            .and_then(|it| it.strip_prefix("unify-doctor."));
        let is_gone = |pid: &str| !Path::new("/proc").join(pid).exists();
        // Its maker may have ended, and removed it, since it was listed.
        maker.is_some_and(is_gone) && entry.path().exists()
    });
    left.count()
}

#[test]
fn nothing_is_left_wherever_it_is_killed() {
    armed!();
    let lab = lab!(Disk::Own);
    let (dir, trace) = (lab.guests(), lab.path("calls"));
    let traced = [("UNIFY_FAULT_TRACE", trace.display().to_string())];
    assert!(matches!(doctor(&dir, &traced), Some(0 | 3)));
    let calls = std::fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    // The many links are one kind of moment.
    let named: Vec<usize> = (0..calls.len())
        .filter(|at| is_long() || *at == 0 || calls[*at] != calls[*at - 1] || at % STEP == 0)
        .collect();
    let step = if is_long() {
        1
    } else {
        named.len().div_ceil(20)
    };
    assert!(named.len() > 40, "{named:?}");
    for at in named.iter().step_by(step) {
        let killed = doctor(&dir, &[("UNIFY_FAULT", format!("{}=kill", at + 1))]);
        assert_eq!(killed, None, "at {at}, {}", calls[*at]);
        assert!(becomes_empty(&dir), "at {at}, {}", calls[*at]);
    }
    assert!(matches!(doctor(&dir, &[]), Some(0 | 3)));
    assert_eq!(cgroups(), 0, "what was left is removed");
}
