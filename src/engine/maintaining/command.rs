//! The command that somebody runs while a guest is thawed.

use std::ffi::OsString;

use crate::engine::EngineError;
use crate::model::CommandEnd;
use crate::sys::host::command::UserCommand;
use crate::sys::host::signals::Stop;

pub use crate::sys::host::command::{CommandOutput, NoCommand};

/// A command that can be run.
#[derive(Debug)]
pub struct MaintainCommand(UserCommand);

impl MaintainCommand {
    /// Finds its program, before anything is thawed for it.
    pub fn find(words: &[OsString]) -> Result<MaintainCommand, NoCommand> {
        UserCommand::find(words).map(MaintainCommand)
    }

    /// Runs it, with our input, and waits for its end. A signal goes on to it.
    pub fn run(&self, output: CommandOutput, stop: &Stop) -> Result<CommandEnd, EngineError> {
        Ok(self.0.run(output, stop)?)
    }
}
