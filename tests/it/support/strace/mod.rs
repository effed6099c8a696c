//! Runs the program under `strace`: interrupted at a chosen call, held at one, or with its calls listed.

mod held;

use std::process::Command;

pub use held::{Held, Status, capability_set, status_of};

use super::{BIN, Guest, Lab};

/// Is `strace` on this machine?
pub fn has_strace() -> bool {
    Command::new("strace").arg("-V").output().is_ok()
}

/// Runs `unify` and kills it as it enters the `nth` call of `call`; fails if it never comes there.
pub fn interrupt(call: &str, nth: usize, args: &[&str]) {
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let status = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", &inject])
        .arg(BIN)
        .args(args)
        .output()
        .expect("strace runs");
    assert!(!status.status.success(), "{call} {nth} was not reached");
}

/// Plans for three guests, and kills `apply` as it enters the `nth` call of `call`.
pub fn interrupt_apply(
    lab: &Lab,
    guests: &[Guest; 3],
    options: &[&str],
    (call, nth): (&str, usize),
) {
    let plan = lab.plan(&guests.each_ref(), options);
    interrupt(call, nth, &["apply", "--yes", plan.path.to_str().unwrap()]);
}

/// A line of a trace: the thread, and what it called.
pub struct Call {
    pub thread: String,
    pub text: String,
}

/// The calls of these kinds that a command makes, in their order.
pub fn calls(lab: &Lab, kinds: &str, args: &[&str]) -> Vec<Call> {
    let trace = lab.path("trace");
    let out = Command::new("strace")
        .args([
            "-f",
            "-y",
            "-e",
            &format!("trace={kinds}"),
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(&trace)
        .arg(BIN)
        .args(args)
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    let text = std::fs::read_to_string(trace).unwrap();
    let call = |line: &str| {
        let (thread, text) = line.split_once(' ')?;
        let (thread, text) = (thread.to_owned(), text.trim_start().to_owned());
        Some(Call { thread, text })
    };
    text.lines().filter_map(call).collect()
}
