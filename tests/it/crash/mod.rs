//! A run that ends too early: killed, failed or without power. No guest loses a byte, and the next run heals.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `killed` | a kill at a random moment |
//! | `interrupted` | a kill at a chosen system call, and what `recover` makes of it |
//! | `matrix` | every system call, killed and failed |
//! | `power` | a power cut at any moment, on a disk that records its writes |
//! | `recover_interrupted` | a `recover` or `gc` that is itself killed, from states that no journal explains |
//! | `healed` | guests that wrote between an interrupted `apply` and its healing |
//! | `half_undone` | guests that wrote between an interrupted `undo` and its healing |
//! | `unrecorded_holders` | healing, where an open file or a moved name holds an inode and no receipt tells of it |

mod half_undone;
mod healed;
mod interrupted;
mod killed;
mod matrix;
mod power;
mod recover_interrupted;
mod unrecorded_holders;
