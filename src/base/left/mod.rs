//! Papers about what a process leaves that dies: guests that stand still, objects without their protection, half a
//! clone, guests that are being maintained. Each is written before that can be, and goes when it cannot be any more.

mod frozen;
mod half_clone;
mod lifted;
mod maintained;
mod moving;

pub use frozen::FrozenPaper;
pub use lifted::{LiftedObject, LiftedPaper};
pub use maintained::MaintainedPaper;
pub use moving::MovingPaper;
