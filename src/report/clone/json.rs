//! The same for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{CloneView, steps};
use crate::model::{
    Blocks, CloneTotals, ClonedGuest, DiskChange, GuestClone, LeftOut, RunId, RunTotals, SomePaths,
};
use crate::report::answer::next::NextJson;
use crate::report::layout::json::{self, PathJson, RootJson};
use crate::report::run::{ExampleJson, KindJson, not_done_json};

#[derive(Serialize)]
struct CloneJson<'a> {
    /// `unify.clone`.
    kind: &'static str,
    /// Was nothing made, and only told?
    dry_run: bool,
    cloned: GuestJson<'a>,
    made: GuestJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<SharedInJson>,
    /// Are blocks shared, and not copied?
    shares_blocks: bool,
    #[serde(flatten)]
    totals: TotalsJson,
    needed: u64,
    free: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<DiskChange>,
    left_out_files: Vec<LeftOutJson<'a>>,
    remarks: RemarksJson,
    /// Who is inside of the source, as a sentence knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    running_because: Option<&'a str>,
    /// Why names are not linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_linked: Option<&'a str>,
    /// What became of names that shall refer to objects; missing where none was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    linked: Option<LinkedJson<'a>>,
    not_done: Vec<KindJson<'a>>,
    refusals: Vec<ExampleJson<'a>>,
    next: Vec<NextJson>,
}

#[derive(Serialize)]
struct GuestJson<'a> {
    name: &'a str,
    #[serde(flatten)]
    root: RootJson,
}

#[derive(Serialize)]
struct SharedInJson {
    #[serde(flatten)]
    root: RootJson,
}

#[derive(Serialize)]
struct TotalsJson {
    directories: u64,
    files: u64,
    more_names: u64,
    symlinks: u64,
    special_files: u64,
    bytes: u64,
    allocated_bytes: u64,
    reflinked_files: u64,
    shared_files: u64,
    shared_bytes: u64,
}

#[derive(Serialize)]
struct LeftOutJson<'a> {
    #[serde(flatten)]
    path: PathJson,
    code: &'a str,
    emptied: bool,
    sentence: &'a str,
}

#[derive(Serialize)]
struct RemarksJson {
    secrets: PathsJson,
    sockets: PathsJson,
    mounts: PathsJson,
    foreign: PathsJson,
    were_immutable: PathsJson,
    not_kept: PathsJson,
    changed_meanwhile: PathsJson,
}

/// The first of them, and how many there are.
#[derive(Serialize)]
struct PathsJson {
    all: u64,
    listed: Vec<PathJson>,
}

#[derive(Serialize)]
struct LinkedJson<'a> {
    linked_by: Vec<&'a RunId>,
    totals: RunTotals,
}

/// For programs.
pub fn json(view: &CloneView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let clone = view.clone;
    let (not_done, refusals) = not_done_json(view.not_done);
    let value = CloneJson {
        kind: "unify.clone",
        dry_run: view.dry_run,
        cloned: guest(&clone.source),
        made: guest(&clone.new),
        base: clone
            .base
            .as_deref()
            .map(|base| SharedInJson { root: base.into() }),
        shares_blocks: clone.blocks == Blocks::Shared,
        totals: totals(&clone.totals),
        needed: clone.needed,
        free: clone.free,
        disk: clone.disk,
        left_out_files: clone.left_out.iter().map(left_out).collect(),
        remarks: remarks(clone),
        running_because: clone.running.as_deref(),
        not_linked: view.why_not(),
        linked: (!view.runs.is_empty()).then(|| LinkedJson {
            linked_by: view.runs.iter().map(|(run, _)| run).collect(),
            totals: view.linked(),
        }),
        not_done,
        refusals,
        next: NextJson::all(&steps(view)),
    };
    json::write_line(out, &value)
}

fn guest(guest: &ClonedGuest) -> GuestJson<'_> {
    GuestJson {
        name: guest.name.as_str(),
        root: guest.root.as_path().into(),
    }
}

fn totals(totals: &CloneTotals) -> TotalsJson {
    TotalsJson {
        directories: totals.directories,
        files: totals.files,
        more_names: totals.more_names,
        symlinks: totals.symlinks,
        special_files: totals.special,
        bytes: totals.bytes,
        allocated_bytes: totals.allocated,
        reflinked_files: totals.reflinked,
        shared_files: totals.shared_files,
        shared_bytes: totals.shared_bytes,
    }
}

fn left_out(one: &LeftOut) -> LeftOutJson<'_> {
    LeftOutJson {
        path: (&one.path).into(),
        code: one.code,
        emptied: one.emptied,
        sentence: one.why,
    }
}

fn remarks(clone: &GuestClone) -> RemarksJson {
    let remarks = &clone.remarks;
    RemarksJson {
        secrets: paths(&remarks.secrets),
        sockets: paths(&remarks.sockets),
        mounts: paths(&remarks.mounts),
        foreign: paths(&remarks.foreign),
        were_immutable: paths(&remarks.were_immutable),
        not_kept: paths(&remarks.not_kept),
        changed_meanwhile: paths(&remarks.changed),
    }
}

fn paths(some: &SomePaths) -> PathsJson {
    PathsJson {
        all: some.all,
        listed: some.listed.iter().map(PathJson::from).collect(),
    }
}
