//! The whole program from outside: each module shows one promise of the README on real files.
//!
//! | module | put a test here when it is about |
//! | --- | --- |
//! | `floors` | the source: who may import, call and contain what |
//! | `real` | real Debian guests, from plan to undo |
//! | `matching`, `care`, `families`, `policy` | what is shared, and what never is |
//! | `plan`, `noticed`, `explain`, `status`, `gc` | what one command answers |
//! | `refused`, `running`, `locks` | what `apply` must not do |
//! | `confined` | what a command that only reads gives up |
//! | `edits`, `schema` | plans that people changed, and the written format |
//! | `hostile_plans` | plans that somebody wrote to do harm |
//! | `starts` | what the program is born into: descriptors, masks, limits, full disks |
//! | `names`, `sparse`, `filesystems` | odd input, odd disks |
//! | `frozen` | guests that run meanwhile |
//! | `moved` | guests that are not where the base remembers them |
//! | `killed`, `cut`, `power`, `guards`, `properties` | any moment, any tree |
//! | `matrix`, `races`, `weak` | every system call killed and failed; what happens in the very moment; defences switched off |
//! | `defence`, `limits` | what the base refuses, and how far a run goes |
//! | `readme`, `upgrade` | that the README is true |
//! | `bench` | that the benchmark's scripts are whole |
//! | `kit` | the helpers of all these |
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
mod care;
mod confined;
mod cut;
mod defence;
mod edits;
mod explain;
mod families;
mod filesystems;
mod floors;
mod frozen;
mod gc;
mod guards;
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
mod sparse;
mod starts;
mod status;
mod upgrade;
mod weak;
