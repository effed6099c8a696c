//! Breaking: a guest that is about to write to a shared file gets a file of its own, and the write goes there.
//!
//! The guard's programs in the kernel let the writer begin its call anew until it is answered; this is who answers. A
//! break is: a private copy, durable; the intents in the journal, durable; all names of the guest's file exchanged by
//! the one exchange of this program; the record. Nobody has to stand still for it and nothing is lifted, because a
//! marked object cannot be changed by anybody: the copy cannot be out of date, and a writer who walked the path before
//! the exchange meets the guard again.
//!
//! # What excludes what
//!
//! A run of `apply`, `undo` or `gc` may hold its base for minutes, and no writer can wait for that. So names are moved
//! by turns (see `base`): a run has the turn for a batch, breaks have it for two seconds and the act that is under way
//! then, and a healing as long as it takes. What breaks have done is made durable in their turn, beside the answers: as
//! long as nobody else wants the turn more breaks go on in it meanwhile. Where no turn is to be had for ten seconds,
//! all that wait for it are denied at once, and the log says why. What a break changes between two batches the next
//! batch finds by the inodes, as it finds whatever a guest does; what a batch changes is found by the record
//! (`knowledge`). What a run adds to its papers is read as it grows, and all of the record is read again only for who
//! writes to what that names. So a run that was cut short, which heals with the next run or `recover` and not here,
//! costs no writer anything, and one at work only those who write to what it shares.
//!
//! # One guest and the others
//!
//! A guest's root is hostile, and may ask as often and for as much as it likes. It has a share (`line`), and no more:
//! the next request is one of who had the least of the base's thread so far, what one guest has waiting is bounded for
//! that guest, and the thread that takes requests waits for no base. A search, a long copy and the base's own papers
//! are read and made beside the answers, few at once and one of a kind for each guest, and by threads that take no
//! processor from the answers. Where no run wants its turn, nobody waits until all that guests have written is on the
//! disk. What one guest can make others wait for is one act: a copy of 4 MiB at most, and the exchange of 10,000 names.
//! A guest pays for what is copied for it, be it used or not.
//!
//! # Bases that are not ready
//!
//! Writers wait from the first moment on, and each base answers as soon as it is healed and read itself. One that
//! cannot be is left out, and its writers are denied with the reason. A daemon that fails says as its last word that
//! nobody shall wait: it is started anew without end, and writers would wait through each of its lives.
//!
//! # What is rarely as one thinks
//!
//! * A second request is often no second need: a writer that walked the path before the exchange asks once more. It is
//!   told to look again, and nothing is searched for it.
//! * A guest has names that no record knows, by `ln` or `mv`. The kernel tells the directory of the one that is written
//!   to, and what can be told from that is looked at first (`names`). If the link count shows that names are missing
//!   still, one search through the guest, in a thread of its own, finds them for all who wait.
//! * A file of several names is held until all of them lead to the copy: who wrote by one would not find it by another.
//! * A guest may hold a write lease (`fcntl(2)`) on a shared inode, and then nobody opens it, not even for reading. Its
//!   writers wait until the kernel has taken that away; others do not.
//! * Two files of a guest on one object are two files: what is written to one is not for the other.
//!
//! What a process of the guest locked or watched before, or has open, stays with the shared file. That is looked for
//! after the answer, beside the other answers, and recorded: such a file is better not shared.
//!
//! A process that dies in between leaves a journal. The next one, or `recover`, finishes the file whose first name was
//! exchanged and drops the copy of one that was not, while guests run (`healing`).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `daemon` | the threads and their signs of life; which bases are ready |
//! | `worker`, `waits` | one base's thread, and what requests wait for there |
//! | `answers` | what one request is answered |
//! | `request` | a request on its way |
//! | `line` | who waits for what, in shares of those who ask |
//! | `names` | whose write it is, and which names there are now |
//! | `decide` | which of them get which copy |
//! | `part`, `copies` | the act, and copies that take long |
//! | `burst` | breaks in a row, how they are closed, and the run of a day |
//! | `first_healing` | what is healed before anybody is answered |
//! | `leases` | what nobody can open for a while, because a process holds a lease on it |
//! | `uses` | who used a file as its guest wrote to it |
//! | `knowledge`, `background` | what is read and done in the background |
//! | `current` | whether what is known is true still |
//! | `allowance` | how much may be copied for a guest in an hour |
//! | `tell`, `denials` | what is said and recorded of it, and which denials are |

mod allowance;
mod answers;
mod background;
mod burst;
mod copies;
mod current;
mod daemon;
mod decide;
mod denials;
mod first_healing;
mod knowledge;
mod leases;
mod line;
mod names;
mod part;
mod request;
mod tell;
mod uses;
mod waits;
mod worker;

use std::path::PathBuf;

use crate::model::GuardLevel;

pub use allowance::Allowance;
pub use daemon::answer_writers;

/// What a daemon is asked for.
#[derive(Debug, Default)]
pub struct GuarddOptions {
    /// The bases that it answers for.
    pub bases: Vec<PathBuf>,
    /// How much a guest may have broken.
    pub allowance: Allowance,
    /// The most that is done for a writer; `None` for whatever the kernel can do.
    pub most: Option<GuardLevel>,
}
