//! Which paths does `apply` give to the kernel? Beneath a guest none at all: only a directory's descriptor and one
//! component, or `openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Canary, scene};
use crate::support::{BIN, Disk, Planned, figure, id};

/// All calls that take a path, as `strace` groups them, and those that the kernel gained since.
const CALLS: &str =
    "trace=%file,openat2,linkat,renameat2,unlinkat,mkdirat,utimensat,fchownat,fchmodat";

/// Every traced call as a line.
fn calls_of_apply(plan: &Planned, log: &Path) -> Vec<String> {
    let status = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-y",
            "-s",
            "4096",
            "-o",
            log.to_str().unwrap(),
            "-e",
            CALLS,
        ])
        .arg(BIN)
        .args(["apply", "--yes", plan.path.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(0));
    let text = std::fs::read_to_string(log).unwrap();
    let calls = text.lines().filter(|line| line.contains('('));
    calls.map(str::to_owned).collect()
}

/// The strings of a call, and the directory that each is relative to, as `strace -y` shows it. None of ours holds a
/// quotation mark.
fn strings<'a>(call: &'a str) -> Vec<(&'a str, &'a str)> {
    let pieces: Vec<&str> = call.split('"').collect();
    let pairs = pieces.chunks_exact(2);
    let shown = |before: &'a str| Some(before.strip_suffix(">, ")?.rsplit_once('<')?.1);
    pairs
        .map(|pair| (shown(pair[0]).unwrap_or_default(), pair[1]))
        .collect()
}

/// What is wrong with a call, if anything is.
fn fault(call: &str, guests: &[&str]) -> Option<&'static str> {
    let beneath = |path: &str| {
        guests
            .iter()
            .any(|root| path.starts_with(&format!("{root}/")))
    };
    let strings = strings(call);
    if strings.iter().any(|(_, path)| beneath(path)) {
        return Some("a path beneath a guest");
    }
    let in_guest = |at: &str| beneath(&format!("{at}/"));
    let steps = |path: &str| path.contains('/') || path == "..";
    if !strings.iter().any(|(at, path)| in_guest(at) && steps(path)) {
        return None;
    }
    let contained = ["openat2(", "RESOLVE_BENEATH", "RESOLVE_NO_SYMLINKS"];
    let contained = contained.iter().all(|word| call.contains(word));
    (!contained).then_some("several components, and not contained")
}

#[test]
fn no_path_beneath_a_guest() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = scene(&lab);
    let canary = Canary::of(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let calls = calls_of_apply(&plan, &lab.path("strace"));
    let (file, canary_path) = ("/usr/dir-0/0", lab.path("canary"));
    assert_eq!(id(&web.host(file)), id(&db.host(file)), "it was applied");
    let journal = calls.iter().position(|call| call.contains("/journal\""));
    let calls = &calls[journal.expect("the journal is made")..];
    let outside = [web.root(), db.root(), &canary_path].map(|path| path.to_str().unwrap());
    for call in calls {
        assert_eq!(fault(call, &outside), None, "{call}");
    }
    let of = |name: &str| calls.iter().filter(|call| call.contains(name)).count();
    let (opens, exchanges) = (of("openat2("), of("RENAME_EXCHANGE"));
    figure(&format!(
        "swaps audit: {} calls with paths, {opens} openat2, {exchanges} exchanges, none with a path beneath a guest",
        calls.len()
    ));
    assert!(opens > 20 && exchanges > 20, "the calls were seen");
    canary.assert_unmoved(&lab, "after a quiet run");
}
