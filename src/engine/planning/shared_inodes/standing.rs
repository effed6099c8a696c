//! Whether one inode that guests share may become an object, and why not.

use crate::engine::planning::classify::{Classified, Decision};
use crate::engine::planning::matching::file::FileRef;
use crate::engine::planning::survey::Survey;
use crate::model::SkipReason;
use crate::sys::Regular;

/// What all inodes are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Adoption {
    /// Why no inode of a guest becomes an object, if none does.
    pub never: Option<&'static str>,
    /// Most names that an inode may have.
    pub max_links: u64,
}

/// It was matched, and there is no object for it.
pub(super) const NOT_CHOSEN: &str = "it cannot be an object as it is";

/// How one inode stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// All its names are in guests of this plan, and nothing is known that keeps it from being an object.
    Accounted,
    /// It has other names as well.
    Outside,
    /// Nobody can write to it; an object of another base is like that.
    Immutable,
    /// One of its files must stay private, or cannot be linked: the one with this number among them.
    Kept(u32),
    /// One of its names is in a directory that is immutable or append-only, and could not be given back.
    Fixed,
    /// It has as many names as an inode may have.
    Full,
    /// No inode of a guest becomes an object.
    Never(&'static str),
}

impl Standing {
    /// Why its files are left alone.
    pub fn reason(self) -> SkipReason {
        match self {
            Standing::Outside => SkipReason::NamesOutside,
            Standing::Immutable => SkipReason::InodeFlags,
            Standing::Accounted | Standing::Kept(_) | Standing::Fixed => {
                SkipReason::SharedUnprotected
            }
            Standing::Full | Standing::Never(_) => SkipReason::SharedUnprotected,
        }
    }

    /// What the lines of its files add.
    pub fn note(
        self,
        files: &[FileRef],
        surveys: &[Survey],
        classified: &[Classified],
    ) -> Option<String> {
        match self {
            Standing::Accounted => None,
            Standing::Outside => Some("and guests of this plan share it".into()),
            Standing::Immutable => Some("immutable".into()),
            Standing::Kept(at) => files.get(at as usize).map(|which| {
                let survey = &surveys[which.guest as usize];
                let shown = survey.shown(which.file as usize);
                if survey.left_out.is_some() {
                    return format!("{shown} is in a guest that is left out of this plan");
                }
                let reason = reason_of(*which, survey, &classified[which.guest as usize]);
                let reason = reason.map_or(String::new(), |reason| format!(": {}", reason.code()));
                format!("{shown} is left alone{reason}")
            }),
            Standing::Fixed => {
                Some("a directory that holds a name of it is immutable or append-only".into())
            }
            Standing::Full => Some("it has as many names as an inode may have".into()),
            Standing::Never(why) => Some(why.into()),
        }
    }

    /// May anybody write to it?
    pub fn is_open(self) -> bool {
        self != Standing::Immutable
    }
}

/// How the inode stands that these are all files of.
pub(super) fn look(
    files: &[FileRef],
    surveys: &[Survey],
    classified: &[Classified],
    adoption: Adoption,
) -> Standing {
    let tree = |which: &FileRef| &surveys[which.guest as usize].scan.tree;
    let names = files
        .iter()
        .map(|which| tree(which).name_count(which.file as usize) as u64);
    let names: u64 = names.sum();
    let mut nlinks = files
        .iter()
        .map(|which| u64::from(tree(which).state(which.file as usize).nlink));
    let decision = |which: &FileRef| classified[which.guest as usize].decision(which.file);
    let kept = files
        .iter()
        .position(|which| decision(which) != Some(Decision::Tied));
    if is_immutable(files, surveys) {
        Standing::Immutable
    } else if nlinks.any(|nlink| nlink != names) {
        Standing::Outside
    } else if let Some(at) = kept {
        Standing::Kept(u32::try_from(at).unwrap_or(u32::MAX))
    } else if let Some(why) = adoption.never {
        Standing::Never(why)
    } else if names >= adoption.max_links {
        Standing::Full
    } else if files
        .iter()
        .any(|which| tree(which).is_in_fixed(which.file as usize))
    {
        Standing::Fixed
    } else {
        Standing::Accounted
    }
}

/// Whatever cannot be asked is taken for a file that can be written to.
fn is_immutable(files: &[FileRef], surveys: &[Survey]) -> bool {
    let flags = |which: &FileRef| {
        let survey = &surveys[which.guest as usize];
        let tree = &survey.scan.tree;
        let path = tree.path(tree.names_of(which.file as usize).next()?);
        let file = survey.files.open(path.get(1..)?).ok()??;
        file.flags_if_told().ok()?
    };
    files
        .first()
        .and_then(flags)
        .is_some_and(Regular::means_immutable)
}

fn reason_of(which: FileRef, survey: &Survey, judged: &Classified) -> Option<SkipReason> {
    if let Some(Decision::Counted(reason)) = judged.decision(which.file) {
        return Some(reason);
    }
    let mut names = survey.scan.tree.names_of(which.file as usize);
    names.find_map(|name| Some(judged.lines.get(&name)?.reason))
}
