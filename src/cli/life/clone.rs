//! `unify clone`

use std::io;
use std::path::PathBuf;

use crate::cli::args::{FreezeArgs, OutputArgs, named_base};
use crate::cli::terminal::exit::{Exit, Failure, say};
use crate::cli::terminal::screen::Screen;
use crate::cli::terminal::voice::{remark, tell};
use crate::engine::{
    self, CloneOptions, EngineError, GuestArg, MadeClone, ReadyToClone, RunResult, Stop,
    stop_on_signals,
};
use crate::model::{Escaped, GuestClone, RunId, RunTotals};
use crate::report::clone::{self, CloneView};
use crate::report::layout::size::counted;
use crate::report::run::NotDone;

/// Make a new guest from another one: blocks are shared where the file system can, shared files are shared again
///
/// What cannot be shared is copied. All metadata and hard links come along; what stands for one machine does not (its
/// id, SSH host keys, seeds, leases). The new guest appears in one moment and whole, or not at all. Then its files
/// whose originals are shared with other guests are linked to the same objects, by a run that `unify undo` can take
/// back.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("json", |json| json.help("Print the result as JSON on standard output")),
    mut_arg("allow_running", |arg| arg.help("Clone a guest that runs as well, though its files are then not of one moment; and freeze guests that run for the moments in which names are linked (cgroup v2)")))]
pub(in crate::cli) struct Args {
    /// The guest: PATH of its root, or NAME=PATH
    #[arg(value_name = "[NAME=]GUEST")]
    guest: GuestArg,
    /// The root of the new guest, which does not exist yet, in a directory that does
    #[arg(value_name = "[NAME=]NEW")]
    new: GuestArg,
    /// Take GUEST for a root, also where it does not look like one
    #[arg(long)]
    not_a_root: bool,
    /// The base in which files of the guest are shared. Default: what UNIFY_BASE says, else the one `.unify` at or
    /// above the guest, if there is one
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    /// Say what would be copied, linked and left out, and how much room it takes, and change nothing; exits with 1
    /// where there is no room
    #[arg(long)]
    plan_only: bool,
    /// Copy also what stands for one machine: a backup, or a guest that takes the place of the other
    #[arg(long)]
    keep_identity: bool,
    #[command(flatten)]
    freeze: FreezeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, Failure> {
    let stop = stop_on_signals()?;
    match clone(args, &stop) {
        Err(Failure::Engine(error @ EngineError::Stopped)) if stop.asked() => {
            say(&format!("unify: {error}"));
            Ok(Exit::stopped(&stop))
        }
        other => other,
    }
}

fn clone(args: &Args, stop: &Stop) -> Result<Exit, Failure> {
    let screen = Screen::new();
    let options = options(args)?;
    let (from, to) = (
        Escaped::of(&options.guest.path),
        Escaped::of(&options.new.path),
    );
    if !args.plan_only {
        remark(&format!(
            "CLONING: {from} to {to}; nothing in {from} is changed"
        ));
    }
    let ready = ReadyToClone::check(&options, &screen, stop)?;
    if args.plan_only {
        let has_room = ready.has_room().is_ok();
        let exit = if has_room { Exit::Done } else { Exit::Declined };
        let told = CloneTold::of(ready.view(), exit);
        return told.tell(args, true, &NotDone::default());
    }
    let MadeClone { clone, linking } = ready.execute(&screen, stop)?;
    let mut told = CloneTold::of(clone, Exit::Done);
    if linking.is_due() {
        let what = linked(&told.clone);
        remark(&format!("LINKING: the copy is whole; {what}"));
        match linking.execute(&screen, stop) {
            Ok(results) => told.take(&results, stop),
            Err(error) => told.not_linked(&error),
        }
    }
    told.exit = told.exit.if_all_read(screen.has_unread());
    told.tell(args, false, &screen.not_done())
}

fn linked(clone: &GuestClone) -> String {
    let files = counted(clone.totals.shared_files, "file");
    format!("{files} of it become names of shared files")
}

fn options(args: &Args) -> Result<CloneOptions, Failure> {
    let given = std::slice::from_ref(&args.guest);
    engine::meet(given, args.not_a_root)?;
    let base = match named_base(args.base.as_deref()) {
        Some(base) => Some(base),
        None => engine::any_base_near(std::slice::from_ref(&args.guest.path))?,
    };
    let guest = engine::named(given, base.as_deref())?.pop();
    Ok(CloneOptions {
        guest: guest.unwrap_or_else(|| args.guest.clone()),
        new: args.new.clone(),
        base,
        keep_identity: args.keep_identity,
        running: args.freeze.running(),
        dry_run: args.plan_only,
    })
}

/// What is told in the end.
struct CloneTold {
    clone: GuestClone,
    runs: Vec<(RunId, RunTotals)>,
    not_linked: Option<String>,
    exit: Exit,
}

impl CloneTold {
    fn of(clone: GuestClone, exit: Exit) -> CloneTold {
        CloneTold {
            clone,
            runs: Vec::new(),
            not_linked: None,
            exit,
        }
    }

    fn take(&mut self, results: &[RunResult], stop: &Stop) {
        for result in results {
            let one = crate::cli::apply::ended(result, stop);
            if self.exit == Exit::Done {
                self.exit = one;
            }
            self.runs.push((result.run.clone(), result.totals));
            // From before the copy to after the last link.
            if let (Some(whole), Some(last)) = (&mut self.clone.disk, result.disk) {
                whole.used_after = last.used_after;
            }
        }
    }

    /// The guest is there, and whole.
    fn not_linked(&mut self, error: &EngineError) {
        say(&format!("unify: {error}"));
        self.not_linked = Some(error.to_string());
        self.exit = Exit::InPart;
    }

    fn tell(&self, args: &Args, dry_run: bool, not_done: &NotDone) -> Result<Exit, Failure> {
        let view = CloneView {
            clone: &self.clone,
            dry_run,
            not_linked: self.not_linked.as_deref(),
            runs: &self.runs,
            not_done,
        };
        if args.output.json {
            clone::json(&view, &mut io::stdout().lock())?;
        } else {
            let sizes = args.output.sizes();
            tell(self.exit, |out| clone::text(&view, sizes, out))?;
        }
        Ok(self.exit)
    }
}
