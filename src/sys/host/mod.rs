//! What is the host's: the machine and its file systems, mounts, processes, cgroups, signals, and what a process
//! of ours gives up.

pub mod command;
pub(super) mod freezer;
pub(super) mod landlock;
pub mod machine;
pub mod other_runs;
pub(in crate::sys) mod pids;
pub mod presence;
pub(super) mod rotation;
pub mod service;
pub mod settings;
pub mod signals;
pub mod trials;
pub(super) mod watchdog;
pub(super) mod workers;
pub mod writer;
