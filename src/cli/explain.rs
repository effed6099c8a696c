//! `unify explain`

use std::io;
use std::path::PathBuf;

use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use crate::engine::{self, PlanFile};
use crate::model::{Escaped, GuestName};
use crate::report::explain;
use crate::report::words::explain_code;

/// Explain why a file is linked or left alone, or what a code means
///
/// For GUEST:PATH the plan says which guests and which policy; what databases, patterns and care rules say is
/// asked again now, and a file without a twin is compared with the same path in the other guests. Links in PATH are
/// followed as the guest follows them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// GUEST:PATH, or a code such as config-file
    #[arg(value_name = "GUEST:PATH|CODE")]
    what: String,
    /// The plan that GUEST belongs to; `-` is standard input
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    match args.what.split_once(":/") {
        Some((guest, path)) if !guest.contains('/') => name(args, guest, &format!("/{path}")),
        _ => code(args),
    }
}

fn name(args: &Args, guest: &str, path: &str) -> Result<Exit, Failure> {
    let guest = GuestName::new(guest).map_err(|error| Failure::Usage(error.to_string()))?;
    let Some(plan) = &args.plan else {
        return Err(Failure::Usage(
            "name the plan that tells where the guest is: --plan FILE".into(),
        ));
    };
    let mut plan = PlanFile::open(plan)?;
    engine::to_reading(&Screen::new());
    let told = engine::explain(&mut plan, &guest, path.as_bytes())?;
    let mut out = io::stdout().lock();
    if args.json {
        explain::json::write(&told, &mut out)?;
    } else {
        explain::text(&told, &mut out)?;
    }
    Ok(Exit::Done)
}

fn code(args: &Args) -> Result<Exit, Failure> {
    let told = explain_code::code(&args.what).map_err(|nearest| {
        let what = Escaped(args.what.as_bytes());
        Failure::Usage(match meant(args) {
            Some(meant) => format!("{what} is no code; if it is a path, name the guest: {meant}"),
            None => format!(
                "neither GUEST:PATH nor a code: {what}; near ones are {}",
                nearest.join(", ")
            ),
        })
    })?;
    let mut out = io::stdout().lock();
    if args.json {
        told.json(&mut out)?;
    } else {
        told.text(&mut out)?;
    }
    Ok(Exit::Done)
}

/// What a path was meant to be: one that lacks its guest, or the slash behind it.
fn meant(args: &Args) -> Option<String> {
    let what = &args.what;
    if let Some((guest, path)) = what.split_once(':') {
        let guest = GuestName::new(guest).ok()?;
        return Some(format!("{guest}:/{}", Escaped(path.as_bytes())));
    }
    if !what.contains('/') {
        return None;
    }
    let slash = if what.starts_with('/') { "" } else { "/" };
    let path = format!("{slash}{}", Escaped(what.as_bytes()));
    let guests = args
        .plan
        .as_deref()
        .and_then(|plan| PlanFile::open(plan).ok()?.guests().ok());
    let names: Vec<String> = guests
        .into_iter()
        .flatten()
        .map(|one| one.name.to_string())
        .collect();
    Some(match names.as_slice() {
        [] => format!("GUEST:{path}"),
        [one] => format!("{one}:{path}"),
        [one, ..] => format!("{one}:{path} (the plan's guests are {})", names.join(", ")),
    })
}
