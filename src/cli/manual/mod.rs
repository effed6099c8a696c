//! What is installed beside the program: manual pages and completions for shells, both made of the command line itself.

pub(super) mod completions;
pub(super) mod man;
