//! What the program refuses: files that changed, plans that were edited or forged, bad surroundings, foreign bases, and
//! limits that a run keeps.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `changed_files` | names that changed between `plan` and `apply` |
//! | `edited_plans` | plans that people edited: which edits `apply` obeys, and which it refuses |
//! | `hostile_plans` | plans that an attacker wrote to do harm |
//! | `costly_plans` | plans that would cost far more than they say |
//! | `bad_environment` | closed descriptors, masks, limits, full disks and the like, in which the program starts |
//! | `in_a_chroot` | a chroot that is no mount point |
//! | `base_lock` | two runs on one base |
//! | `two_bases` | runs of two bases on the same guests |
//! | `base_defends` | a base against other users, copies of itself, and rot |
//! | `run_limits` | how far and how fast a run goes, and how it ends on a signal |
//! | `wrong_roots` | directories and files that are no guests, and guests that are given twice |
//! | `wrong_places` | bases that cannot be where they should, and guests that no base can serve |
//! | `mutation` | a defence that is switched off, and the test that must miss it |

mod bad_environment;
mod base_defends;
mod base_lock;
mod changed_files;
mod costly_plans;
mod edited_plans;
mod hostile_plans;
mod in_a_chroot;
mod mutation;
mod run_limits;
mod two_bases;
mod wrong_places;
mod wrong_roots;
