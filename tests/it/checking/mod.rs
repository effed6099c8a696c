//! What `check` finds, what counts of it, and in which forms it answers.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `rules` | what each rule finds in guests, and what it leaves alone |
//! | `modified` | files that are not what their packages brought, beside the package managers' own word |
//! | `counting` | policies, exceptions, baselines, levels and exit codes |
//! | `forms` | SARIF, JUnit and the other forms, as services take them |
//! | `plans` | plans that are checked |
//! | `wishes` | what pipelines ask for, each as one command |

mod counting;
mod forms;
mod modified;
mod plans;
mod rules;
mod wishes;
