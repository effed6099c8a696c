//! What one command answers, and whether its answers, the written formats and the README are true.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `plan` | what `plan` writes, and that it changes nothing |
//! | `findings` | what a plan reports beside its actions: near misses, common secrets, packages |
//! | `guest_names` | what guests are called that are given without a name |
//! | `odd_roots` | what a plan says of roots that may be a slip |
//! | `explain` | `explain` |
//! | `status` | `status` |
//! | `orphans` | shared names that no package owns any more |
//! | `gc` | `gc` |
//! | `verify_threads` | `verify` and its scrub with many threads |
//! | `figures` | what is promised and reported, compared with the disk, and which field is said to differ |
//! | `receipts_are_true` | receipts, totals and `status`, compared with the disk |
//! | `written_format` | `schemas/`, `examples/`, and plans that break the schema |
//! | `documents` | what the README, the guide, the samples, the scripts and the manual say |
//! | `upgrade` | what the README says of upgrades inside a guest |
//! | `bench_scripts` | the scripts of `examples/bench` |

mod bench_scripts;
mod documents;
mod explain;
mod figures;
mod findings;
mod gc;
mod guest_names;
mod odd_roots;
mod plan;
mod receipts_are_true;
mod status;
mod upgrade;
mod verify_threads;
mod written_format;
