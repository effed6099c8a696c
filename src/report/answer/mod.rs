//! What all answers for programs have in common: their schemas, the error that stands in place of one, and the commands
//! that may come next.

pub mod error;
pub mod next;
pub mod schema_list;
pub mod schemas;
