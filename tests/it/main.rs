//! The whole program from outside: each file shows one promise of the README on real files.
//!
//! | folder | put a test here when it is about |
//! | --- | --- |
//! | `floors` | the source: what each file may import, call and contain |
//! | `deciding` | which files a plan shares, and what a base remembers |
//! | `keeping` | what is shared stays protected, whatever the world does to guests and bases |
//! | `answers` | how all commands answer: JSON and its schemas, errors, quiet, help |
//! | `commands` | what one command answers, and whether that and the README are true |
//! | `comparing` | `diff`: two plans, a plan and now, two guests, two files |
//! | `refusing` | what the program refuses: changed files, edited and hostile plans, bad surroundings |
//! | `checking` | what `check` finds, what counts of it, and in which forms it answers |
//! | `reviewing` | what a reviewer does between plan and apply, and what exit codes answer |
//! | `live_guests` | guests that run, are frozen, write or attack meanwhile |
//! | `crash` | runs that were killed or lost power, and how the next run heals |
//! | `reading` | how guests are read: rights, cold disks, the page cache, odd names, file systems |
//! | `disks` | what file systems do differently: projects, encryption, inherited flags, layers |
//! | `reflinks` | files that come to share blocks, and get their own again |
//! | `support` | nothing: it is the kit that all tests use, and `support/tests.rs` tests the kit itself |
//!
//! The `mod.rs` of a folder says which of its files a test belongs in. A test file imports from `support` alone, never
//! from another test file: what two files need moves to `support`.
//!
//! # How much is tried
//!
//! The tests count what they do, and `tests/run.sh` prints it at its end; these are such figures, of 2 cores.
//!
//! | what | a commit: `tests/run.sh`, 6 to 10 minutes | a night: `UNIFY_LONG=1 tests/run.sh` | in |
//! | --- | --- | --- | --- |
//! | system calls of apply, undo, gc and recover at which the run is killed | 3,500 calls on each of ext4, XFS and btrfs: every 60th or 180th | each | `crash/matrix` |
//! | errors of these calls | one for each call that is killed | every errno that the call can give, once and for good | `crash/matrix` |
//! | kills from outside, of the program as it is shipped | 104 | 700 | `crash/matrix` |
//! | kills while guests are frozen | 24 of 93 calls | each | `live_guests/frozen_guests` |
//! | disks whose power went | 59 on each file system, of 91 to 112 flushes | 5,970: each flush and 20 subsets between two | `crash/power` |
//! | disks whose power went while files were parted for their writers | some 40 on each of ext4, XFS and btrfs | each flush and 20 subsets between two | `crash/power/breaks` |
//! | disks whose power went while blocks were shared | 16 on XFS and btrfs | each flush and 20 subsets between two | `crash/power/reflinks` |
//! | kinds of writers in a running guest, and what they wrote | 12 kinds, 12,000 writes: none lost, none back from the dead | 60 seconds a kind and file system | `live_guests/writers` |
//! | names exchanged under plan, apply, verify, status and undo | 3,500 exchanges, 60 commands | 10 minutes | `live_guests/swaps` |
//! | hostile plans | 200 by hand and 300 by chance, with and without `--accept-edits` | 20,000 by chance | `refusing/hostile_plans` |
//! | defences switched off | 16 of 16 are missed by a test | the same | `refusing/mutation` |
//!
//! One kind alone: `tests/run.sh matrix`, or a whole folder: `tests/run.sh live_guests`. The word may be any part
//! of a test's path, such as `crash::matrix::undo_on_ext4`. A seed of chance is printed and is given back by
//! `UNIFY_SEED`.
//!
//! Tests assert the state of files, not messages. What a machine cannot do is skipped aloud, see [`skip!`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

#[macro_use]
mod support;

mod answers;
mod checking;
mod commands;
mod comparing;
mod crash;
mod deciding;
mod disks;
mod floors;
mod keeping;
mod live_guests;
mod reading;
mod reflinks;
mod refusing;
mod reviewing;
