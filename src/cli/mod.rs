//! Floor 6, the door: arguments, one file a command, the screen, exit codes. The only room that speaks and exits.
//!
//! Data goes to standard output, all messages go to standard error; bars are drawn on a terminal only.

mod apply;
mod args;
mod check;
mod cut;
mod diff;
mod explain;
mod gc;
mod guard;
mod host;
mod life;
mod maintain;
mod manual;
mod plan;
mod policy;
mod protect;
mod recover;
mod rules;
mod schema;
mod show;
mod status;
mod terminal;
mod undo;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use terminal::exit::Exit;
use terminal::exit::Failure;
use terminal::manner;
use terminal::manner::{Manner, wants_json};

/// Replace identical files of Linux guests by one shared inode, by a plan that people review first.
///
/// `unify plan` scans guests and writes a plan; it changes nothing. People read, cut and check the plan.
/// `unify apply` executes exactly that plan, proves every claim in it again, and `unify undo` takes it back.
#[derive(Debug, Parser)]
#[command(name = "unify", version, max_term_width = 80, after_help = FIRST_STEPS, after_long_help = terminal::exit::HELP)]
struct Cli {
    /// Say only what went wrong or needs a person; what was asked for (show, explain, --json) is printed
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

const FIRST_STEPS: &str = "\
Examples:
  unify plan -o plan.json /srv/guests/web1 db=/srv/guests/db1
  unify show plan.json
  unify apply plan.json

Exit codes and more: unify --help";

#[derive(Debug, Subcommand)]
enum Command {
    Plan(plan::Args),
    Show(show::Args),
    Cut(cut::Args),
    Diff(diff::Args),
    Check(check::Args),
    Explain(explain::Args),
    Apply(apply::Args),
    Verify(verify::Args),
    Status(status::Args),
    Undo(undo::Args),
    Clone(life::clone::Args),
    Forget(life::forget::Args),
    Maintain(maintain::Args),
    Thaw(maintain::thaw::Args),
    Refreeze(maintain::refreeze::Args),
    Gc(gc::Args),
    Recover(recover::Args),
    Doctor(host::doctor::Args),
    Guard(guard::Args),
    Protect(protect::Args),
    Guardd(guard::daemon::Args),
    #[command(hide = true)]
    Watchdog(host::watchdog::Args),
    #[command(hide = true)]
    Assistant(host::assistant::Args),
    Rules(rules::Args),
    Schema(schema::Args),
    Completions(manual::completions::Args),
    Man(manual::man::Args),
}

/// The command line and its help.
fn command() -> clap::Command {
    terminal::help::arranged(Cli::command())
}

/// Parses the command line, runs the command, and returns how it ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let json = wants_json(&args);
    let parsed = command().try_get_matches_from(args);
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let quiet = parsed.as_ref().is_ok_and(|(cli, _)| cli.quiet);
    manner::set(Manner { json, quiet });
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return terminal::usage::usage(&error),
    };
    let sub = matches.subcommand();
    let sub = sub.map(|(_, sub)| sub.clone()).unwrap_or_default();
    terminal::exit::finish(dispatch(&cli.command, &sub))
}

fn dispatch(command: &Command, matches: &clap::ArgMatches) -> Result<Exit, Failure> {
    crate::engine::prepare_process()?;
    match command {
        Command::Plan(args) => plan::run(args, matches),
        Command::Show(args) => show::run(args),
        Command::Cut(args) => cut::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Apply(args) => apply::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Status(args) => status::run(args),
        Command::Undo(args) => undo::run(args),
        Command::Clone(args) => life::clone::run(args),
        Command::Forget(args) => life::forget::run(args),
        Command::Maintain(args) => maintain::run(args),
        Command::Thaw(args) => maintain::thaw::run(args),
        Command::Refreeze(args) => maintain::refreeze::run(args),
        Command::Gc(args) => gc::run(args),
        Command::Recover(args) => recover::run(args),
        Command::Doctor(args) => host::doctor::run(args),
        Command::Watchdog(args) => host::watchdog::run(args),
        Command::Assistant(args) => host::assistant::run(args),
        Command::Guard(args) => guard::run(args),
        Command::Protect(args) => protect::run(args),
        Command::Guardd(args) => guard::daemon::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => manual::completions::run(args, &self::command()),
        Command::Man(args) => manual::man::run(args, self::command()),
    }
}
