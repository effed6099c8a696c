//! `unify guardd`

use std::path::PathBuf;

use crate::cli::args::code::code;
use crate::cli::args::{meant, named_base};
use crate::cli::terminal::exit::{Exit, Failure, say};
use crate::engine::{self, Allowance, GuarddOptions};
use crate::model::{GuardLevel, parse_size};

/// Give each guest that writes to a shared file a file of its own, at that moment
///
/// The daemon of the guard, one on each host: with it a write to a file that guests share (`plan --protect guard`)
/// waits until its guest has a private copy under all names of that file, and goes there. Without it the same write is
/// denied. It says on standard error what it does, a line for each file, and `unify status` sums that up. SIGTERM ends
/// it; who waits then waits for the next one for five seconds.
///
/// It runs before all threads that are not real-time ones (SCHED_FIFO 20, or else nice -20), for writers wait by trying
/// again. A run of `apply`, `undo` or `gc` and this daemon take turns: a write waits for a batch, and is denied where
/// the daemon gets no turn for ten seconds. A second daemon ends with the exit code 7.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A base that it answers for; may be given several times. Default: what UNIFY_BASE says, else /srv/.unify,
    /// /var/lib/lxc/.unify and /var/lib/machines/.unify, as far as they are there
    #[arg(long, value_name = "DIR")]
    base: Vec<PathBuf>,
    /// Most files of a guest that get a copy in an hour; then its writes to shared files are denied
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    most_files: u64,
    /// Most bytes of such copies in an hour, such as 10G
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "20G")]
    most_bytes: u64,
    /// Do no more than this for a writer; what the kernel can do less well is done so in any case. With `deny-first` a
    /// write is denied once, and no call is begun anew; with `immutable` it is denied, and no copy is made
    #[arg(long, value_name = "LEVEL", value_parser = code::<GuardLevel>())]
    level: Option<GuardLevel>,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let bases = match args.base.as_slice() {
        [] => match named_base(None) {
            Some(base) => vec![base],
            None => engine::bases_of_host()?,
        },
        given => given.iter().map(|base| meant(base)).collect(),
    };
    let options = GuarddOptions {
        bases,
        allowance: Allowance {
            files: Some(args.most_files),
            bytes: Some(args.most_bytes),
        },
        most: args.level,
    };
    let stop = engine::stop_on_signals()?;
    engine::answer_writers(
        &options,
        &|line| say(&format!("unify guardd: {line}")),
        &stop,
    )?;
    Ok(Exit::Done)
}
