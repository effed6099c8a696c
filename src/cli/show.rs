//! `unify show`

mod stale;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::args::OutputArgs;
use super::args::code::code;
use super::args::select::SelectArgs;
use super::terminal::exit::{Exit, Failure};
use super::terminal::screen::Screen;
use crate::engine::{self, PlanFile};
use crate::model::Action;
use crate::report::layout::size::counted;
use crate::report::{By, Format, PlanView, Show, Tally};
use crate::rules::selectors::Selection;

/// Show a plan: totals first; never refuses a stale one
///
/// With a table, lines or selectors asked for, only that is shown, and not the whole page. Selectors alone give the
/// sums of the lines that they mean, and the first of these.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("The same as --format json").conflicts_with("format"))
)]
pub(super) struct Args {
    /// The plan; `-` is standard input
    plan: PathBuf,
    /// A table of groups; packages with their versions, as the guests' databases say
    #[arg(long, value_parser = code::<By>())]
    by: Option<By>,
    /// One line for every action
    #[arg(long)]
    lines: bool,
    /// Files of equal content that only their metadata keeps apart, one by one
    #[arg(long)]
    near_misses: bool,
    /// Look at every file of a link line, and name the lines that apply would refuse, with the fields that differ. It
    /// is quick and reads no content: `unify apply --dry-run` proves all
    #[arg(long, conflicts_with_all = ["by", "lines", "near_misses", "format"])]
    stale: bool,
    /// With --stale: exit with 10 if there is such a line
    #[arg(long, requires = "stale")]
    exit_code: bool,
    /// How it is written
    #[arg(long, value_parser = code::<Format>(), default_value = "text")]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    select: SelectArgs,
}

/// Lines that are shown where nothing but selectors was given.
const FIRST: usize = 20;

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let selection = args.select.take()?;
    let mut plan = PlanFile::open(&args.plan)?;
    if args.stale {
        return stale::run(&mut plan, &selection, args.output, args.exit_code);
    }
    // Where paths are asked for, the guests' links are followed.
    match selection.has_paths() {
        true => engine::to_reading(&Screen::new()),
        false => engine::to_papers(&Screen::new()),
    }
    let mut out = BufWriter::new(io::stdout().lock());
    page(args, &mut plan, &selection, &mut out)?;
    out.flush()?;
    Ok(Exit::Done)
}

fn page(
    args: &Args,
    plan: &mut PlanFile,
    selection: &Selection,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let show = args.show(selection);
    let lines = engine::select(plan, selection)?;
    let (mut tally, mut first) = (Tally::new(args.by), FirstLines::default());
    let whole = plan.read(&mut |action| {
        if lines.has(action) {
            tally.take(action);
            first.take(action);
        }
        Ok(())
    })?;
    let digest = Some(whole.closing.digest_now);
    let view = PlanView {
        header: &whole.header,
        guests: &whole.guests,
        summary: &whole.closing.summary,
        tally: &tally,
        digest,
        file: None,
    };
    let mut shown = show.begin(&view, out)?;
    if args.lines {
        let listed = plan.read(&mut |action| match lines.has(action) {
            true => shown.line(action),
            false => Ok(()),
        });
        if let Err(error) = listed {
            let failure = Failure::from(error);
            return Err(match show.format {
                Format::Json => failure.ends(out),
                Format::Text | Format::Markdown => failure,
            });
        }
    }
    shown.end()?;
    if first.are_wanted(show) {
        first.write(show, out)?;
    }
    Ok(())
}

impl Args {
    fn show(&self, selection: &Selection) -> Show {
        Show {
            by: self.by,
            format: match self.output.json {
                true => Format::Json,
                false => self.format,
            },
            lines: self.lines,
            near_misses: self.near_misses,
            bytes: self.output.bytes,
            selected: !selection.is_all(),
        }
    }
}

/// The first lines that are selected, and how many there are. Flag lines have no name that a reader knows: they come
/// after all others, and only where there is room.
#[derive(Default)]
struct FirstLines {
    of_files: Vec<Action>,
    flags: Vec<Action>,
    all: u64,
}

impl FirstLines {
    fn take(&mut self, action: &Action) {
        self.all += 1;
        let of_its_kind = match action {
            Action::Flag(_) => &mut self.flags,
            Action::Link(_) | Action::Reflink(_) | Action::Skip(_) => &mut self.of_files,
        };
        if of_its_kind.len() < FIRST {
            of_its_kind.push(action.clone());
        }
    }

    fn are_wanted(&self, show: Show) -> bool {
        let asked = show.by.is_some() || show.lines || show.near_misses;
        show.selected && show.format == Format::Text && !asked && self.all > 0
    }

    fn write(&self, show: Show, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nLines:")?;
        let mut shown = Show {
            lines: true,
            ..show
        }
        .lines_alone(out);
        let first: Vec<&Action> = self
            .of_files
            .iter()
            .chain(&self.flags)
            .take(FIRST)
            .collect();
        first.iter().try_for_each(|line| shown.line(line))?;
        shown.end()?;
        match self.all - first.len() as u64 {
            0 => Ok(()),
            more => writeln!(
                out,
                "… and {}: --lines shows all",
                counted(more, "more line")
            ),
        }
    }
}
