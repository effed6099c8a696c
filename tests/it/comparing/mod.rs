//! What `diff` says that two plans, two guests or two files have not in common, and that it changes nothing.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `plans` | two plans: lines, choices, guests, forms, what counts |
//! | `now` | a plan and its guests as they are now |
//! | `guests` | two guests: names, metadata, packages, privileged files, what cannot be read |
//! | `files` | one file of two guests |
//! | `hostile` | names that deceive, guests that wait or hold more than they seem to, memory |

mod files;
mod guests;
mod hostile;
mod now;
mod plans;
