//! How rules look at guests: names by their paths, and files opened so that they are those that the walk saw.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::engine::planning::survey::Survey;
use crate::model::{
    Before, CheckRule, DigestKind, FileState, Finding, FindingFacts, FindingPlace, GuestPath,
    Metadata, PackageDigest, Tree,
};
use crate::rules::precondition::moved;
use crate::sys::PageCache;
use crate::sys::guest::GuestFile;
use crate::sys::package_hash::PackageHasher;

/// What could not be read while rules looked, by whichever thread.
#[derive(Debug, Default)]
pub(super) struct Unseen(Mutex<Vec<Finding>>);

impl Unseen {
    /// Notes that a name could not be read.
    pub fn note(&self, survey: &Survey, name: usize, why: String) {
        let place = place(survey, name);
        let finding = Finding::at(
            CheckRule::InputUnread,
            [place],
            FindingFacts::Unread { why },
        );
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(finding);
    }

    /// All that was noted.
    pub fn into_findings(self) -> Vec<Finding> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, or nothing and a note.
    pub fn or_note<T>(&self, survey: &Survey, name: usize, read: Result<T, String>) -> Option<T> {
        read.map_err(|why| self.note(survey, name, why)).ok()
    }
}

/// A name of a guest.
pub(super) fn place(survey: &Survey, name: usize) -> FindingPlace {
    FindingPlace {
        guest: survey.guest.name.clone(),
        path: Some(survey.scan.tree.guest_path(name)),
    }
}

/// The name at a path, if the walk met one there.
pub(super) fn name_at(tree: &Tree, path: &[u8]) -> Option<usize> {
    let at = lower_bound(tree, path);
    (at < tree.names() && tree.path(at) == path).then_some(at)
}

/// The first name that is not before this path.
pub(super) fn lower_bound(tree: &Tree, path: &[u8]) -> usize {
    let (mut low, mut high) = (0, tree.names());
    while low < high {
        let middle = low + (high - low) / 2;
        match tree.path(middle).as_slice() < path {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

/// Opens the file of a name: the one that the walk saw, or an error in words.
fn open(survey: &Survey, name: usize) -> Result<(GuestFile, FileState), String> {
    let tree = &survey.scan.tree;
    let seen = tree.state(tree.file_of(name));
    let path = tree.path(name);
    let file = survey.files.open(path.get(1..).unwrap_or_default());
    let file = file.map_err(|error| error.to_string())?.ok_or(CHANGED)?;
    unchanged(&file, &seen)?;
    Ok((file, seen))
}

fn unchanged(file: &GuestFile, seen: &FileState) -> Result<(), String> {
    let now = file.state().map_err(|error| error.to_string())?;
    match moved(&Before::from(seen), &now).is_empty() {
        true => Ok(()),
        false => Err(CHANGED.to_owned()),
    }
}

const CHANGED: &str = "it changed while it was read";

/// All metadata of a file.
pub(super) fn metadata(survey: &Survey, name: usize) -> Result<Metadata, String> {
    let (file, _) = open(survey, name)?;
    file.metadata(&[]).map_err(|error| error.to_string())
}

/// The bytes of a file of at most `most` of them; `None` for a longer one. An image has kept what may be asked for.
pub(super) fn content(survey: &Survey, name: usize, most: u64) -> Result<Option<Vec<u8>>, String> {
    let tree = &survey.scan.tree;
    let size = tree.size(tree.file_of(name));
    if size > most {
        return Ok(None);
    }
    let (file, seen) = open(survey, name)?;
    if file.known().is_some() {
        let kept = survey.files.read(&tree.path(name), most);
        return kept.map_err(|error| error.to_string());
    }
    let length = usize::try_from(size).map_err(|error| error.to_string())?;
    let bytes = file
        .beginning(size, length)
        .map_err(|error| error.to_string())?;
    unchanged(&file, &seen)?;
    Ok(Some(bytes))
}

/// Bytes that are read at once.
const STRIDE: usize = 256 << 10;

/// The digest of a file; `None` where it is one of an image, and of that kind none was made.
pub(super) fn digest(
    survey: &Survey,
    name: usize,
    kind: DigestKind,
    cache: PageCache,
) -> Result<Option<PackageDigest>, String> {
    let (file, seen) = open(survey, name)?;
    if let Some(known) = file.known() {
        return Ok(known.digest_of(kind));
    }
    let file = file.passing(seen.size, cache);
    file.expect_sequential();
    let mut hasher = PackageHasher::new(kind);
    let (mut at, mut buffer) = (0, vec![0; STRIDE]);
    while at < seen.size {
        let left = usize::try_from(seen.size - at)
            .unwrap_or(STRIDE)
            .min(STRIDE);
        let piece = buffer.get_mut(..left).unwrap_or_default();
        file.piece(at, piece).map_err(|error| error.to_string())?;
        hasher.update(piece);
        at += left as u64;
    }
    unchanged(&file, &seen)?;
    Ok(hasher.finish())
}

/// Have two files of one length the same content?
pub(super) fn same_content(one: (&Survey, usize), other: (&Survey, usize)) -> Result<bool, String> {
    let (a, seen_a) = open(one.0, one.1)?;
    let (b, seen_b) = open(other.0, other.1)?;
    let same = a
        .same_content(&b, seen_a.size)
        .map_err(|error| error.to_string())?;
    unchanged(&a, &seen_a)?;
    unchanged(&b, &seen_b)?;
    Ok(same)
}

/// Is the path beneath one of these directories, or one of them?
pub(super) fn is_beneath(path: &[u8], tops: &[String]) -> bool {
    tops.iter().any(|top| {
        let rest = path.strip_prefix(top.trim_end_matches('/').as_bytes());
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    })
}

/// The names of the largest files, each by its first name: at most `most`.
pub(super) fn shown_path(survey: &Survey, file: usize) -> GuestPath {
    let tree = &survey.scan.tree;
    tree.guest_path(tree.names_of(file).next().unwrap_or(0))
}
