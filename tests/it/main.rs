//! The whole program from outside: each module shows one promise of the README on real files.
//!
//! | module | put a test here when it is about |
//! | --- | --- |
//! | `floors` | the source: who may import, call and contain what |
//! | `real` | real Debian guests, from plan to undo |
//! | `matching`, `care`, `families`, `policy` | what is shared, and what never is |
//! | `plan`, `noticed`, `explain`, `status`, `gc` | what one command answers |
//! | `refused`, `running`, `locks` | what `apply` must not do |
//! | `told` | that receipts, totals and `status` say what the disk says |
//! | `cache` | what is remembered of contents, and when it is not believed |
//! | `confined`, `unseen` | what a command that only reads gives up, and that it sees the same |
//! | `edits`, `schema` | plans that people changed, and the written format |
//! | `hostile_plans` | plans that somebody wrote to do harm |
//! | `starts` | what the program is born into: descriptors, masks, limits, full disks |
//! | `names`, `sparse`, `filesystems` | odd input, odd disks |
//! | `disks`, `page_cache` | cold and slow disks: who reads, in which order, and what stays in the page cache |
//! | `frozen`, `still`, `stuck`, `writers` | guests that run meanwhile |
//! | `swaps` | guests that attack meanwhile |
//! | `moved` | guests that are not where the base remembers them |
//! | `shelved` | that what is remembered need not fit the memory |
//! | `killed`, `cut`, `power`, `guards`, `properties` | any moment, any tree |
//! | `healed`, `half_undone`, `holders` | what guests did between a cut and its healing |
//! | `matrix`, `races`, `spoiled_objects`, `weak` | every system call killed and failed; what happens in the very moment; defences switched off |
//! | `verified` | what `verify` finds, with however many threads |
//! | `defence`, `limits` | what the base refuses, and how far a run goes |
//! | `readme`, `upgrade` | that the README is true |
//! | `bounded` | what one guest may cost the plan of all |
//! | `bench` | that the benchmark's scripts are whole |
//! | `kit` | the helpers of all these |
//!
//! # How much is tried
//!
//! The tests count what they do, and `tests/run.sh` prints it at its end; these are such figures, of 2 cores.
//!
//! | what | a commit: `tests/run.sh`, 6 to 10 minutes | a night: `UNIFY_LONG=1 tests/run.sh` | in |
//! | --- | --- | --- | --- |
//! | system calls of apply, undo, gc and recover at which the run is killed | 3,500 calls on each of ext4, XFS and btrfs: every 8th or 25th | each | `matrix` |
//! | errors of these calls | one for each call that is killed | every errno that the call can give, once and for good | `matrix` |
//! | kills from outside, of the program as it is shipped | 104 | 700 | `matrix` |
//! | kills while guests are frozen | 24 of 93 calls | each | `frozen` |
//! | disks whose power went | 59 on each file system, of 91 to 112 flushes | 5,970: each flush and 20 subsets between two | `power` |
//! | kinds of writers in a running guest, and what they wrote | 12 kinds, 12,000 writes: none lost, none back from the dead | 60 seconds a kind and file system | `writers` |
//! | names swapped under plan, apply, verify, status and undo | 3,500 swaps, 60 commands | 10 minutes | `swaps` |
//! | hostile plans | 200 by hand and 300 by chance, with and without `--accept-edits` | 20,000 by chance | `hostile_plans` |
//! | defences switched off | 16 of 16 are missed by a test | the same | `weak` |
//!
//! One kind alone: `tests/run.sh matrix`. A seed of chance is printed and is given back by `UNIFY_SEED`.
//!
//! Tests assert the state of files, not messages. What a machine cannot do is skipped aloud, see [`skip!`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

#[macro_use]
mod support;

mod bench;
mod bounded;
mod by_path;
mod cache;
mod care;
mod confined;
mod cut;
mod defence;
mod disks;
mod edits;
mod explain;
mod families;
mod filesystems;
mod floors;
mod frozen;
mod gc;
mod guards;
mod half_undone;
mod healed;
mod holders;
mod hostile_plans;
mod killed;
mod kit;
mod limits;
mod locks;
mod matching;
mod matrix;
mod moved;
mod names;
mod noticed;
mod old_formats;
mod page_cache;
mod plan;
mod policy;
mod power;
mod properties;
mod races;
mod readme;
mod real;
mod refused;
mod running;
mod schema;
mod shelved;
mod sparse;
mod spoiled_objects;
mod starts;
mod status;
mod still;
mod stuck;
mod swaps;
mod told;
mod unseen;
mod upgrade;
mod verified;
mod weak;
mod writers;
