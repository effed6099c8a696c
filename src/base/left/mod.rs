//! Papers about what a process leaves that dies: guests that stand still, objects without their protection, half a
//! clone. Each is written before that can be, and goes when it cannot be any more.

mod frozen;
mod half_clone;
mod lifted;

pub use frozen::FrozenPaper;
pub use lifted::{LiftedObject, LiftedPaper};
