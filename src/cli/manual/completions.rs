//! `unify completions`

use std::io::{self, Write};

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};
use clap_complete::Shell;

use crate::cli::terminal::exit::{Exit, Failure};
use crate::report::words::explain_code;
use crate::rules::care;

/// Print the completions of commands, options and codes for a shell
///
/// The script goes to standard output; put it where the shell looks for such files, or let the shell read it now.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  unify completions bash > /etc/bash_completion.d/unify\n  source <(unify completions bash)"
)]
pub(in crate::cli) struct Args {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// `program` is the whole command line.
pub(in crate::cli) fn run(args: &Args, program: &Command) -> Result<Exit, Failure> {
    // Into memory first: the generator panics where its writer fails, and a pipe may be closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut hinted(program), "unify", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Done)
}

/// The commands that people type, with what is known of the values of their options.
fn hinted(program: &Command) -> Command {
    let commands = program.get_subcommands();
    let shown = commands.filter(|command| !command.is_hide_set()).cloned();
    Command::new("unify")
        .version(env!("CARGO_PKG_VERSION"))
        .args(program.get_arguments().cloned())
        .subcommands(shown.map(|command| command.mut_args(with_hint)))
}

/// What a value is stands in its name: `FILE`, `DIR`, `CODE`.
fn with_hint(argument: Arg) -> Arg {
    if argument.get_id() == "allow" {
        let rules = care::table().iter().map(|rule| rule.reason.code());
        return argument.value_parser(PossibleValuesParser::new(rules.collect::<Vec<_>>()));
    }
    let names = argument.get_value_names().unwrap_or_default();
    let name = names.first().map_or("", |name| name.as_str()).to_owned();
    match &*name {
        "FILE" | "PLAN" => argument.value_hint(ValueHint::FilePath),
        // A guest is a directory, and is called as that is.
        "DIR" | "GUEST" | "NAME" | "NAME[=PATH]" | "[NAME=]PATH" => {
            argument.value_hint(ValueHint::DirPath)
        }
        "CODE" | "GUEST:PATH|CODE" => {
            argument.value_parser(PossibleValuesParser::new(explain_code::all()))
        }
        "RUN" => argument.value_parser(PossibleValuesParser::new(["last", "all"])),
        "[NAME:]use|ignore" => argument.value_parser(PossibleValuesParser::new(["use", "ignore"])),
        "N" | "NAMES" | "SIZE" | "DURATION" | "WHEN" | "DIGEST" | "GLOB" => {
            argument.value_hint(ValueHint::Other)
        }
        _ => argument,
    }
}
