//! `unify watchdog`: waits, for an `apply` that may freeze guests, for the end of that process. The `apply` starts
//! it, not a person.

use std::io::{self, Read};
use std::path::PathBuf;

use super::terminal::exit::{Exit, Failure, say};
use super::terminal::screen::Screen;
use crate::engine;
use crate::report::layout::size::counted;

/// Wait until standard input closes; then heal, and let go what was left frozen
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The base
    #[arg(long, value_name = "DIR")]
    base: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    engine::outlive_signals()?;
    let mut said = Vec::new();
    // However it ends, the run is over.
    drop(io::stdin().lock().take(64).read_to_end(&mut said));
    if said == engine::ALL_IS_WELL {
        return Ok(Exit::Done);
    }
    if let Some(recovered) = engine::heal_after_death(&args.base, &Screen::new())? {
        say(&format!(
            "unify: a run ended while guests were frozen; it is healed ({} finished), and they go on",
            counted(recovered.finished, "name")
        ));
    }
    Ok(Exit::Done)
}
