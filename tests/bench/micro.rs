//! What the parts of a plan cost, each alone: `cargo bench`, or `cargo bench walk` for one of them.
//!
//! Figures are of a warm page cache and one thread. Whole plans of real guests are measured by `examples/bench`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

mod files;
mod papers;

fn main() {
    divan::main();
}
