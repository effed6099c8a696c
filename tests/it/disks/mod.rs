//! What file systems do differently: a plan promises only what the one at hand can do, and what is found out late costs
//! one line and not the run.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `single_failures` | a name that the file system lets neither be linked nor exchanged |

mod single_failures;
