//! What the choices of a policy come to: patterns, includes and allowed rules that change nothing are told.

pub mod check;
pub mod idle;
pub mod method;
pub mod uses;
