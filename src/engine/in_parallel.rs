//! Looks at many things side by side. Only looks: whatever changes something is done by one thread, one after another.

use rayon::prelude::*;

/// Fewer are not worth it, and tests that count calls want them in one order.
pub(super) const MANY: usize = 64;

/// What the look at each says, in their order.
pub(super) fn each<T: Sync, R: Send>(all: &[T], look: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if all.len() < MANY {
        all.iter().map(look).collect()
    } else {
        all.par_iter().map(look).collect()
    }
}
