//! The command that somebody runs while a guest is thawed.

use std::ffi::OsString;

use crate::engine::EngineError;
use crate::sys::host::command::UserCommand;
use crate::sys::host::signals::Stop;

pub use crate::sys::host::command::NoCommand;

/// A command that can be run.
#[derive(Debug)]
pub struct MaintainCommand(UserCommand);

impl MaintainCommand {
    /// Finds its program, before anything is thawed for it.
    pub fn find(words: &[OsString]) -> Result<MaintainCommand, NoCommand> {
        UserCommand::find(words).map(MaintainCommand)
    }

    /// Runs it, with our input and output, and waits for its end. A signal goes on to it.
    /// Returns its exit code, as a shell does.
    pub fn run(&self, stop: &Stop) -> Result<u8, EngineError> {
        Ok(self.0.run(stop)?.code())
    }
}
