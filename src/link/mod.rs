//! Floor 3, how a name comes to refer to another inode.
//!
//! [`exchange_names`] is the only place of the whole program that renames a name of a guest. It exchanges, looks
//! at what came out, and exchanges back until what comes out is what was put in, because whatever else comes out
//! is newer than anything we know. There is no fallback to a plain rename: that one clobbers.
//! [`rehearse`] tries on scratch files whether names can be shared at all. [`share_blocks`] lets files that stay what
//! they are share blocks, and [`can_reflink`] tries that.

mod exchange;
mod reflink;
mod rehearsal;

pub use exchange::{Exchange, Exchanged, exchange_names};
pub use reflink::{ShareOutcome, Unshare, WhyNotShared, can_reflink, share_blocks, unshare_blocks};
pub use rehearsal::{Impossible, rehearse};
