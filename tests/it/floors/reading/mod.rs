//! Reads Rust files as far as the laws need it: what is code, what is defined, what is named, and where that lies.

mod blank;
mod graph;
mod items;
mod modules;
mod paths;
mod source;
mod text;
mod tree;

pub use graph::{Import, circles, imports};
pub use items::{Function, functions, public_items, types};
pub use modules::Modules;
pub use paths::{Named, mentions};
pub use source::Source;
pub use text::{block_end, body_or_end, find_word, line_at, name_at};
pub use tree::{Tree, checkout};
