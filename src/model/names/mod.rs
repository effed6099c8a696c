//! The names of one guest: [`Tree`] holds all of them in little memory, and [`Scan`] says besides what of the guest
//! could not be read. A walk of a directory makes them, or whatever else reads a guest.

mod descent;
mod near;
mod scan;
mod tree;

pub use descent::{Descent, DescentStep};
pub use near::{ChoseNothing, nearest_of};
pub use scan::{Scan, Unread};
pub use tree::{TooLarge, Tree, TreeBuilder};
