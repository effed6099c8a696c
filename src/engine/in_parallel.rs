//! Looks at many things in parallel, and changes none: whatever changes something is done by one thread, one
//! after another.

use rayon::prelude::*;

/// Fewer are not worth it, and tests that count calls want them in one order.
pub(super) const MANY: usize = 64;

/// Looks at each, and returns what the looks found, in their order.
pub(super) fn each<T: Sync, R: Send>(all: &[T], look: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if all.len() < MANY {
        all.iter().map(look).collect()
    } else {
        all.par_iter().map(look).collect()
    }
}
