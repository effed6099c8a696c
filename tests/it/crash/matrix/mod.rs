//! Every system call of every command that changes anything, killed and failed: nothing is lost, and the next run
//! heals. The program is built with the feature `faults` (see `src/sys/fault.rs`); without it all of this is skipped.
//!
//! A case is one scene, one command, one call of it, and what happens there. Afterwards, and again after `recover`,
//! every name has its content and metadata; then nothing is in staging, no shared object is without its flag, the
//! same plan goes on to its end, `undo` and `gc` leave nothing. Cases are held to all of that by `oracle`.
//!
//! | | calls | kills | errors | where |
//! | --- | --- | --- | --- | --- |
//! | a commit | every 120th of ext4, every 360th of XFS and btrfs | one a call | one errno a call, every 4th for good | `tests/run.sh` |
//! | a night | all | one a call | every errno that the call can give, once and for good | `UNIFY_LONG=1 tests/run.sh matrix` |
//!
//! The harness prints how many cases there were of each kind; `tests/run.sh` lists that at its end.

mod cases;
mod oracle;
mod scene;
mod strace;

use crate::support::{Disk, Lab};
use cases::{Level, sweep};
use scene::Phase;

/// All phases on one disk.
fn all(disk: Disk, phases: &[Phase]) {
    armed!();
    let lab = match Lab::in_memory(disk) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    for phase in phases {
        sweep(&lab, disk, *phase, Level::asked(disk));
    }
}

#[test]
fn first_apply_on_ext4() {
    all(Disk::Ext4, &[Phase::First]);
}

#[test]
fn later_apply_on_ext4() {
    all(Disk::Ext4, &[Phase::More]);
}

#[test]
fn undo_on_ext4() {
    all(Disk::Ext4, &[Phase::Undo]);
}

#[test]
fn gc_and_recover_on_ext4() {
    all(
        Disk::Ext4,
        &[Phase::Gc, Phase::RecoverApply, Phase::RecoverUndo],
    );
}

/// From outside, on the program as it is shipped.
#[test]
fn strace_says_the_same() {
    traced!();
    armed!();
    let lab = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let every = if crate::support::is_long() { 1 } else { 50 };
    for phase in [Phase::First, Phase::More, Phase::Undo, Phase::Gc] {
        let killed = strace::sweep(&lab, phase, every);
        crate::support::figure(&format!("matrix strace {phase:?}: {killed} killed"));
    }
}

#[test]
fn everything_on_xfs() {
    all(Disk::Xfs, Phase::ALL);
}

#[test]
fn everything_on_btrfs() {
    all(Disk::Btrfs, Phase::ALL);
}
