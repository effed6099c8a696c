//! `unify protect`

use std::io;

use super::args::code::code;
use super::args::{BaseArg, FreezeArgs};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use super::terminal::voice::tell;
use crate::engine;
use crate::model::{Protect, Recovered};
use crate::report::guard::protect;

/// Move the shared files of a base from one protection to another
///
/// From the immutable flag to the guard, and back, while all guests that share files are stopped or frozen: each file
/// is without protection for the moment between two calls only, and is proven afterwards. What interrupts this is
/// finished by `unify recover`. Where the kernel that runs has no guard, nothing protects the
/// files of a base that was under it: `unify protect immutable` protects them by the flag, and proves each that was
/// open.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the result as JSON")),
    mut_arg("allow_running", |arg| arg.help("Freeze guests that run for the moments in which files are moved (cgroup v2)")))]
pub(super) struct Args {
    /// The new protection: guard, iunlink or immutable
    #[arg(value_name = "MODE", value_parser = code::<Protect>())]
    to: Protect,
    #[command(flatten)]
    base: BaseArg,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let base = args.base.find()?;
    let running = args.freeze.running();
    let (moved, healed) = engine::move_protection(&base, args.to, running, &screen)?;
    let exit = match needs_person(&healed) {
        true => Exit::Quarantine,
        false => Exit::Done.if_all_read(screen.has_unread()),
    };
    if args.json {
        protect::json(moved, &base, &mut io::stdout().lock())?;
    } else {
        tell(exit, |out| protect::text(moved, &base, out))?;
    }
    Ok(exit)
}

fn needs_person(healed: &Recovered) -> bool {
    !healed.quarantined.is_empty() || !healed.damaged.is_empty() || !healed.spoiled.is_empty()
}
