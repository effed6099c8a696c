//! A sweep chooses the calls at which it kills a command, and how.

use std::panic::AssertUnwindSafe;

use super::oracle;
use super::scene::{Command, Phase, Scene};
use crate::support::{Disk, Lab};

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Of so many calls, one is tried.
    every: usize,
    /// Every errno that a call can give, once and for good; else one of them.
    all_errors: bool,
}

impl Level {
    /// What the environment asks for.
    pub fn asked(disk: Disk) -> Level {
        let long = crate::support::is_long();
        let every = match disk {
            _ if long => 1,
            Disk::Own | Disk::Ext4 => 120,
            Disk::Xfs | Disk::Btrfs => 360,
        };
        Level {
            every,
            all_errors: long,
        }
    }
}

/// What happens at a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Kill,
    /// The call fails with this, once or whenever it is made from then on.
    Fail(&'static str, bool),
}

impl Fault {
    fn spec(&self, call: usize) -> String {
        match self {
            Fault::Kill => format!("{call}=kill"),
            Fault::Fail(errno, false) => format!("{call}={errno}"),
            Fault::Fail(errno, true) => format!("{call}+={errno}"),
        }
    }
}

/// Where objects come from: both ways.
const VARIANTS: [&[&str]; 2] = [&["--objects", "copy"], &["--objects", "adopt"]];

/// Interrupts the command of `phase` at its calls.
pub fn sweep(lab: &Lab, disk: Disk, phase: Phase, level: Level) {
    let (mut kills, mut errors, mut calls) = (0, 0, 0);
    let mut bad = Vec::new();
    for (variant, options) in VARIANTS.into_iter().enumerate() {
        let cut = where_to_cut(lab, phase, options);
        let trace = trace(lab, phase, options, cut);
        calls += trace.len();
        for (at, name) in trace.iter().enumerate().skip(variant).step_by(level.every) {
            for fault in faults(name, at, level) {
                match fault {
                    Fault::Kill => kills += 1,
                    Fault::Fail(..) => errors += 1,
                }
                let case = || one(lab, phase, options, cut, at + 1, name, &fault);
                bad.extend(std::panic::catch_unwind(AssertUnwindSafe(case)).err());
            }
        }
    }
    crate::support::figure(&format!(
        "matrix {disk:?} {phase:?}: {calls} calls, {kills} killed, {errors} failed"
    ));
    if let Some(first) = bad.into_iter().next() {
        std::panic::resume_unwind(first);
    }
}

fn one(
    lab: &Lab,
    phase: Phase,
    options: &'static [&'static str],
    cut: u64,
    call: usize,
    name: &str,
    fault: &Fault,
) {
    let scene = Scene::new(lab, "case", options);
    let command = scene.begin(phase, cut);
    let out = scene.unify(&[("UNIFY_FAULT", &fault.spec(call))], &command);
    let what = format!("{phase:?} {options:?}, call {call} ({name}), {fault:?}");
    oracle::judge(&scene, &command, &out, fault, &what);
}

/// The names of the calls that the command makes.
fn trace(lab: &Lab, phase: Phase, options: &'static [&'static str], cut: u64) -> Vec<String> {
    let scene = Scene::new(lab, "trace", options);
    let command = scene.begin(phase, cut);
    let trace = traced(&scene, &command);
    assert!(
        trace.len() > 30,
        "{phase:?}: the shim saw {} calls",
        trace.len()
    );
    trace
}

fn traced(scene: &Scene, command: &Command) -> Vec<String> {
    let file = scene.lab.path("trace");
    let env = [("UNIFY_FAULT_TRACE", file.to_str().unwrap())];
    scene.unify(&env, command).expect(0);
    let text = std::fs::read_to_string(&file).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Where the command that `recover` heals is killed: an apply before its commit, an undo in the middle of dropping.
fn where_to_cut(lab: &Lab, phase: Phase, options: &'static [&'static str]) -> u64 {
    let (before, last) = match phase {
        Phase::RecoverApply => (Phase::More, "syncfs"),
        Phase::RecoverUndo => (Phase::Undo, "unlink"),
        _ => return 0,
    };
    let trace = trace(lab, before, options, 0);
    let at = trace.iter().rposition(|name| name == last);
    at.expect("such a call") as u64 + 1
}

fn faults(call: &str, at: usize, level: Level) -> Vec<Fault> {
    let errnos = errnos(call);
    let mut all = vec![Fault::Kill];
    if level.all_errors {
        for errno in errnos {
            all.push(Fault::Fail(errno, false));
            all.push(Fault::Fail(errno, true));
        }
    } else {
        let errno = errnos[at % errnos.len()];
        all.push(Fault::Fail(errno, at.is_multiple_of(4)));
    }
    all
}

/// What a call can answer.
fn errnos(call: &str) -> &'static [&'static str] {
    match call {
        "link" => &[
            "ENOSPC", "EMLINK", "EDQUOT", "EIO", "EPERM", "EROFS", "EXDEV",
        ],
        "exchange" => &["ENOSPC", "EIO", "EPERM", "EROFS", "EXDEV", "ENOENT"],
        "create" | "mkdir" | "tmpfile" | "rename" | "move" => &["ENOSPC", "EDQUOT", "EIO", "EROFS"],
        "write" | "truncate" => &["ENOSPC", "EDQUOT", "EIO", "EINTR"],
        "sync" | "syncfs" => &["EIO", "ENOSPC", "EDQUOT"],
        "unlink" | "rmdir" => &["EIO", "EROFS", "EPERM", "ENOENT"],
        "open" => &["EIO", "EMFILE", "ENOENT", "EAGAIN", "EPERM", "EINTR"],
        "read" => &["EIO", "EINTR"],
        "setflags" | "chown" | "chmod" | "setxattr" | "times" => {
            &["EPERM", "EIO", "EROFS", "ENOSPC"]
        }
        "lease" => &["EAGAIN", "ENOMEM"],
        _ => &["EIO", "ENOMEM"],
    }
}
