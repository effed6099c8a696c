//! What the project says of itself is true: the README, the pages of the guide, the samples and the manual.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `pages` | no test: reads the README and the guide |
//! | `guide` | the commands, links and messages of all pages |
//! | `ci` | what `examples/ci` shows: pipeline, approval, hooks |
//! | `readme` | what stands in the README alone: the two scripts, the plan, the exit codes |
//! | `scripts` | what the scripts look for before they begin, the unit, and the job that checks guests |
//! | `sample_plans` | the words of the plans in `examples/plans`, and of the report in the README |
//! | `manual` | `man` and `completions` |

mod ci;
mod guide;
mod manual;
mod pages;
mod readme;
mod sample_plans;
mod scripts;
