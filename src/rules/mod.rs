//! Floor 1, thought: every decision of the program, as functions from plain data to plain data.
//!
//! A plan is made in three steps, and each is a file here:
//!
//! 1. **classify**: what must stay private, and why. [`care`] holds the care rules and the user's
//!    patterns; what package databases say is asked for by the caller before.
//! 2. **match**: which of the remaining files have the same content and metadata.
//! 3. **choose**: which object each group gets, and what it is made from; in [`reflink`] whose blocks its files get,
//!    and what the rules mean then.
//!
//! Before all that, [`root`] says what looks like the root of a guest at all.
//!
//! [`findings`] decides what `check` says of guests, and what of it counts.
//!
//! `apply` asks the same room again before it touches a name: [`precondition`] says which facts about a file
//! changed since the plan was made.
//!
//! The room may assume nothing but what stands in its arguments, and names and attributes among
//! them are an attacker's: every matcher is linear in pattern times name, and nothing recurses over
//! input. It never opens a file, reads a clock or the environment, and never prints.

pub mod care;
mod care_rule;
mod care_table;
pub mod care_uses;
pub mod changes;
pub mod choose;
pub mod crossing;
pub mod findings;
pub mod identity;
pub mod inode_flags;
pub mod pattern;
pub mod precondition;
pub mod prospect;
pub mod reading;
pub mod reflink;
pub mod root;
pub mod secrets;
pub mod selectors;
pub mod totals;
