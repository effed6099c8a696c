//! Floor 3, the base: the directory beside the guests that holds the shared inodes.
//!
//! ```text
//! BASE/                 0700
//!   format              what this directory is, the version of this layout, and where it was made
//!   cache/digests       contents that `plan` has read: disposable, written without the lock
//!   clone               where a guest is being made from another one
//!   frozen              cgroups that the current run may have frozen
//!   lifted              objects that `recover` or `gc` may have left without protection
//!   maintained          guests that are being maintained: no plan links their names
//!   moving              from which protection to which other the objects are being moved
//!   protection          what protects the objects, where that does not stand in themselves
//!   lock                held by the run that changes anything
//!   scrub/read          when the objects of each `ab` were last read again, all of them
//!   objects/ab/REST     one inode each; "ab" + REST is the object's name without `sha256:`
//!   writes, writes.1    what guests wrote to shared files, and what came of it: the last 8 MiB
//!   turn, turn.next     held while names are in flight, for a moment each; and by who is the next
//!   staging/RUN/SEQ     what is about to be exchanged with a guest's name, and afterwards what came out
//!   quarantine/RUN/SEQ  what came out of a guest and is not known: kept for a person
//!   runs/RUN/           the plan that was executed, the journal, the receipt
//! ```
//!
//! An object's name says what it must be, so a base can be checked without any record. Nothing in here is ever
//! reachable from a guest. Staging is in the base and not in the guest: no litter there, and no access to what
//! was taken out.

mod digests;
mod error;
mod identity;
mod index;
mod inheritance;
mod layout;
mod left;
mod locks;
mod make;
mod own_turn;
mod places;
mod protection;
mod quarantine;
mod runs;
mod scrub_times;
mod settle;
mod trust;

pub use digests::{Digests, KnownContent};
pub use error::BaseError;
pub use index::{Held, Index};
pub use layout::Base;
pub use left::{FrozenPaper, LiftedObject, LiftedPaper, MaintainedPaper, MovingPaper};
pub use make::{MakeError, copy, prove};
pub use places::{JOURNAL, OLDER_WRITES, PLAN, RECEIPT, RECOVERED, WRITES};
pub use protection::ProtectionPaper;
pub use runs::Run;
pub use scrub_times::Scrubbed;
pub use trust::check_place;
