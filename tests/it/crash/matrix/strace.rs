//! The same kills from outside, by `strace`, on the program as it is shipped where `UNIFY_RELEASE` names it: so
//! that the shim need not be believed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use super::cases::Fault;
use super::oracle;
use super::scene::{Command, Phase, Scene};
use crate::support::{BIN, Lab, Out};

/// Calls of the kernel that change something, as `strace` names them.
const CALLS: &str = "renameat2,linkat,ioctl,syncfs,fsync,fdatasync,unlinkat,fcntl,write,pwrite64,mkdir,mkdirat,rename,\
    utimensat,fchown,fchmod,fsetxattr,ftruncate,flock,rmdir,unlink";

/// Kills the command of `phase` at every `every`th of its calls that change something.
pub fn sweep(lab: &Lab, phase: Phase, every: usize) -> usize {
    let program = program();
    let mut killed = 0;
    for (call, nth) in calls(lab, phase, &program).into_iter().step_by(every) {
        let scene = Scene::new(lab, "strace", &["--objects", "adopt"]);
        let command = scene.begin(phase, 0);
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let out = traced(
            &scene,
            &command,
            &program,
            &["-e", &inject],
            Path::new("/dev/null"),
        );
        let what = format!("{phase:?}: killed by strace at {call} {nth}");
        assert_ne!(out.code, 0, "{what}: not reached");
        oracle::judge(&scene, &command, &out, &Fault::Kill, &what);
        killed += 1;
    }
    killed
}

/// What is shipped, without the shim, where `UNIFY_RELEASE` names it, or else what the tests use.
fn program() -> PathBuf {
    std::env::var_os("UNIFY_RELEASE").map_or_else(|| BIN.into(), PathBuf::from)
}

/// Every call that is made: its name, and which of its kind it is.
fn calls(lab: &Lab, phase: Phase, program: &Path) -> Vec<(String, usize)> {
    let scene = Scene::new(lab, "count", &["--objects", "adopt"]);
    let command = scene.begin(phase, 0);
    let trace = scene.lab.path("calls");
    let filter = format!("trace={CALLS}");
    let out = traced(
        &scene,
        &command,
        program,
        &["-e", &filter, "-e", "signal=none"],
        &trace,
    );
    assert_eq!(out.code, 0, "{}", out.stderr);
    let text = std::fs::read_to_string(trace).unwrap();
    // The first thread alone changes anything, and strace counts each thread for itself. How many calls the others make
    // depends on what else runs on this machine.
    let pid = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let first = text.lines().next().and_then(pid);
    let names = text
        .lines()
        .filter(|line| pid(line) == first)
        .filter_map(|line| line.split_whitespace().nth(1)?.split_once('('));
    let mut met = BTreeMap::new();
    let number = |(name, _): (&str, &str)| {
        let nth = met.entry(name.to_owned()).or_insert(0);
        *nth += 1;
        (name.to_owned(), *nth)
    };
    names.map(number).collect()
}

fn traced(scene: &Scene, command: &Command, program: &Path, how: &[&str], to: &Path) -> Out {
    let out = Process::new("strace")
        .args(["-f", "-o", to.to_str().unwrap()])
        .args(how)
        .arg(program)
        .args(scene.args(command))
        .output()
        .unwrap();
    Out {
        args: String::new(),
        code: out.status.code().unwrap_or(-1),
        stdout: String::new(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}
