//! `unify status`

use std::io;

use super::args::{BaseArg, OutputArgs};
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use crate::engine;
use crate::model::GuestStatus;
use crate::report::status;

/// Tell what is shared now, guest by guest, and which names have drifted
#[derive(Debug, clap::Args)]
#[command(mut_arg("json", |json| json.help("Print the answer as JSON")))]
pub(super) struct Args {
    #[command(flatten)]
    base: BaseArg,
    /// Exit with 10 if names have drifted or belong to no package any more, if shared files lack their flag, or if
    /// guests were left frozen
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let screen = Screen::new();
    engine::warn_of_base(&args.base.base, &screen)?;
    engine::to_reading(&screen);
    let status = engine::status(&args.base.base, &screen)?;
    let mut out = io::stdout().lock();
    if args.output.json {
        status::json(&status, &mut out)?;
    } else {
        status::text(&status, args.output.sizes(), &mut out)?;
    }
    let unread = status
        .guests
        .iter()
        .any(|guest| guest.unread > 0 || guest.missing.is_some())
        || !status.damaged.is_empty()
        || status.unknown_names > 0;
    let something = |guest: &GuestStatus| {
        let orphaned = !guest.orphans.names.is_empty();
        orphaned || !guest.drifted.is_empty()
    };
    let something = status.guests.iter().any(something);
    Ok(match () {
        () if args.exit_code && (!status.frozen.is_empty() || status.objects.unprotected > 0) => {
            Exit::Something
        }
        () if unread => Exit::Unread,
        () if args.exit_code && something => Exit::Something,
        () => Exit::Done,
    })
}
