//! Distinguishes very many files that look alike, one after the other: a small one is read once; of others the
//! beginnings are read, and those that begin alike to their ends, however many they are. Only their hashes are
//! held, not the files.

use super::compare::{Reader, SplitFiles};
use super::file::{FileRef, Singles};
use super::probe::{Dropped, Plain, Probed, begins_whole};
use super::same_extents::ByExtents;
use crate::model::{Fingerprint, MetadataDigest};

/// A file whose beginning was read.
struct Begun {
    metadata: MetadataDigest,
    beginning: Fingerprint,
    which: FileRef,
    plain: Plain,
}

/// Groups are handed over when there are so many.
const GROUPS: usize = 64;

impl Reader<'_> {
    /// By metadata and the hash of the beginning, then by the whole content.
    pub(super) fn by_hash(
        &self,
        run: &[FileRef],
        singles: Singles,
        told: &mut SplitFiles,
        take: &dyn Fn(SplitFiles),
    ) {
        if self.is_read_at_once(run) {
            return self.by_content(run.iter().copied(), singles, told, take);
        }
        let mut all = Vec::with_capacity(run.len());
        for &which in run {
            match self.looked(which) {
                Ok((probed, beginning)) => all.push(Begun {
                    metadata: probed.metadata,
                    beginning,
                    which,
                    plain: probed.plain,
                }),
                Err(why) => told.dropped.push((which, why)),
            }
        }
        all.sort_unstable_by_key(|file| (file.beginning, file.metadata, file.which));
        let alike = |a: &Begun, b: &Begun| (a.beginning, a.metadata) == (b.beginning, b.metadata);
        for files in all.chunk_by(alike) {
            match files {
                [file] if singles == Singles::Leave => {
                    let begun = (file.beginning, file.plain);
                    self.memory
                        .begun(file.which, &self.state(file.which), begun);
                }
                files => self.by_content(files.iter().map(|file| file.which), singles, told, take),
            }
        }
    }

    /// All have one size. Small ones are read at once, unless the beginnings that are known distinguish them, or
    /// they are few.
    fn is_read_at_once(&self, run: &[FileRef]) -> bool {
        let first = run.first();
        let small = first.is_some_and(|which| begins_whole(self.size(*which)));
        let states = run.iter().map(|which| self.state(*which));
        small && run.len() > self.threads.abreast && !self.memory.tells(states)
    }

    fn by_content(
        &self,
        files: impl ExactSizeIterator<Item = FileRef>,
        singles: Singles,
        told: &mut SplitFiles,
        take: &dyn Fn(SplitFiles),
    ) {
        let mut all = Vec::with_capacity(files.len());
        let mut places = ByExtents::new();
        for which in files {
            match self.whole_unless_shared(which, &all, &mut places) {
                Ok(read) => all.push(read),
                Err(why) => told.dropped.push((which, why)),
            }
        }
        all.sort_unstable_by_key(|read| (read.content, read.probed.metadata, read.which));
        let equal =
            all.chunk_by(|a, b| (a.content, a.probed.metadata) == (b.content, b.probed.metadata));
        for group in equal {
            match group {
                [single] if singles == Singles::Leave => self.remember(single),
                group => told.groups.push(group.to_vec()),
            }
            if told.groups.len() >= GROUPS {
                take(std::mem::take(told));
            }
        }
    }

    fn looked(&self, which: FileRef) -> Result<(Probed, Fingerprint), Dropped> {
        let state = self.state(which);
        if let Some((probed, beginning)) = self.memory.looked(&state, &self.policy.ignore) {
            self.may_cross(which, &probed)?;
            return Ok((probed.as_counted(self.care), beginning));
        }
        let opened = self.open_for_now(which)?;
        let beginning = opened.fingerprint()?;
        opened.unchanged()?;
        Ok((opened.probed, beginning))
    }
}
