//! What `check` finds, as functions from what was seen to findings, and from findings to a verdict.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `secret` | is this file a secret of one machine, and what kind |
//! | `unowned` | must this file have a package |
//! | `names` | can other systems and people use this name |
//! | `rights` | which programs have more rights in one guest than in another |
//! | `drift` | what is not as in the golden guest |
//! | `key` | what a finding is known by in a baseline |
//! | `judge` | what counts: levels, exceptions, the baseline |
//!
//! A name alone never makes a finding where content or a package database can decide. Nothing here knows a clock: the
//! day is given.

mod capabilities;
pub mod drift;
pub mod judge;
pub mod key;
pub mod names;
pub mod rights;
pub mod secret;
pub mod unowned;
