//! `unify diff GUEST GUEST`

use std::io::{self, BufWriter, Write};

use super::given::Args;
use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::screen::Screen;
use crate::engine::{self, GuestPlace, SourceArg, TwoGuests};
use crate::model::GuestsCompared;
use crate::report::diff::guests::FirstNames;
use crate::report::diff::{guests, guests_json};

pub(super) fn run(args: &Args, old: &SourceArg, new: &SourceArg) -> Result<Exit, Failure> {
    args.only(&["--mtime", "--platform"], "guests")?;
    let selection = args.select.take()?;
    if selection.needs_lines() || selection.has_guests() {
        let why = "two guests are narrowed by --path and --not-path alone: the other selectors ask about lines of plans";
        return Err(Failure::Usage(why.into()));
    }
    let screen = Screen::new();
    let platform = args.platform.as_deref();
    let mut old = GuestPlace::at(old, platform)?;
    let mut new = GuestPlace::at(new, platform)?;
    engine::to_reading(&screen);
    engine::told_apart(&mut old, &mut new);
    let both = TwoGuests::open(&old, &new, &selection, args.mtime)?;
    let found = compare(args, both, &screen)?;
    let unread = found.unread > 0 || found.packages_unknown.is_some() || screen.has_unread();
    Ok(args.exit(found.has_something(), unread))
}

fn compare(args: &Args, both: TwoGuests, screen: &Screen) -> Result<GuestsCompared, Failure> {
    let view = args.view();
    let mut out = BufWriter::new(io::stdout().lock());
    if !args.output.json {
        let mut first = FirstNames::default();
        let found = both.compare(
            &mut |name| {
                first.take(name, view);
                Ok(())
            },
            screen,
        )?;
        if args.tells() {
            guests::text(&found, &first, view, &mut out)?;
        }
        out.flush()?;
        return Ok(found);
    }
    let known = both.known().clone();
    let mut listed = guests_json::begin(&known, view, &mut out)?;
    let found = both.compare(
        &mut |name| match view.stat {
            true => Ok(()),
            false => listed.name(name),
        },
        screen,
    )?;
    guests_json::end(listed, &found)?;
    out.flush()?;
    Ok(found)
}
