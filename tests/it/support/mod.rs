//! The test kit: scratch disks, guests, listings of what is on disk, and the program itself.
//!
//! A test reads as a sentence: a [`Lab`] on a [`Disk`], guests in it, a [`Listing`] before, the
//! program, a [`Listing`] after. What two test files need stands here, because no test file imports from another.
//!
//! | file | what it does for a test |
//! | --- | --- |
//! | `lab` | makes a scratch area on a file system of one's choice |
//! | `guest`, `debian`, `scenes` | make guests: of files that a test describes, of real Debian, and small sets of them |
//! | `guest/packaged` | makes guests of rpm and pacman by these themselves, and takes a whole Alpine |
//! | `program` | runs the program, and holds every answer of it against its schema |
//! | `planned`, `edited` | make plans and read them; edit them as people do |
//! | `base` | reads receipts, objects, staging and quarantine of a base |
//! | `program/checked` | runs `check`, and says what it found |
//! | `program/kernel` | runs `guardd`, and plays the kernel that asks it |
//! | `cycle` | goes the way from plan to `gc`, and checks it at each step |
//! | `lab/blocks` | tells which blocks files have in common, and how much a file system stores |
//! | `listing`, `walk` | list all that is on disk, and compare it |
//! | `attributes` | sets projects, encryption and inode flags |
//! | `processes` | puts processes into guests, in cgroups or without |
//! | `strace` | interrupts the program at a system call, holds it there, or lists its calls |
//! | `faults` | runs commands in the middle of an `apply`, by the shim |
//! | `spoil` | spoils the bytes of an object, or fills a disk |
//! | `tests` | tests the kit itself |

mod attributes;
mod base;
mod cycle;
mod debian;
mod edited;
mod faults;
mod guest;
mod lab;
mod listing;
mod planned;
mod processes;
mod program;
mod scenes;
mod spoil;
mod strace;
mod walk;

pub use attributes::{chattr, encrypt, project_of, set_project};
pub use base::line_of;
pub use cycle::{cycle, listings, unchanged};
pub use debian::{debian, debian_apart, dpkg_says};
pub use edited::{action_of, edited, without_flag_of};
pub use faults::{apply_while, until_a_writer_waits};
pub use guest::packaged::{Manager, alpine, packaged};
pub use guest::{File, Guest, content, make_fifo};
pub use lab::blocks::{Exact, TRIED_FIRST, assert_exact, exact, shares_blocks, soon_has_its_own};
pub use lab::{Disk, Lab, unmount};
pub use listing::{Listing, Stamps, assert_same};
pub use planned::{Planned, bytes_of, strings_in, validate};
pub use processes::{ALIVE, Cgroup, InCgroup, Inside, LONG, assert_alive, calls_of_apply, inside};
pub use program::answers::{schemas, wrong_with};
pub use program::checked::CheckAnswer;
pub use program::kernel::{Asking, Kernel, append, generation, until};
pub use program::{BIN, Out, unify, unify_with, unify_without_admin};
pub use scenes::{one_exchange, three_guests, two_guests};
pub use spoil::{fill_disk, rot};
pub use strace::{
    Call, Held, Status, calls, capability_set, has_strace, interrupt, interrupt_apply, status_of,
};
pub use walk::{disk_use, id, is_immutable, lift_flags, nlink, walk};

/// Is this a night's work (`UNIFY_LONG=1`): every call, every error, every moment?
pub fn is_long() -> bool {
    std::env::var_os("UNIFY_LONG").is_some_and(|value| value == "1")
}

/// Says aloud that a test was not done, and why, and ends it. `tests/run.sh` prints all of these again at the end.
macro_rules! skip {
    ($($why:tt)*) => {{
        fn here() {}
        $crate::support::skipped(std::any::type_name_of_val(&here), &format!($($why)*));
        return;
    }};
}

/// Ends the test aloud where the shim is not built in.
macro_rules! armed {
    () => {
        if !cfg!(feature = "faults") {
            skip!("built without the feature `faults`");
        }
    };
}

/// Ends the test aloud where there is no `strace` to interrupt runs and to see calls by.
macro_rules! traced {
    () => {
        if !$crate::support::has_strace() {
            skip!("strace is not here");
        }
    };
}

/// A lab on the disk asked for, or a test skipped aloud.
macro_rules! lab {
    ($disk:expr) => {
        match $crate::support::Lab::on($disk) {
            Ok(lab) => lab,
            Err(why) => skip!("{why}"),
        }
    };
}

/// A scratch area whose disk is in memory, or a test skipped aloud: nobody waits for the machine's own disk.
macro_rules! memory_lab {
    ($disk:expr) => {
        match $crate::support::Lab::in_memory($disk) {
            Ok(lab) => lab,
            Err(why) => skip!("{why}"),
        }
    };
}

/// A cgroup, or a test skipped aloud.
macro_rules! cgroup {
    ($name:expr) => {
        match $crate::support::Cgroup::new($name) {
            Ok(cgroup) => cgroup,
            Err(why) => skip!("{why}"),
        }
    };
}

/// What [`skip!`] calls: it writes past the capture of the test harness, and into a file for `tests/run.sh`.
pub fn skipped(here: &str, why: &str) {
    let test = here.trim_end_matches("::here");
    note("skipped.txt", &format!("SKIPPED {test}: {why}\n"));
}

/// How much a test tried: said, and into a file for `tests/run.sh`.
pub fn figure(line: &str) {
    note("figures.txt", &format!("{line}\n"));
}

fn note(file: &str, line: &str) {
    use std::io::Write;
    std::io::stderr().write_all(line.as_bytes()).ok();
    let list = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let list = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(list);
    list.and_then(|mut file| file.write_all(line.as_bytes()))
        .ok();
}

#[cfg(test)]
mod tests;
