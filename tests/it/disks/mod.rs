//! What file systems do differently: a plan promises only what the one at hand can do, and what is found out late costs
//! one line and not the run.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `single_failures` | a name that the file system lets neither be linked nor exchanged |
//! | `inode_flags` | flags that files inherit from their directories, or that say how they are stored |

mod inode_flags;
mod single_failures;
