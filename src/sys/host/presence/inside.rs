//! Who was found inside, and why it may not be everybody.

use std::fmt;

use crate::model::Escaped;

/// A process inside a guest, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Process id.
    pub pid: String,
    /// Its command name as the kernel keeps it; 15 bytes that the process chose.
    pub command: Vec<u8>,
    /// `root`, `working directory`, `program`, `mapping` or `descriptor`.
    pub what: &'static str,
    /// Could it take the immutable flag off a file?
    pub may_clear_flags: bool,
    /// Is it a process of this host that only has files of the guest open, such as a manager's monitor?
    pub is_of_host: bool,
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has = match self.what {
            "mapping" | "descriptor" => "a",
            _ => "its",
        };
        let (pid, command) = (&self.pid, Escaped(&self.command));
        write!(
            f,
            "process {pid} ({command}) has {has} {} inside",
            self.what
        )
    }
}

/// Why not everything that is inside is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The same wherever it is the same, so without a process id.
    pub why: String,
    /// The process that it is about, if it is about one.
    pub process: Option<u32>,
}
