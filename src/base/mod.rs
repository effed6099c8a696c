//! Floor 3, the base: the directory beside the guests that holds the shared inodes.
//!
//! ```text
//! BASE/                 0700
//!   format              one line: what this directory is, and the version of this layout
//!   lock                held by the run that changes anything
//!   objects/ab/REST     one inode each; "ab" + REST is the object's name without `sha256:`
//!   staging/RUN/SEQ     what is about to be exchanged with a guest's name, and afterwards what came out
//!   quarantine/RUN/SEQ  what came out of a guest and is not known: kept for a person
//!   runs/RUN/           the plan that was executed, the journal, the receipt
//! ```
//!
//! An object's name says what it must be, so a base can be checked without any record. Nothing in here is ever
//! reachable from a guest. Staging is in the base and not in the guest: no litter there, and no access to what
//! was taken out.

mod flag;
mod index;
mod layout;
mod make;

pub use flag::{FlagTest, test_flag};
pub use index::{Held, Index};
pub use layout::{Base, BaseError, Run};
pub use make::{MakeError, copy, prove};
