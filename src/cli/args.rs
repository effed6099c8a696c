//! Arguments that several commands share.

use std::path::PathBuf;

/// The base that a command looks at.
#[derive(Debug, clap::Args)]
pub(super) struct BaseArg {
    /// The base: the directory that holds the shared files
    #[arg(long, value_name = "DIR")]
    pub base: PathBuf,
}
