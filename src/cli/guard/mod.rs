//! `unify guard`, and its daemon.

pub(super) mod daemon;

use std::io;

use super::args::code::code;
use super::terminal::exit::{Exit, Failure, say};
use super::terminal::voice::tell;
use crate::engine;
use crate::model::GuardWish;
use crate::report::guard;

/// Load the guard into the kernel, look at it, or take it out
///
/// The guard protects shared files with `plan --protect guard`: nobody can change one, and each guest may link, rename,
/// replace and delete its own names, so that packages can be upgraded and removed from inside. It needs a kernel that
/// takes BPF programs as a security module. It ends with the kernel: load it at every boot before any guest starts, and
/// then let `unify recover` mark the files of each base again. What becomes of a write to a shared file while a daemon
/// answers depends on the kernel, is tried when it is loaded, and is shown here.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to do; without it, say what there is
    #[arg(value_parser = code::<GuardWish>(), value_name = "ACTION", default_value = "status")]
    action: GuardWish,
    /// Take it out although it protects files, which any guest can change for all others then
    #[arg(long)]
    leave_unprotected: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.leave_unprotected && args.action != GuardWish::Unload {
        return Err(Failure::Usage(
            "--leave-unprotected is for `guard unload`".into(),
        ));
    }
    let done = match args.action {
        GuardWish::Status => None,
        GuardWish::Load => {
            let note = |line: &str| say(&format!("unify guard: {line}"));
            Some(engine::load_guard(&note)?)
        }
        GuardWish::Unload => Some(engine::unload_guard(args.leave_unprotected)?),
    };
    let now = engine::guard_state()?;
    if args.json {
        guard::json(done, &now, &mut io::stdout().lock())?;
    } else {
        tell(Exit::Done, |out| guard::text(done, &now, out))?;
    }
    Ok(Exit::Done)
}
