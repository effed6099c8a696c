//! What a reviewer does between `plan` and `apply`, and what the exit codes answer.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `selectors` | `--guest`, `--path`, `--reason`, `--package`, `--min-saves` and their opposites, and `cut` |
//! | `meant_alone` | what a selector does not mean and leaves as it is |
//! | `dry_run` | `apply --dry-run`, `undo --dry-run` and `show --stale`, which prove and change nothing |
//! | `true_rehearsals` | figures of runs that are not made, what refuses them, and JSON that an error ends |
//! | `exit_codes` | what an exit code says: questions, what could not be read, what is not applied or not healed |

mod dry_run;
mod exit_codes;
mod meant_alone;
mod selectors;
mod true_rehearsals;
