//! `unify forget`

use crate::cli::apply::{exit, report};
use crate::cli::args::{BaseArg, FreezeArgs, OutputArgs};
use crate::cli::terminal::confirm::agreed;
use crate::cli::terminal::exit::{Exit, Failure, say};
use crate::cli::terminal::screen::Screen;
use crate::cli::terminal::voice::remark;
use crate::engine::{ReadyToForget, stop_on_signals};
use crate::model::{Escaped, GuestName};
use crate::report::layout::size::counted;

/// Take a guest's shared files from it without a copy, because it is deleted or about to be
///
/// Whoever deletes a guest by `lxc-destroy`, or by `chattr -R -i` and `rm -rf`, takes the flags off the shared files of
/// all other guests. After this command nothing in the guest is shared or flagged, so that it can be deleted by any
/// means. A guest that is gone already is forgotten: `status` does not miss it any more.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the result as JSON")))]
pub(in crate::cli) struct Args {
    /// The guests, by their names in the base (`unify status` lists them)
    #[arg(required = true, value_name = "NAME", value_parser = guest)]
    guests: Vec<GuestName>,
    #[command(flatten)]
    base: BaseArg,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let mut guests = args.guests.clone();
    guests.sort();
    guests.dedup();
    let running = args.freeze.running();
    let base = args.base.find()?;
    let ready = ReadyToForget::check(&base, &guests, running, &screen)?;
    if !args.yes {
        announce("WOULD FORGET", &ready, say);
    }
    let Some(ready) = agreed(ready, "Forget this?", args.yes, ReadyToForget::cancel)? else {
        return Ok(Exit::Declined);
    };
    announce("FORGETTING", &ready, remark);
    let stop = stop_on_signals()?;
    let result = ready.execute(&screen, &stop)?;
    let unread = screen.has_unread();
    let told = report(&base, &[], &result, &screen.not_done(), args.output);
    Ok(exit(&result, &stop, told)?.if_all_read(unread))
}

/// What would become of each guest, or does.
fn announce(verb: &str, ready: &ReadyToForget, tell: fn(&str)) {
    for guest in ready.guests() {
        let (name, gone) = (guest.name, counted(guest.gone, "name"));
        match guest.root {
            None => tell(&format!("{verb} {name}, which is gone, with its {gone}")),
            Some(root) => {
                let (root, names) = (Escaped::of(root), counted(guest.names, "name"));
                tell(&format!(
                    "{verb} {name}: {names} of shared files go from {root}, without a copy; {gone} more are gone"
                ));
            }
        }
        if guest.blocks > 0 {
            let files = counted(guest.blocks, "file");
            tell(&format!(
                "  {files} of {name} may share blocks with others, which goes on without harm, and are forgotten"
            ));
        }
        if guest.elsewhere > 0 {
            let files = counted(guest.elsewhere, "file");
            say(&format!(
                "WAS IT MOVED? {files} of {name} have names in no guest that the base can find: plan and apply it where it is now instead"
            ));
        }
    }
}

fn guest(text: &str) -> Result<GuestName, String> {
    GuestName::new(text).map_err(|error| error.to_string())
}
