//! What is the host's: the machine and its file systems, mounts, processes, cgroups, signals, and what a process
//! of ours gives up.

pub(super) mod freezer;
pub(super) mod landlock;
pub mod machine;
pub(super) mod mounts;
pub(in crate::sys) mod pids;
pub(super) mod processes;
pub(super) mod rotation;
pub mod signals;
pub(super) mod watchdog;
pub(super) mod workers;
