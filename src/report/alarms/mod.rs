//! What a person has to act on, said above everything else or, where it has just been put right, as the answer.

pub mod frozen;
pub mod shared_unprotected;
pub mod spoiled;
pub mod unprotected;
