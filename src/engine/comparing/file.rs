//! One file of two guests: every fact side by side, and the text. Links on the way are followed as the guest follows
//! them; what the path itself names is looked at and not followed.

use std::io;
use std::time::{Duration, Instant};

use super::entry::{ComparedSide, Comparison, difference_of};
use super::packages::Packages;
use super::places::GuestPlace;
use super::text::{LONGEST_TEXT, hunks};
use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::model::{
    ContentCompared, Digest, EntrySide, Escaped, FileCompared, FileKind, FileSide, FileState,
    GuestPath, LinkMet, NoText, TextOfTwo,
};
use crate::sys::guest::{FirstDifference, GuestError, GuestFile, GuestFiles, TrailEnd};
use crate::sys::{SysError, SysResult};

/// Files with more holes are not read for a digest: holes cost nothing to make and time to read.
const MOST_HOLES: u64 = 1 << 30;

/// After so long the lines of two texts that were not compared yet are not compared any more.
const TIME: Duration = Duration::from_secs(2);

/// A file of a guest, as a person names it.
#[derive(Debug, Clone, Copy)]
pub struct FilePlace<'a> {
    /// Whose.
    pub guest: &'a GuestPlace,
    /// Its path, as the guest would take it.
    pub path: &'a [u8],
}

/// A file that was looked at, and opened where it is a regular one.
struct FoundFile {
    path: GuestPath,
    links: Vec<LinkMet>,
    state: Option<FileState>,
    open: Option<GuestFile>,
}

/// Compares what two paths name. With `mtime` a modification time that differs is a difference, too.
pub fn compare_files(
    old: FilePlace<'_>,
    new: FilePlace<'_>,
    mtime: bool,
) -> Result<FileCompared, EngineError> {
    let both = Comparison::of(side(old.guest)?, side(new.guest)?, mtime);
    let (found_old, found_new) = (old.find(&both.old)?, new.find(&both.new)?);
    let contents = TwoContents {
        sides: [&both.old, &both.new],
        found: [&found_old, &found_new],
    };
    let (content, text, fewest) = contents.compare()?;
    let old = old.finish(found_old, &both.old)?;
    let new = new.finish(found_new, &both.new)?;
    let differs = matches!(content, Some(ContentCompared::DifferAt(_)));
    let fields = match (&old.entry, &new.entry) {
        (Some(old), Some(new)) => both.fields(old, new, differs),
        (None, None) => Vec::new(),
        _ => vec!["type"],
    };
    Ok(FileCompared {
        old,
        new,
        fields,
        content,
        text,
        fewest,
    })
}

fn side(place: &GuestPlace) -> Result<ComparedSide, EngineError> {
    let files = place.files()?;
    Ok(ComparedSide {
        packages: Packages::of(&*files),
        files,
    })
}

impl FilePlace<'_> {
    fn find(&self, side: &ComparedSide) -> Result<FoundFile, EngineError> {
        let asked = GuestPath::new(self.path)
            .ok()
            .filter(|path| !path.is_root());
        let asked = asked.ok_or_else(|| BadUse::NoPath(Escaped(self.path).to_string()))?;
        let (path, links) = self.without_links(&*side.files, &asked)?;
        let state = match &path {
            Some(path) => side.files.look(path.relative())?,
            None => None,
        };
        let path = path.unwrap_or(asked);
        let regular = state.filter(|state| state.kind == FileKind::Regular);
        let open = regular.map(|state| side.open(&path, &state)).transpose();
        Ok(FoundFile {
            open: open.map_err(|why| self.unread(why))?,
            path,
            links,
            state,
        })
    }

    /// The name with all links of its directory resolved; `None` where there is no such directory.
    fn without_links(
        &self,
        files: &dyn GuestFiles,
        asked: &GuestPath,
    ) -> Result<(Option<GuestPath>, Vec<LinkMet>), EngineError> {
        let trail = files.trace(asked.parent().as_bytes());
        let trail = trail.map_err(|error: GuestError| self.unread(error.to_string()))?;
        let path = match trail.end {
            TrailEnd::Found(end) if end.kind == FileKind::Directory => {
                end.path.join(asked.file_name()).ok()
            }
            _ => None,
        };
        Ok((path, trail.links))
    }

    fn finish(&self, found: FoundFile, side: &ComparedSide) -> Result<FileSide, EngineError> {
        let FoundFile {
            path,
            links,
            state,
            open,
        } = found;
        let digest = match (&open, &state) {
            (Some(file), Some(state)) => digest(file, state)?,
            _ => None,
        };
        let entry: Result<Option<EntrySide>, String> = match (&open, &state) {
            (Some(file), Some(state)) => side.of_file(&path, state, file).map(Some),
            (_, Some(state)) => side.entry(&path, state).map(Some),
            _ => Ok(None),
        };
        Ok(FileSide {
            guest: self.guest.name.clone(),
            entry: entry.map_err(|why| self.unread(why))?,
            path,
            links,
            digest,
        })
    }

    fn unread(&self, why: String) -> EngineError {
        let what = format!("{}:{}", self.guest.name, Escaped(self.path));
        EngineError::NotRead { what, why }
    }
}

fn digest(file: &GuestFile, state: &FileState) -> SysResult<Option<Digest>> {
    if state.holes() > MOST_HOLES {
        return Ok(None);
    }
    file.digest(state.size).map(Some)
}

/// What two paths lead to, each in its guest.
struct TwoContents<'a> {
    sides: [&'a ComparedSide; 2],
    found: [&'a FoundFile; 2],
}

impl TwoContents<'_> {
    /// What two contents come to, line by line where they are texts.
    fn compare(&self) -> SysResult<(Option<ContentCompared>, TextOfTwo, bool)> {
        let [old, new] = self.found;
        let (Some(old_state), Some(new_state)) = (&old.state, &new.state) else {
            return Ok((None, TextOfTwo::NotShown(NoText::NoFile), true));
        };
        let (Some(old), Some(new)) = (&old.open, &new.open) else {
            return Ok((None, TextOfTwo::NotShown(NoText::NoFile), true));
        };
        let content = match difference_of(old, new, old_state, new_state)? {
            FirstDifference::None => {
                return Ok((
                    Some(ContentCompared::Same),
                    TextOfTwo::Hunks(Vec::new()),
                    true,
                ));
            }
            FirstDifference::At(byte) => ContentCompared::DifferAt(Some(byte)),
            FirstDifference::Somewhere => ContentCompared::DifferAt(None),
        };
        let (text, fewest) = self.texts(old_state.size.max(new_state.size))?;
        Ok((Some(content), text, fewest))
    }

    fn texts(&self, longest: u64) -> SysResult<(TextOfTwo, bool)> {
        if longest > LONGEST_TEXT {
            return Ok((TextOfTwo::NotShown(NoText::TooLarge), true));
        }
        let [old, new] = self.found;
        let old = self.sides[0].bytes(old)?;
        let new = self.sides[1].bytes(new)?;
        let (Some(old), Some(new)) = (old, new) else {
            return Ok((TextOfTwo::NotShown(NoText::NoBytes), true));
        };
        Ok(match hunks(&old, &new, Instant::now() + TIME) {
            Ok((hunks, fewest)) => (TextOfTwo::Hunks(hunks), fewest),
            Err(why) => (TextOfTwo::NotShown(why), true),
        })
    }
}

impl ComparedSide {
    /// All bytes of a file that is not too long; `None` where they came by once and are gone.
    fn bytes(&self, found: &FoundFile) -> SysResult<Option<Vec<u8>>> {
        let (Some(file), Some(state)) = (&found.open, &found.state) else {
            return Ok(None);
        };
        if file.known().is_none() {
            let size = usize::try_from(state.size).unwrap_or(usize::MAX);
            return file.beginning(state.size, size).map(Some);
        }
        let again = self.files.bytes_again(found.path.relative(), LONGEST_TEXT);
        again
            .map_err(|error| SysError::new("read", found.path.to_string(), io::Error::other(error)))
    }
}
