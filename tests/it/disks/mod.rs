//! What file systems do differently: a plan promises only what the one at hand can do, and what is found out late costs
//! one line and not the run.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `single_failures` | a name that the file system lets neither be linked nor exchanged |
//! | `projects` | guests, bases and files in projects, which directories inherit |
//! | `doctor` | what `doctor` says of a file system, beside what other programs can do there |
//! | `encryption` | guests and bases in encrypted directories |
//! | `inode_flags` | flags that files inherit from their directories, or that say how they are stored |
//! | `layers` | file systems that lie over others: FUSE, overlay |
//! | `room` | the room that an undo needs |

mod doctor;
mod encryption;
mod inode_flags;
mod layers;
mod projects;
mod room;
mod single_failures;
