//! Paths as guests resolve them: what a glob of a person means in each guest, and which name was probably meant by one
//! that is not there.
//!
//! People and package managers say `/lib/x` where a guest has `/usr/lib/x` behind a link. Plans and receipts know names
//! without links, so every path that a person gives is followed inside its guest first: beneath the root, never out of
//! it, and with bounds, for the guest may hold any links.

pub mod choice;
pub mod links;
pub mod near;
pub mod selected;
