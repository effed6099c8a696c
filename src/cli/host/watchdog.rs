//! `unify watchdog`: watches over guests that a run freezes, until that process ends. The run starts it, not a person.

use std::path::PathBuf;

use crate::cli::terminal::exit::{Exit, Failure, say};
use crate::cli::terminal::screen::Screen;
use crate::engine;
use crate::report::layout::size::counted;

/// Watch over what is frozen, as told on standard input, until that closes; then heal, and let it go on
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The base
    #[arg(long, value_name = "DIR")]
    base: PathBuf,
    /// The process that is ended before what it froze for too long goes on
    #[arg(long, value_name = "PID")]
    ends: Option<u32>,
    /// Heal what a run left, and let go what it froze
    #[arg(long)]
    heal: bool,
    /// Set the flags that a run may have lifted
    #[arg(long, conflicts_with = "heal")]
    protect: bool,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    engine::outlive_signals()?;
    if args.protect {
        engine::protect_after_death(&args.base, &Screen::new())?;
    } else if args.heal {
        heal(args)?;
    } else {
        let watch = engine::Watch {
            base: &args.base,
            ends: args.ends,
        };
        watch.keep(&|what| say(&format!("unify: {what}")));
    }
    Ok(Exit::Done)
}

fn heal(args: &Args) -> Result<(), Failure> {
    if let Some(recovered) = engine::heal_after_death(&args.base, &Screen::new())? {
        say(&format!(
            "unify: a run ended while guests were frozen; it is healed ({} finished), and they go on",
            counted(recovered.finished, "name")
        ));
    }
    Ok(())
}
