//! What was asked for and makes no sense here.

use std::path::PathBuf;

use crate::model::{Escaped, GuestName, RunId};
use crate::rules::pattern::BadPattern;

/// A wrong use, which another command line puts right.
#[derive(Debug, thiserror::Error)]
pub enum BadUse {
    /// The plan would change the guest that it is about.
    #[error("the plan must not lie within {}", Escaped::of(.0))]
    PlanWithinGuest(PathBuf),
    /// A report would change the guest that it is about.
    #[error("no report and no baseline may lie within {}", Escaped::of(.0))]
    ReportWithinGuest(PathBuf),
    /// A baseline is none.
    #[error("{} is no baseline of `unify check`: write one with --write-baseline", Escaped::of(.0))]
    Baseline(PathBuf),
    /// A policy file is not text.
    #[error("{0}: a policy file is UTF-8 text")]
    PolicyNotText(String),
    /// A policy file has a mistake; its place stands in the sentence.
    #[error("{0}")]
    Policy(String),
    /// The base knows no such run.
    #[error("the base knows no run {0}: `unify status` lists them")]
    UnknownRun(RunId),
    /// The base knows no such guest.
    #[error("the base knows no guest {0}: `unify status` lists them")]
    UnknownGuest(GuestName),
    /// The root of a guest that the base knows is not there.
    #[error("the root of guest {name} is not at {} any more", Escaped::of(.root))]
    GuestGone {
        /// The guest.
        name: GuestName,
        /// Where it was.
        root: PathBuf,
    },
    /// A guest is being maintained already.
    #[error("guest {name} is being maintained since {since}: `unify refreeze {name}` ends that")]
    BeingMaintained {
        /// The guest.
        name: GuestName,
        /// Since when.
        since: String,
    },
    /// A guest has no such package.
    #[error("guest {guest} has no package {}{}; a package that is not installed has no files to thaw", Escaped(.package.as_bytes()), perhaps(.near))]
    NoSuchPackage {
        /// The guest.
        guest: GuestName,
        /// What was asked for.
        package: String,
        /// Packages that were probably meant.
        near: String,
    },
    /// The files of packages are not known.
    #[error(
        "the packages of guest {guest} cannot be asked: {why}; choose files with --path, or thaw --all"
    )]
    PackagesUnknown {
        /// The guest.
        guest: GuestName,
        /// Why.
        why: String,
    },
    /// The root of a guest that shall be forgotten is a link.
    #[error("the root of {name}, {}, is a link to {} now: forget that guest by the name that it was planned by, or remove the link", Escaped::of(.root), Escaped::of(.leads_to))]
    RootIsLink {
        /// The guest.
        name: GuestName,
        /// Where it was.
        root: PathBuf,
        /// What stands there.
        leads_to: PathBuf,
    },
    /// The plan has no such guest.
    #[error("the plan has no guest {name}{}", instead(.near, &.known.join(", ")))]
    NotInPlan {
        /// The name that was asked for.
        name: GuestName,
        /// Guests that were probably meant.
        near: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// What was asked about can be no path.
    #[error("{0}: no guest can have such a path")]
    NoPath(String),
    /// A choice is about a guest that is none of the plan's.
    #[error("{choice}: {name} is no guest of this plan{}", instead(.near, .known))]
    GuestNotPlanned {
        /// What was chosen, and where.
        choice: String,
        /// The guest.
        name: GuestName,
        /// Guests that were probably meant.
        near: String,
        /// All guests.
        known: String,
    },
    /// A pattern seems to name a guest, and its path has no slash in front.
    #[error(
        "{what}: a path inside a guest begins with a slash: write {meant}; for a name with a colon in it, write [:]"
    )]
    PatternWithoutSlash {
        /// The pattern, and where it was given.
        what: String,
        /// What was probably meant.
        meant: String,
    },
    /// A selector names a guest that is not there.
    #[error("there is no guest {}; there are: {}", Escaped(.name.as_bytes()), known.join(", "))]
    NoSuchGuest {
        /// The name or glob that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Packages and reasons of names are not known without the plans that were executed.
    #[error(
        "{0}: packages, reasons and savings of its names are not known; choose them by --guest and --path"
    )]
    NoPlanOfRun(String),
    /// The last part of a path is no name for a guest.
    #[error("{0}")]
    GuestName(String),
    /// One directory is named twice.
    #[error("{} is given twice: each guest and the base need a directory of their own", Escaped::of(.0))]
    GivenTwice(PathBuf),
    /// There is no one directory beside all guests.
    #[error("the guests lie in different directories, {} and {}: name the base with --base, on their file system, or compare them with --audit, which needs none", Escaped::of(.0), Escaped::of(.1))]
    NoCommonPlace(PathBuf, PathBuf),
    /// A base beside the guest would be where a container manager keeps its own.
    #[error("{} lies in the store of {manager}, where nothing else belongs: name the base with --base, outside of it and on the same file system", Escaped::of(.root))]
    BaseInStore {
        /// The root of the guest.
        root: PathBuf,
        /// Whose store.
        manager: &'static str,
    },
    /// The root of this host has no place beside it.
    #[error("{} is the root of this host, and every base lies within it: it cannot be a guest", Escaped::of(.0))]
    HostRoot(PathBuf),
    /// A guest is no directory.
    #[error("{} is {what}: {remedy}", Escaped::of(.given))]
    NotADirectory {
        /// As the user named it.
        given: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do with it.
        remedy: &'static str,
    },
    /// An image comes from standard input, and no name with it.
    #[error("an image on standard input has no name: give it one, as in NAME=-")]
    NamelessInput,
    /// A guest of a plan came from standard input.
    #[error(
        "{0} was read from standard input, which is gone: plan the image as a file to ask about it"
    )]
    InputGone(GuestName),
    /// An archive or layout holds several images, or another one than was asked for.
    #[error("{name}: {why}")]
    WhichImage {
        /// The guest.
        name: GuestName,
        /// What there is.
        why: String,
    },
    /// Images can be compared, and nothing can be shared in them.
    #[error(
        "{} is an image, in which nothing can be linked: give --audit to compare it with directories, or unpack it",
        Escaped::of(.0)
    )]
    ImageNeedsAudit(PathBuf),
    /// A guest is not the root of one, and there are better ones in it.
    #[error("{} does not look like the root of a guest: {lacks}, and {} (--not-a-root takes it as it is)", Escaped::of(.given), better(.likely, *.more))]
    NotARoot {
        /// As the user named it.
        given: PathBuf,
        /// What is missing.
        lacks: String,
        /// Directories in it that look like roots.
        likely: Vec<PathBuf>,
        /// Are there more than these?
        more: bool,
    },
    /// A guest is an image that is to be unpacked.
    #[error("{} is {layout}, and no root: copy it into an archive with `skopeo copy` (or pack it again with tar), and name that (--not-a-root takes it as it is)", Escaped::of(.given))]
    PackedImage {
        /// As the user named it.
        given: PathBuf,
        /// What it is.
        layout: &'static str,
    },
    /// One directory is given by two paths.
    #[error("{} and {} are one directory: each guest needs a directory of its own", Escaped::of(.0), Escaped::of(.1))]
    SameDirectory(PathBuf, PathBuf),
    /// No base is named, and none is found.
    #[error("no base is named, and there is none at or above {}: name it with --base DIR, or in UNIFY_BASE", listed(.near))]
    NoBase {
        /// Where it was looked for.
        near: Vec<PathBuf>,
    },
    /// No base is named, and several are found.
    #[error("no base is named, and there are several: {}; name one with --base DIR, or in UNIFY_BASE", listed(.0))]
    ManyBases(Vec<PathBuf>),
    /// There is something where a new guest shall be.
    #[error("{} exists already: a clone is made where nothing is", Escaped::of(.0))]
    CloneExists(PathBuf),
    /// Two guests of one run have one name.
    #[error("two guests are called {name}, {} and {}: give one of them another name with NAME=PATH", Escaped::of(.one), Escaped::of(.other))]
    SameName {
        /// The name.
        name: GuestName,
        /// The root of the first.
        one: PathBuf,
        /// The root of the second.
        other: PathBuf,
    },
    /// A guest is known by its name.
    #[error("the base knows another guest called {name}, which holds names of it: {}; give this one another name with NAME=PATH", Escaped::of(.other))]
    Namesake {
        /// The name.
        name: GuestName,
        /// The other's root.
        other: PathBuf,
    },
    /// A walk finds names and not who linked them.
    #[error(
        "`--guest NAME=PATH` finds names on the disk, which does not tell the runs that linked them: give `--run all` with it"
    )]
    WalkedByRun,
    /// What a walk finds is remembered, which a look does not.
    #[error(
        "`--guest NAME=PATH` finds names on the disk and writes them down: give `--dry-run` with names of guests alone"
    )]
    WalkedToLook,
    /// The disk does not tell who shared blocks, nor by which line.
    #[error("`--from-disk` finds what guests have in common now, whoever shared it: {0}")]
    FromDisk(&'static str),
    /// One guest lies within another, or within the base, or the base within a guest.
    #[error("{} and {} lie one within the other: guests and base must be apart", Escaped::of(.0), Escaped::of(.1))]
    Nested(PathBuf, PathBuf),
    /// A pattern of the policy.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
}

fn perhaps(near: &str) -> String {
    match near {
        "" => String::new(),
        near => format!(" (did you mean {near}?)"),
    }
}

fn instead(near: &str, known: &str) -> String {
    match near {
        "" => format!("; it has {known}"),
        near => format!(": did you mean {near}?"),
    }
}

/// `web1/rootfs does; did you mean web1/rootfs?`
fn better(likely: &[PathBuf], more: bool) -> String {
    let shown: Vec<String> = likely
        .iter()
        .map(|path| Escaped::of(path).to_string())
        .collect();
    match shown.as_slice() {
        [one] if !more => format!("{one} does; did you mean {one}?"),
        all => {
            let more = if more { ", …" } else { "" };
            format!("these do: {}{more}; name each of them", all.join(", "))
        }
    }
}

/// Some paths, safe to print.
fn listed(paths: &[PathBuf]) -> String {
    const MOST: usize = 5;
    let some: Vec<String> = paths
        .iter()
        .take(MOST)
        .map(|path| Escaped::of(path).to_string())
        .collect();
    match paths.len().saturating_sub(MOST) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}
