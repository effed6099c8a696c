//! What is our own: papers of the base, new files, and tables that go on in a file. No path of a guest comes in here.

mod emptying;
pub mod keep;
pub mod litter;
pub mod new_file;
pub mod paged;
pub mod papers;
pub mod scratch;
pub(super) mod shelf;
pub mod stage;
pub mod tail;
pub mod turns;
