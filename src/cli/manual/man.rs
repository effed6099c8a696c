//! `unify man`

use std::io;
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use crate::cli::terminal::exit::{self, Exit, Failure, say};
use crate::engine::{self, EngineError};
use crate::model::Escaped;
use crate::report::layout::size::counted;

/// Write the manual pages into a directory
///
/// One page is for the program, and one for each command: unify.8, unify-plan.8, and so on. The directory is made
/// where there is none.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  unify man /usr/local/share/man/man8\n  man -l DIR/unify-plan.8"
)]
pub(in crate::cli) struct Args {
    /// Where the pages go
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Where things are, for every page.
const FILES: &[(&str, &str)] = &[
    (
        "BASE",
        "The base: the directory that holds the shared files, `.unify` beside the guests where no other is named. It is \
         root's alone.",
    ),
    (
        "BASE/objects",
        "The shared files, each with a name of its own.",
    ),
    (
        "BASE/runs/RUN",
        "The plan, the journal and the receipt of one run. `unify gc --keep-runs N` removes old ones.",
    ),
    (
        "BASE/staging",
        "Files that a run is exchanging. It is empty where no run is at work.",
    ),
    (
        "BASE/quarantine",
        "Files that a person must look at (exit code 12). `unify recover` lists them.",
    ),
    (
        "BASE/cache",
        "What `plan` has read of files. It may be removed at any time.",
    ),
];

/// `program` is the whole command line.
pub(in crate::cli) fn run(args: &Args, program: Command) -> Result<Exit, Failure> {
    let pages = pages(program)?;
    engine::write_public(&args.dir, &pages).map_err(EngineError::from)?;
    let count = counted(pages.len() as u64, "manual page");
    say(&format!("Wrote {count} to {}", Escaped::of(&args.dir)));
    Ok(Exit::Done)
}

/// The name and the text of each page.
fn pages(program: Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let mut pages = vec![page(&program, None)?];
    let commands = program.get_subcommands();
    for command in commands.filter(|command| !command.is_hide_set()) {
        pages.push(page(command, Some(&program))?);
    }
    Ok(pages)
}

fn page(command: &Command, program: Option<&Command>) -> io::Result<(String, Vec<u8>)> {
    let man = Man::new(command.clone())
        .section("8")
        .source(concat!("unify ", env!("CARGO_PKG_VERSION")))
        .manual("unify manual");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if program.is_none() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut more = Roff::new();
    after_help(&mut more, command);
    exit_status(&mut more);
    files(&mut more);
    if program.is_some() {
        more.control("SH", ["SEE ALSO"]);
        more.text([bold("unify"), roman("(8)")]);
    }
    more.to_writer(&mut text)?;
    Ok((man.get_filename(), text))
}

/// What the help of a command ends with, such as its examples; exit codes have a section of their own.
fn after_help(page: &mut Roff, command: &Command) {
    let help = command
        .get_after_long_help()
        .or_else(|| command.get_after_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    for (title, lines) in sections(&help) {
        if title != EXIT_CODES {
            page.control("SH", [title.to_uppercase().as_str()]);
            page.control("nf", []);
            lines.iter().for_each(|line| {
                page.text([roman(line.trim_start())]);
            });
            page.control("fi", []);
        }
    }
}

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    page.text([roman("All commands use the same codes.")]);
    let sections = sections(exit::HELP);
    let codes = sections.iter().find(|(title, _)| *title == EXIT_CODES);
    for line in codes.map_or(&[][..], |(_, lines)| lines) {
        match line.trim().split_once("  ") {
            Some((code, meaning)) if code.starts_with(|c: char| c.is_ascii_digit()) => {
                page.control("TP", []);
                page.text([bold(code)]);
                page.text([roman(meaning.trim())]);
            }
            // The line before, folded.
            _ => {
                page.text([roman(line.trim())]);
            }
        }
    }
}

fn files(page: &mut Roff) {
    page.control("SH", ["FILES"]);
    for (file, what) in FILES {
        page.control("TP", []);
        page.text([italic(*file)]);
        page.text([roman(*what)]);
    }
}

const EXIT_CODES: &str = "Exit codes";

/// The parts of a text that begin with a line such as `Examples:`, with their lines that are not empty.
fn sections(help: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in help.lines().filter(|line| !line.trim().is_empty()) {
        let title = line.strip_suffix(':').filter(|_| !line.starts_with(' '));
        match (title, sections.last_mut()) {
            (Some(title), _) => sections.push((title, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => sections.push(("Notes", vec![line])),
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_titles() {
        let text = "one\n\nExamples:\n  a b\n  c:\n\nExit codes:\n  0  done";
        let want = [
            ("Notes", vec!["one"]),
            ("Examples", vec!["  a b", "  c:"]),
            (EXIT_CODES, vec!["  0  done"]),
        ];
        assert_eq!(sections(text), want);
    }
}
