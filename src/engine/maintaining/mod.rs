//! `maintain`, and its halves `thaw` and `refreeze`: a guest gets private copies of what somebody is about to change in
//! it, and what is equal again afterwards is shared again.
//!
//! | file | what it does |
//! | --- | --- |
//! | `names` | which shared names of the guest a command will touch |
//! | `thaw` | gives the guest private copies of these, by an undo of its own |
//! | `refreeze` | plans all guests anew, and applies the lines that share again what was thawed |
//! | `before` | which lines of that plan share what was shared before the thaw |
//! | `choices` | by which choices that is planned: those of the last plan |
//! | `command` | the command between the two |
//!
//! A shared object is never opened to anybody: other guests keep what they have, and at most stand still for the moment
//! of an exchange. The base has a paper, `maintained`, that is durable before the first name is thawed and goes after
//! the last is shared again: no plan and no apply links names of the guest meanwhile, `status` names it, and
//! `refreeze` goes on from wherever an interruption was. The names themselves are the business of `undo` and `apply`,
//! which are healed as they always are.

mod before;
mod choices;
mod command;
mod names;
mod refreeze;
mod thaw;

pub use command::{CommandOutput, MaintainCommand, NoCommand};
pub use refreeze::{Refrozen, maintained, refreeze};
pub use thaw::{ReadyToThaw, ThawOptions, Thawed, look_at_thaw};
