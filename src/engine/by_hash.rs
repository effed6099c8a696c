//! Very many files that look alike, told apart one after the other: the cost is that of reading each once or twice, however
//! many they are. Only their hashes are held, not the files.

use super::equal::{Reader, Told};
use super::matching::Which;
use super::probe::{Dropped, Plain, Probed};
use crate::model::{Fingerprint, MetadataDigest};

/// A file whose beginning was read.
struct Begun {
    metadata: MetadataDigest,
    beginning: Fingerprint,
    which: Which,
    plain: Plain,
}

/// Groups are handed over when there are so many.
const GROUPS: usize = 64;

impl Reader<'_> {
    /// By metadata and the hash of the beginning, then by the whole content.
    pub(super) fn by_hash(&self, run: &[Which], alone: bool, told: &mut Told, take: &dyn Fn(Told)) {
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
            self.by_content(files, alone, told);
            if told.groups.len() >= GROUPS {
                take(std::mem::take(told));
            }
        }
    }

    /// Files that begin alike.
    fn by_content(&self, files: &[Begun], alone: bool, told: &mut Told) {
        if let ([file], false) = (files, alone) {
            let begun = (file.beginning, file.plain);
            return self
                .memory
                .begun(file.which, &self.state(file.which), begun);
        }
        let mut all = Vec::with_capacity(files.len());
        for file in files {
            match self.whole(file.which) {
                Ok(read) => all.push(read),
                Err(why) => told.dropped.push((file.which, why)),
            }
        }
        all.sort_unstable_by_key(|read| (read.content, read.probed.metadata, read.which));
        let equal =
            all.chunk_by(|a, b| (a.content, a.probed.metadata) == (b.content, b.probed.metadata));
        for group in equal {
            match group {
                [single] if !alone => self.remember(single),
                group => told.groups.push(group.to_vec()),
            }
        }
    }

    fn looked(&self, which: Which) -> Result<(Probed, Fingerprint), Dropped> {
        let state = self.state(which);
        if let Some(known) = self.memory.looked(&state, &self.policy.ignore) {
            return Ok(known);
        }
        let opened = self.open(which)?;
        let beginning = opened.fingerprint(state.size)?;
        Ok((opened.probed, beginning))
    }
}
