//! What `unify diff` is given.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::args::OutputArgs;
use crate::cli::args::select::SelectArgs;
use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::manner::manner;
use crate::report::diff::DiffView;

/// Compare two plans, a plan with now, two guests, or one file of two guests
///
/// Of two plans: what is linked, flagged or left alone in one and not in the other, or for another reason, and which
/// choices differ. With --now the guests of the plan are planned anew, by its choices. Of two guests: files that only
/// one has, content and metadata that differ, packages with their versions, privileged files. Of two files: every fact
/// side by side, and the lines that differ. Nothing is changed anywhere.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Two plans, of which one may be `-`; two guests, each PATH of its root or NAME=PATH; or two files, each
    /// GUEST:/PATH, where GUEST is [NAME=]PATH of its root, or a name that --plan or the base knows. An image is a
    /// guest as well: a tar archive, an OCI layout, or what `docker save` writes
    #[arg(required = true, num_args = 1..=2, value_name = "PLAN|GUEST|GUEST:/PATH")]
    pub(super) what: Vec<OsString>,
    /// Compare the plan with the one that `unify plan` would make now, of the same guests by the same choices. Files
    /// that may have twins are read; `unify show --stale` looks at the plan's own lines, and is quicker
    #[arg(long)]
    pub(super) now: bool,
    /// With --now: read every file that may have twins, also those that the base remembers from earlier plans
    #[arg(long, requires = "now")]
    pub(super) no_cache: bool,
    /// Of plans: everything counts that the lines say, also inodes, times, sizes, versions and notes. Without it only
    /// what is decided does
    #[arg(long)]
    pub(super) evidence: bool,
    /// Of images for several machines take this one, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    pub(super) platform: Option<String>,
    /// Of guests and files: a modification time that differs is a difference, too
    #[arg(long)]
    pub(super) mtime: bool,
    /// The sums alone
    #[arg(long, conflicts_with = "all")]
    pub(super) stat: bool,
    /// All lines of long lists, and not the first 20
    #[arg(long)]
    all: bool,
    /// Exit with 10 if there is a difference
    #[arg(long)]
    pub(super) exit_code: bool,
    /// Of files: the plan that tells where a guest is
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,
    /// Of files: the base that tells where a guest is. Default: what UNIFY_BASE says, else the one `.unify` that is at
    /// or above the current directory
    #[arg(long, value_name = "DIR", conflicts_with = "plan")]
    pub(super) base: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) select: SelectArgs,
}

impl Args {
    pub(super) fn view(&self) -> DiffView {
        DiffView {
            stat: self.stat,
            all: self.all,
            sizes: self.output.sizes(),
        }
    }

    /// Is there to be text?
    pub(super) fn tells(&self) -> bool {
        !self.output.json && !manner().quiet
    }

    /// The code of a comparison that found something, or could not read all.
    pub(super) fn exit(&self, something: bool, unread: bool) -> Exit {
        match () {
            () if unread => Exit::Unread,
            () if something && self.exit_code => Exit::Something,
            () => Exit::Done,
        }
    }

    /// Refuses options that mean nothing for what is compared.
    pub(super) fn only(&self, allowed: &[&str], what: &str) -> Result<(), Failure> {
        let given = [
            ("--evidence", self.evidence),
            ("--mtime", self.mtime),
            ("--platform", self.platform.is_some()),
            ("--plan", self.plan.is_some()),
            ("--base", self.base.is_some()),
        ];
        let mut strange = given
            .iter()
            .filter(|(name, given)| *given && !allowed.contains(name));
        match strange.next() {
            None => Ok(()),
            Some((name, _)) => Err(Failure::Usage(format!("{name} means nothing for {what}"))),
        }
    }
}
