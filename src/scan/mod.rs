//! Floor 3, reading guests: every name of a tree, as one pass of a walk meets it.
//!
//! The walk is by path and may be fooled where a guest moves its directories meanwhile; what it finds is a
//! *proposal*. Code that acts on a name opens it again beneath the root and looks at what it is at that point.
//! Nothing is opened here but directories, nothing is read but names and `lstat`, and nothing is left out in
//! silence: what could not be read is in [`Scan::unread`](crate::model::Scan::unread).

mod walk;

pub use walk::scan;
