//! Which of some files that look alike are equal: a piece of each is read at a time, and compared byte by byte.
//!
//! Of files with the same content only one is hashed, and a file that differs is read no further than to where it
//! does. The files of a very long run are distinguished by hashes instead, in `by_hash`.

use std::collections::HashMap;
use std::sync::atomic::{self, AtomicBool};

use super::digest_cache::Memory;
use super::equal_so_far::{Buffers, EqualSoFar, OpenCandidate};
use super::file::{FileRef, ReadFile, Singles};
use super::probe::{CHANGED, Dropped, Probed, ProbedFile, judge_crossing, metadata, peek};
use crate::engine::planning::shared_inodes::SharedInodes;
use crate::engine::planning::survey::Survey;
use crate::engine::threads::Threads;
use crate::model::{
    Digest, FileState, Fingerprint, Metadata, MetadataDigest, Method, Policy, Tree,
};
use crate::rules::care::Care;
use crate::rules::choose::FEW;
use crate::rules::crossing::Crossing;
use crate::rules::reading::fits_in_memory;
use crate::rules::reflink::kept_by_flags;
use crate::sys::PageCache;
use crate::sys::guest::{KnownBy, Sharing};
use crate::sys::hash::{ContentHasher, fingerprint};
use crate::sys::host::machine;

/// What reading needs to know, and the threads that read.
pub struct Reader<'a> {
    pub surveys: &'a [Survey],
    pub care: &'a Care,
    pub policy: &'a Policy,
    pub crossing: &'a Crossing,
    pub memory: &'a Memory<'a>,
    /// Inodes that guests share already: each may become an object even without a twin.
    pub shared: &'a SharedInodes,
    pub threads: &'a Threads,
    /// What becomes of pages that are read.
    pub cache: PageCache,
    /// Can files of this file system share extents?
    pub sharing: &'a Sharing,
    /// Are there more small files to read than the memory holds?
    pub crowded: AtomicBool,
}

/// What became of a run.
#[derive(Default)]
pub struct SplitFiles {
    pub groups: Vec<Vec<ReadFile>>,
    pub dropped: Vec<(FileRef, Dropped)>,
}

impl Reader<'_> {
    /// Distinguishes the files of each run, which `stat` cannot. All are opened before the first is read, so that
    /// the disk has many to bring. `singles` says of a run what becomes of its files without a twin. What is
    /// found is handed to `take`, at once or in parts.
    pub fn split_equal(
        &self,
        runs: &[&[FileRef]],
        singles: impl Fn(&[FileRef]) -> Singles,
        buffers: &mut Buffers,
        take: &dyn Fn(SplitFiles),
    ) {
        let mut told = SplitFiles::default();
        let open = |run: &&[FileRef]| self.open_all(run, &mut told.dropped);
        let opened: Vec<_> = runs.iter().map(open).collect();
        for (run, opened) in runs.iter().zip(opened) {
            match opened {
                Some(alike) => alike
                    .into_values()
                    .for_each(|files| self.side_by_side(files, singles(run), buffers, &mut told)),
                None => self.by_hash(run, singles(run), &mut told, take),
            }
        }
        take(told);
    }

    /// The files of a run by their metadata; `None` where they are not held open together.
    fn open_all(
        &self,
        run: &[FileRef],
        dropped: &mut Vec<(FileRef, Dropped)>,
    ) -> Option<HashMap<MetadataDigest, Vec<OpenCandidate>>> {
        let states = run.iter().map(|which| self.state(*which));
        let many = run.len() > self.threads.abreast;
        if many || self.has_only_digests(run) || self.memory.tells(states) {
            return None;
        }
        let mut alike: HashMap<MetadataDigest, Vec<OpenCandidate>> = HashMap::new();
        for &which in run {
            match self.open(which) {
                Ok(opened) => {
                    if self.threads.asks_ahead() {
                        opened.expect_soon();
                    }
                    let like = alike.entry(opened.probed.metadata).or_default();
                    let extents = opened.shared_extents(self.sharing);
                    like.push(OpenCandidate {
                        which,
                        opened,
                        extents,
                        unread: false,
                    });
                }
                Err(why) => dropped.push((which, why)),
            }
        }
        Some(alike)
    }

    /// Is there a file without bytes among these? Others are compared with it by their hashes.
    fn has_only_digests(&self, run: &[FileRef]) -> bool {
        run.iter().any(|which| {
            let files = &self.surveys[which.guest as usize].files;
            files.precision().content == KnownBy::Digest
        })
    }

    /// Opens a file that will not be opened again, and reads its metadata.
    fn open(&self, which: FileRef) -> Result<ProbedFile, Dropped> {
        let crowded = self.crowded.load(atomic::Ordering::Relaxed);
        let cache = match self.cache {
            PageCache::AsItWas if crowded => PageCache::NoneStays,
            wish => wish,
        };
        self.open_with(which, cache)
    }

    /// The same of a file that may be opened again: what small ones brought is needed then.
    pub(super) fn open_for_now(&self, which: FileRef) -> Result<ProbedFile, Dropped> {
        self.open_with(which, self.cache)
    }

    fn open_with(&self, which: FileRef, cache: PageCache) -> Result<ProbedFile, Dropped> {
        let survey = &self.surveys[which.guest as usize];
        let file = which.file as usize;
        let ignore = &self.policy.ignore;
        let may_cross = |at| self.judge_crossing(which, at);
        ProbedFile::look(survey, file, self.care, ignore, may_cross, cache)
    }

    /// Does nothing count but the content? So it is of files that share blocks: each keeps its metadata.
    pub fn only_content(&self) -> bool {
        self.care.method() == Method::Reflink
    }

    /// May all names of its inode leave their directories, those in other guests as well? Then it is said which. Where
    /// no name is moved, only inode flags can forbid what shall be done.
    fn judge_crossing(&self, which: FileRef, at: (u32, u32)) -> Result<(), Dropped> {
        if self.only_content() {
            let kept = kept_by_flags(at.0);
            return kept.map_or(Ok(()), |(reason, note)| Err(Dropped { reason, note }));
        }
        let survey = |which: FileRef| &self.surveys[which.guest as usize];
        let judge =
            |which: FileRef| judge_crossing(self.crossing, survey(which), which.file as usize, at);
        let all = self.shared.files_with(which);
        if all.is_empty() {
            return judge(which);
        }
        all.iter().try_for_each(|one| {
            judge(*one).map_err(|why| {
                let shown = survey(*one).shown(one.file as usize);
                let note = why.note.map(|note| format!("{shown}: {note}"));
                Dropped { note, ..why }
            })
        })
    }

    /// What is remembered of a file says nothing of its directory, which may have changed since.
    pub(super) fn may_cross(&self, which: FileRef, probed: &Probed) -> Result<(), Dropped> {
        self.judge_crossing(which, probed.plain.unwrap_or_default())
    }

    /// These files will be read, of which one of each run shows the size of all.
    pub fn prepare<'f>(&self, runs: impl Iterator<Item = &'f [FileRef]>) {
        let sizes = runs.flat_map(|run| std::iter::repeat_n(self.size_in(run), run.len()));
        let crowded = !fits_in_memory(sizes, machine::memory());
        self.crowded.store(crowded, atomic::Ordering::Relaxed);
    }

    /// What the walk saw of a file.
    pub fn state(&self, which: FileRef) -> FileState {
        self.tree(which).state(which.file as usize)
    }

    /// Its length alone.
    pub fn size(&self, which: FileRef) -> u64 {
        self.tree(which).size(which.file as usize)
    }

    /// Its inode number alone.
    pub fn inode(&self, which: FileRef) -> u64 {
        self.tree(which).inode(which.file as usize)
    }

    /// The length that all files of a run have.
    fn size_in(&self, run: &[FileRef]) -> u64 {
        run.first().map_or(0, |first| self.size(*first))
    }

    /// Bytes of all files of a run.
    pub fn bytes(&self, run: &[FileRef]) -> u64 {
        self.size_in(run).saturating_mul(run.len() as u64)
    }

    /// The tree that a file is in.
    pub fn tree(&self, which: FileRef) -> &Tree {
        &self.surveys[which.guest as usize].scan.tree
    }

    /// Splits classes until each holds equal files only.
    fn side_by_side(
        &self,
        files: Vec<OpenCandidate>,
        singles: Singles,
        buffers: &mut Buffers,
        told: &mut SplitFiles,
    ) {
        let mut classes = vec![EqualSoFar {
            files,
            at: 0,
            hasher: ContentHasher::new(),
            beginning: fingerprint(b""),
        }];
        while let Some(mut class) = classes.pop() {
            if class.files.len() < 2 && singles == Singles::Leave {
                self.leave(&class, told);
                continue;
            }
            let size = class
                .files
                .first()
                .map_or(0, |first| self.size(first.which));
            while class.at < size && (class.files.len() > 1 || singles == Singles::Keep) {
                classes.extend(class.step(size, buffers, &mut told.dropped));
            }
            if class.at >= size {
                self.finish(class, singles, told);
            } else {
                self.leave(&class, told);
            }
        }
    }

    /// A file without a twin is read no further. That it has none is true of what the walk saw, and of nothing else.
    fn leave(&self, class: &EqualSoFar, told: &mut SplitFiles) {
        for OpenCandidate { which, opened, .. } in &class.files {
            match opened.unchanged() {
                Ok(()) if class.at > 0 => {
                    let begun = (class.beginning, opened.probed.plain);
                    self.memory.begun(*which, &self.state(*which), begun);
                }
                Ok(()) => {}
                Err(why) => told.dropped.push((*which, why)),
            }
        }
    }

    /// All of a class were read to their end: they are equal, if none changed meanwhile.
    fn finish(&self, class: EqualSoFar, singles: Singles, told: &mut SplitFiles) {
        let lies_still = class.lies_still(self.sharing);
        let (content, beginning) = (class.hasher.finish(), class.beginning);
        let mut group = Vec::new();
        // The file that an object is made of is the first, unless the base has some: its twins' pieces count only if
        // it is in many itself.
        let mut pieces_count = true;
        let mut files = class.files;
        files.sort_by_key(|file| file.which);
        for file in files {
            if file.unread && !lies_still {
                told.dropped.push((file.which, CHANGED));
                continue;
            }
            let extents = pieces_count.then(|| file.opened.extents());
            let extents = extents.flatten();
            pieces_count = singles == Singles::Keep || extents.is_some_and(|n| n > FEW);
            match self.read(file.which, &file.opened, content, beginning, extents) {
                Ok(read) => group.push(read),
                Err(why) => told.dropped.push((file.which, why)),
            }
        }
        if !group.is_empty() {
            told.groups.push(group);
        }
    }

    /// A file that was read to its end, if it is still what the walk saw.
    fn read(
        &self,
        which: FileRef,
        opened: &ProbedFile,
        content: Digest,
        beginning: Fingerprint,
        extents: Option<u32>,
    ) -> Result<ReadFile, Dropped> {
        opened.unchanged()?;
        Ok(ReadFile {
            which,
            probed: opened.probed,
            content,
            beginning,
            extents,
        })
    }

    /// All metadata of a file as they are now.
    pub fn metadata(&self, which: FileRef) -> Result<Metadata, Dropped> {
        let survey = &self.surveys[which.guest as usize];
        metadata(survey, which.file as usize, &self.policy.ignore)
    }

    /// The fast hash of a file's beginning, whatever its metadata are.
    pub fn beginning(&self, which: FileRef) -> Result<Fingerprint, Dropped> {
        let state = self.state(which);
        let known = self.memory.beginning(&state).map_or_else(
            || {
                let survey = &self.surveys[which.guest as usize];
                peek(survey, which.file as usize, self.cache)
            },
            Ok,
        )?;
        self.memory.begun(which, &state, (known, None));
        Ok(known)
    }

    /// Reads one file to its end, if it was not read before.
    pub fn whole(&self, which: FileRef) -> Result<ReadFile, Dropped> {
        let state = self.state(which);
        if let Some(mut read) = self.memory.whole(which, &state, &self.policy.ignore) {
            self.may_cross(which, &read.probed)?;
            read.probed = read.probed.as_counted(self.care);
            if read.extents.is_none() {
                let opened = self.open(which)?;
                read.extents = opened.extents();
                opened.unchanged()?;
            }
            return Ok(read);
        }
        let opened = self.open(which)?;
        let (beginning, content) = opened.hashes()?;
        let extents = opened.extents();
        self.read(which, &opened, content, beginning, extents)
    }

    /// A file that was read and is in no group: those are remembered all at once.
    pub fn remember(&self, read: &ReadFile) {
        self.memory.read(&self.state(read.which), read);
    }
}
