//! Processes that live in a guest while the program works: plain ones, and those of a cgroup that can be frozen.

mod alive;
mod cgroup;
mod inside;

pub use alive::{ALIVE, LONG, assert_alive, calls_of_apply};
pub use cgroup::{Cgroup, InCgroup};
pub use inside::{Inside, inside};
