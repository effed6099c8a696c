//! `unify diff GUEST:/PATH GUEST:/PATH`

use std::io::{self, Write};

use super::given::Args;
use super::meant::FileArg;
use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::screen::Screen;
use crate::engine::{self, FilePlace};
use crate::report::diff::{files, files_json};

pub(super) fn run(args: &Args, old: &FileArg, new: &FileArg) -> Result<Exit, Failure> {
    args.only(&["--mtime", "--platform", "--plan", "--base"], "files")?;
    if !args.select.take()?.is_all() {
        let why = "selectors mean nothing for two files: they are named already";
        return Err(Failure::Usage(why.into()));
    }
    let (old_named, new_named) = (old.named_place(args)?, new.named_place(args)?);
    engine::to_reading(&Screen::new());
    let mut old_guest = old_named.map_or_else(|| old.place(args), Ok)?;
    let mut new_guest = new_named.map_or_else(|| new.place(args), Ok)?;
    if !old_guest.is_same_as(&new_guest) {
        engine::told_apart(&mut old_guest, &mut new_guest);
    }
    let old = FilePlace {
        guest: &old_guest,
        path: &old.path,
    };
    let new = FilePlace {
        guest: &new_guest,
        path: &new.path,
    };
    let found = engine::compare_files(old, new, args.mtime)?;
    let mut out = io::stdout().lock();
    if args.output.json {
        files_json::json(&found, args.view(), &mut out)?;
    } else if args.tells() {
        files::text(&found, args.view(), &mut out)?;
    }
    out.flush()?;
    let neither = found.old.entry.is_none() && found.new.entry.is_none();
    Ok(match neither {
        true => Exit::Declined,
        false => args.exit(!found.fields.is_empty(), false),
    })
}
