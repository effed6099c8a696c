//! How all commands answer, whichever they are.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `errors` | errors and refusals under --json |
//! | `every_command` | that a command has an answer for programs |
//! | `for_programs` | JSON: schemas, one type for one key, what comes next |
//! | `manners` | quiet, the base that is found, the width of the screen, help |

mod errors;
mod every_command;
mod for_programs;
mod manners;
