//! `check`: what should not be in guests or in a plan. It only reads, as `plan` does, and says what it finds by rules
//! that have names; what counts is decided by `rules/findings`.
//!
//! Guests are read once, by the same walk and the same comparison as for a plan, and looked at while they are open. A
//! gate that could not look must not pass: what cannot be read is a finding, and never silence.
//!
//! | file | what it looks for |
//! | --- | --- |
//! | `secrets` | `shared-secret`, `baked-identity` |
//! | `modified` | `file-modified`, by the digests that package databases have |
//! | `unowned` | `file-unowned` |
//! | `between/rights` | `setuid-differs` |
//! | `between/differences` | `owner-differs`, `mode-differs`, `xattr-differs` |
//! | `between/configs` | `foreign-config` |
//! | `between/hardlinks` | `hardlink-between-guests` |
//! | `between/sharing` | `sharing-below`, `budget-exceeded` |
//! | `between/drift` | `drift-from-golden` |
//! | `names` | `name-unusable` |
//! | `blind` | `database-damaged`, `input-unread` |
//! | `images` | `archive-ambiguous`, and what a form cannot hold |
//! | `plans` | what a plan says of its guests, `config-linked`, `plan-stale` |

mod between;
mod blind;
pub(super) mod guests;
mod images;
mod modified;
mod names;
pub(super) mod options;
pub(super) mod papers;
pub(super) mod plans;
mod secrets;
mod sight;
mod unowned;
