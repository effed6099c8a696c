//! Reading: what a file that may have twins holds. Each is opened once, compared with what the walk saw before and
//! after, and read no further than needed.

use crate::engine::planning::survey::Survey;
use crate::model::{
    Before, Digest, FileBlocks, FileState, Fingerprint, Ignored, Metadata, MetadataDigest, Method,
    SkipReason,
};
use crate::rules::care::Care;
use crate::rules::crossing::Crossing;
use crate::rules::inode_flags::{foreign_flags, names};
use crate::rules::precondition::moved;
use crate::sys::guest::{BEGINNING, GuestFile, Sharing};
use crate::sys::hash::{fingerprint, metadata_digest, sha256};
use crate::sys::{Meaning, PageCache, Regular, SysError, SysResult};

/// Smaller files cost no more to read than to be asked where their data lie.
pub(super) const SMALL: u64 = 64 * 1024;

/// Is the beginning of such a file all of it?
pub(super) fn begins_whole(size: u64) -> bool {
    size <= BEGINNING as u64
}

/// Where data lie. The same extents of another device hold other data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DataPlace {
    device: u64,
    extents: Digest,
}

/// Inode flags and project of a file that has no extended attributes.
pub type Plain = Option<(u32, u32)>;

/// What the metadata of a file showed.
#[derive(Debug, Clone, Copy)]
pub struct Probed {
    pub metadata: MetadataDigest,
    pub plain: Plain,
}

impl Probed {
    pub fn of(metadata: &Metadata) -> Probed {
        let plain = (metadata.flags, metadata.project);
        Probed {
            metadata: metadata_digest(metadata),
            plain: metadata.xattrs.is_empty().then_some(plain),
        }
    }

    /// Without metadata, where these need not be equal.
    pub fn as_counted(self, care: &Care) -> Probed {
        match care.method() {
            Method::Hardlink => self,
            Method::Reflink => Probed {
                metadata: MetadataDigest([0; 16]),
                ..self
            },
        }
    }
}

/// Why a file drops out while it is looked at.
#[derive(Debug, Clone)]
pub struct Dropped {
    pub reason: SkipReason,
    pub note: Option<String>,
}

/// A file that is open, and what its metadata showed. That it is what the walk saw, and no other that was put in
/// its place, is known when it was [`ProbedFile::unchanged`] after all reading: its `ctime` says that it was so
/// all the time.
pub struct ProbedFile {
    file: GuestFile,
    seen: FileState,
    pub probed: Probed,
}

impl ProbedFile {
    /// Opens a file by its first name, and reads its metadata. `may_cross` judges inode flags and project.
    pub fn look(
        survey: &Survey,
        file: usize,
        care: &Care,
        ignore: &[Ignored],
        may_cross: impl FnOnce((u32, u32)) -> Result<(), Dropped>,
        cache: PageCache,
    ) -> Result<ProbedFile, Dropped> {
        let seen = survey.scan.tree.state(file);
        let open = open(survey, file)?;
        let may_cross = |metadata: &Metadata| may_cross((metadata.flags, metadata.project));
        let probed = match probe(&open, &seen, care, ignore, may_cross) {
            Ok(probed) => probed,
            Err(why) => return Err(blamed(&open, &seen, why)),
        };
        let file = open.passing(seen.size, cache);
        Ok(ProbedFile { file, seen, probed })
    }

    /// Its extents, where the file system reports them; asked only where there can be several.
    pub fn extents(&self) -> Option<u32> {
        if self.seen.blocks > 8 {
            self.file.extents()
        } else {
            Some(1)
        }
    }

    /// Where all its data lie, where it shares all of them, see [`GuestFile::shared_extents`].
    pub fn shared_extents(&self, sharing: &Sharing) -> Option<DataPlace> {
        let asked = self.seen.size >= SMALL;
        let extents = asked.then(|| self.file.shared_extents(sharing)).flatten()?;
        let device = self.seen.id.dev;
        Some(DataPlace { device, extents })
    }

    /// It will be read soon.
    pub fn expect_soon(&self) {
        self.file.expect_soon(self.seen.size);
    }

    /// Bytes that are read at once from `at` on, where `usual` would be.
    pub fn stride(&self, at: u64, usual: usize) -> usize {
        self.file.stride(at, usual)
    }

    /// Exactly `buffer.len()` bytes at `at`.
    pub fn piece(&self, at: u64, buffer: &mut [u8]) -> Result<(), Dropped> {
        let read = self.file.piece(at, buffer);
        read.map_err(|error| self.failed(&error))
    }

    /// The fast hash of the beginning.
    pub fn fingerprint(&self) -> Result<Fingerprint, Dropped> {
        beginning(&self.file, self.seen.size).map_err(|error| self.failed(&error))
    }

    /// The fast hash of the beginning, and the digest of the whole content: of one reading where the beginning is all.
    pub fn hashes(&self) -> Result<(Fingerprint, Digest), Dropped> {
        if let Some(known) = self.file.known() {
            return Ok((known.beginning, known.content));
        }
        let size = self.seen.size;
        let first = self.file.beginning(size, BEGINNING);
        let first = first.map_err(|error| self.failed(&error))?;
        let content = if begins_whole(size) {
            sha256(&first)
        } else {
            self.file.expect_sequential();
            let digest = self.file.digest(size);
            digest.map_err(|error| self.failed(&error))?
        };
        Ok((fingerprint(&first), content))
    }

    /// Is the file what the walk saw, after it was read?
    pub fn unchanged(&self) -> Result<(), Dropped> {
        unchanged(&self.file, &self.seen)
    }

    fn failed(&self, error: &SysError) -> Dropped {
        blamed(&self.file, &self.seen, dropped(error))
    }
}

/// What the metadata of a file show, if it may be shared by them.
fn probe(
    file: &GuestFile,
    seen: &FileState,
    care: &Care,
    ignore: &[Ignored],
    may_cross: impl FnOnce(&Metadata) -> Result<(), Dropped>,
) -> Result<Probed, Dropped> {
    let told = file.flags_if_told().map_err(|e| dropped(&e))?;
    if told.is_none() {
        // A FIFO that took a file's place must not stay open: a guest that writes into it would find a reader.
        unchanged(file, seen)?;
    }
    let flags = told.unwrap_or(0);
    let metadata = file.metadata_of(seen, flags, ignore);
    let metadata = metadata.map_err(|e| dropped(&e))?;
    may_cross(&metadata)?;
    if care.method() == Method::Hardlink {
        judge_flags(metadata.flags, Regular::means_immutable(flags))?;
    }
    match care.xattrs(&metadata.xattrs) {
        None => Ok(Probed::of(&metadata).as_counted(care)),
        Some(verdict) => Err(Dropped {
            reason: verdict.reason,
            note: Some(verdict.rule.to_owned()),
        }),
    }
}

fn unchanged(file: &GuestFile, seen: &FileState) -> Result<(), Dropped> {
    same(seen, &file.state().map_err(|e| dropped(&e))?)
}

/// Why a file drops out: for this reason, unless it is not what the walk saw.
fn blamed(file: &GuestFile, seen: &FileState, why: Dropped) -> Dropped {
    unchanged(file, seen).err().unwrap_or(why)
}

/// The fast hash of a file's beginning, whatever its metadata are.
pub fn peek(survey: &Survey, file: usize, cache: PageCache) -> Result<Fingerprint, Dropped> {
    let seen = survey.scan.tree.state(file);
    let file = open(survey, file)?.passing(seen.size, cache);
    let beginning = beginning(&file, seen.size);
    unchanged(&file, &seen)?;
    beginning.map_err(|e| dropped(&e))
}

/// All metadata of a file that the walk saw.
pub fn metadata(survey: &Survey, file: usize, ignore: &[Ignored]) -> Result<Metadata, Dropped> {
    let file = open(survey, file)?;
    file.metadata(ignore).map_err(|e| dropped(&e))
}

fn beginning(file: &GuestFile, size: u64) -> SysResult<Fingerprint> {
    match file.known() {
        Some(known) => Ok(known.beginning),
        None => Ok(fingerprint(&file.beginning(size, BEGINNING)?)),
    }
}

/// The blocks of a file, and is it immutable? What cannot be asked any more is refused by `apply` as well.
pub fn blocks(survey: &Survey, file: usize, sharing: &Sharing) -> (FileBlocks, bool) {
    let seen = survey.scan.tree.state(file);
    let Ok(open) = open(survey, file) else {
        return (FileBlocks::untold(seen.allocated()), false);
    };
    let flags = open.flags_if_told().ok().flatten();
    let blocks = open.blocks(seen.size, seen.allocated(), sharing);
    (blocks, flags.is_some_and(Regular::means_immutable))
}

/// Where a file begins on its disk, as far as that can be known.
pub fn place(survey: &Survey, file: usize) -> Option<u64> {
    open(survey, file).ok()?.place()
}

/// May names of a file with these inode flags and this project leave their directories?
pub(super) fn judge_crossing(
    crossing: &Crossing,
    survey: &Survey,
    file: usize,
    (flags, project): (u32, u32),
) -> Result<(), Dropped> {
    match crossing.judge(&survey.scan.tree, file, flags, project) {
        None => Ok(()),
        Some((reason, note)) => Err(Dropped { reason, note }),
    }
}

fn judge_flags(flags: u32, immutable: bool) -> Result<(), Dropped> {
    let foreign = foreign_flags(flags);
    let note = match (immutable, foreign) {
        (false, 0) => return Ok(()),
        (true, _) => "immutable".to_owned(),
        (false, foreign) => names(foreign),
    };
    Err(Dropped {
        reason: SkipReason::InodeFlags,
        note: Some(note),
    })
}

/// What stands at a file's first name now.
fn open(survey: &Survey, file: usize) -> Result<GuestFile, Dropped> {
    let tree = &survey.scan.tree;
    let name = tree.names_of(file).next().unwrap_or(0);
    let path = tree.path(name);
    let opened = survey.files.open(&path[1..]);
    opened.map_err(|e| dropped(&e))?.ok_or(CHANGED)
}

fn same(seen: &FileState, now: &FileState) -> Result<(), Dropped> {
    let same = moved(&Before::from(seen), now).is_empty();
    if same { Ok(()) } else { Err(CHANGED) }
}

pub(super) const CHANGED: Dropped = Dropped {
    reason: SkipReason::ChangedWhileReading,
    note: None,
};

fn dropped(error: &SysError) -> Dropped {
    match error.meaning() {
        Meaning::Gone | Meaning::PathChanged => CHANGED,
        Meaning::Busy => Dropped {
            reason: SkipReason::ChangedWhileReading,
            note: Some("somebody holds a lease on it".into()),
        },
        _ => Dropped {
            reason: SkipReason::Unreadable,
            note: Some(error.to_string()),
        },
    }
}
