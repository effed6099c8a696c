//! The `unify` program: everything is in the library, see its front page.
fn main() {}
