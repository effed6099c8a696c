//! Which files a plan shares and which it leaves alone, what a base remembers for that, and whole trips from plan to
//! undo.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `matching` | which files count as the same, and which names are exchanged together |
//! | `care_rules` | files that are never shared, their reason codes, and how a user lifts a rule |
//! | `package_managers` | guests of several distributions: whose package manager names which configuration |
//! | `choices` | patterns that name guests or go through links, and choices that change nothing |
//! | `policy_file` | choices that come from a policy file |
//! | `flag_clearers` | guests that could take the flag off a shared file |
//! | `guest_cost` | what one guest may cost the plan of all |
//! | `shared_extents` | copies that share their extents: what they cost, and what is said of them |
//! | `shared_inodes` | files that guests share already, and nothing protects |
//! | `path_order` | the order in which `apply` takes the lines of a plan |
//! | `digest_cache` | contents that a base remembers, and when a plan does not believe it |
//! | `moved_guests` | guests that were renamed or moved since the base saw them |
//! | `restored_bases` | bases that were copied, restored or cloned, or whose file system has a new identity |
//! | `lost_receipts` | names that no receipt tells of, because it is lost or damaged |
//! | `spilled_memory` | what a base remembers when memory is too small for it |
//! | `debian_guests` | real Debian guests, from plan to undo |
//! | `random_trees` | trees that chance makes, from plan to undo |

mod care_rules;
mod choices;
mod debian_guests;
mod digest_cache;
mod flag_clearers;
mod guest_cost;
mod matching;
mod moved_guests;
mod package_managers;
mod path_order;
mod policy_file;
mod random_trees;
mod shared_extents;
mod shared_inodes;
mod spilled_memory;
