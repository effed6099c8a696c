//! The sets of programs that are pinned, by their names, how they are taken away, and why they may not be there.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use aya::BtfError;
use thiserror::Error;

use super::maps::{LAYOUT, MAPS};
use crate::sys::SysError;
use crate::sys::fault::call;

pub(super) const BPFFS: &str = "/sys/fs/bpf";
pub(super) const HOME: &str = "/sys/fs/bpf/unify";

/// Why the guard is not loaded.
#[derive(Debug, Error)]
pub enum GuardError {
    /// There is nowhere to pin anything.
    #[error("no BPF file system is mounted at {BPFFS}: mount -t bpf bpf {BPFFS}")]
    NoBpfFs,
    /// Somebody else made the directory.
    #[error("{HOME} is not root's alone: remove it")]
    Foreign,
    /// What is in the list of security modules is asked, and nothing else.
    #[error(
        "`bpf` is not among the kernel's security modules ({0}): add it to lsm= on the kernel's command line"
    )]
    NotListed(String),
    /// It was told to keep its memory secret from root, and the programs read of it.
    #[error(
        "the kernel is locked down for confidentiality, so that no program may read its memory: start it without \
         lockdown=confidentiality"
    )]
    LockedDown,
    /// It has no description of its types, or not of a hook.
    #[error("the kernel tells too little of itself: {0}")]
    Types(#[from] BtfError),
    /// It does not take a program or the map.
    #[error("the kernel does not take the guard: {0}")]
    Refused(String),
    /// Another process loads the guard, or takes it out.
    #[error("another process loads the guard or takes it out, and does not end: {0}")]
    AtWork(String),
    /// Nobody can be kept from doing so meanwhile.
    #[error(transparent)]
    NoLock(#[from] SysError),
    /// A call failed.
    #[error("cannot {op} {}: {source}", path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Are programs pinned, ours or those of another version? It says nothing of what they do.
pub fn is_loaded() -> bool {
    !whole_sets().is_empty()
}

/// Are programs pinned that ask and are answered otherwise than this version knows? They keep what is marked as it is.
pub fn is_of_other_layout() -> bool {
    whole_sets().iter().any(|set| !is_of_this_layout(set))
}

fn whole_sets() -> Vec<PathBuf> {
    let sets = sets().unwrap_or_default().into_iter();
    sets.filter(|set| is_set(set) && is_whole(set)).collect()
}

/// Is anything of another layout pinned, or what a load has left that was cut short? Its hooks may be asked still, by a
/// way to no daemon of this version. So it is while a load is under way.
pub fn is_mixed() -> bool {
    let mut all = sets().unwrap_or_default().into_iter();
    all.any(|set| !(is_whole(&set) && is_of_this_layout(&set)))
}

pub(super) fn remove_maps_of_other_layouts() -> Result<(), GuardError> {
    let entries = entries().map_err(|e| failed("list", HOME, e))?;
    let is_ours = |path: &PathBuf| MAPS.iter().any(|(_, ours)| path == Path::new(ours));
    let mut others = entries
        .iter()
        .filter(|path| !path.is_dir() && !is_ours(path));
    others.try_for_each(|path| remove(path))
}

pub(super) fn remove_sets<'a>(
    mut sets: impl Iterator<Item = &'a PathBuf>,
) -> Result<(), GuardError> {
    sets.try_for_each(|set| remove_set(set))
}

pub(super) fn name_of(set: &Path) -> &str {
    set.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// Are as many links there as were pinned?
pub(super) fn is_whole(set: &Path) -> bool {
    let count = name_of(set)
        .rsplit('-')
        .next()
        .and_then(|count| count.parse().ok());
    let there = fs::read_dir(set).map(Iterator::count);
    there.ok() == count
}

/// Before there was a number, a set had none.
fn is_of_this_layout(set: &Path) -> bool {
    let parts: Vec<&str> = name_of(set).split('-').collect();
    matches!(parts[..], [_, LAYOUT, _, _])
}

fn is_set(path: &Path) -> bool {
    name_of(path).starts_with("programs-")
}

/// What is there of programs: whole sets, and what a load has left.
pub(super) fn sets() -> io::Result<Vec<PathBuf>> {
    let all = entries()?.into_iter();
    Ok(all.filter(|path| path.is_dir()).collect())
}

pub(super) fn entries() -> io::Result<Vec<PathBuf>> {
    fs::read_dir(HOME)?.map(|entry| Ok(entry?.path())).collect()
}

pub(super) fn make_dir(path: &Path) -> Result<(), GuardError> {
    match call("mkdir", || DirBuilder::new().mode(0o700).create(path)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed("make", path, error))
        }
        _ => Ok(()),
    }
}

pub(super) fn remove_set(set: &Path) -> Result<(), GuardError> {
    let entries = match fs::read_dir(set) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| failed("list", set, e))?,
    };
    for entry in entries {
        remove(&entry.map_err(|e| failed("list", set, e))?.path())?;
    }
    call("rmdir", || fs::remove_dir(set)).map_err(|e| failed("remove", set, e))
}

pub(super) fn remove(path: &Path) -> Result<(), GuardError> {
    match call("unlink", || fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

pub(super) fn failed(
    op: &'static str,
    path: impl Into<PathBuf>,
    source: impl Into<io::Error>,
) -> GuardError {
    GuardError::Io {
        op,
        path: path.into(),
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_another_layout_is_known_by_its_name() {
        let ours = format!("programs-{LAYOUT}-0123456789abcdef-9");
        assert!(is_of_this_layout(&Path::new(HOME).join(&ours)));
        for other in [
            "programs-2-0123456789abcdef-9",
            "programs-0123456789abcdef-9",
            "programs-3",
        ] {
            assert!(!is_of_this_layout(&Path::new(HOME).join(other)), "{other}");
        }
    }
}
