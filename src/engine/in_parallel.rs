//! Looks at many things in parallel, and changes none: whatever changes something is done by one thread, one
//! after another, but for files that come to share blocks, which is seen nowhere. Where this process may have no other
//! thread, the looks are made one after another, too.

use rayon::prelude::*;

use crate::sys::has_workers;

/// Fewer are not worth it, and tests that count calls want them in one order.
pub(super) const MANY: usize = 64;

/// Looks at each, and returns what the looks found, in their order.
pub(super) fn each<T: Sync, R: Send>(all: &[T], look: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if all.len() < MANY || !has_workers() {
        all.iter().map(look).collect()
    } else {
        all.par_iter().map(look).collect()
    }
}

/// The same for looks that leave a note at what they look at.
pub(super) fn each_noting<T: Send, R: Send>(
    all: &mut [T],
    look: impl Fn(&mut T) -> R + Sync + Send,
) -> Vec<R> {
    if all.len() < MANY || !has_workers() {
        all.iter_mut().map(look).collect()
    } else {
        all.par_iter_mut().map(look).collect()
    }
}
