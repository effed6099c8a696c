//! The content of a file while it passes: its digest, the hash of its beginning, and its bytes where they are kept.

use std::cell::RefCell;

use super::bounds::ReadingBudget;
use super::fault::{BadEntry, ImageFault};
use super::kept::{KeptBytes, KeptPart};
use super::tar::{TarEntry, TarKind, TarReader};
use super::tree::FileHolds;
use crate::model::DigestKind;
use crate::sys::guest::BEGINNING;
use crate::sys::hash::{ContentHasher, fingerprint};
use crate::sys::package_hash::PackageHasher;

/// Where the content of files goes.
pub struct Sinks<'s> {
    pub budget: &'s RefCell<ReadingBudget>,
    pub kept: &'s KeptBytes,
    /// Digests that are made of every file besides the one that it is known by.
    pub digests: &'s [DigestKind],
}

/// The content so far.
struct PassingContent<'s> {
    hasher: ContentHasher,
    others: Vec<PackageHasher>,
    beginning: Vec<u8>,
    at: u64,
    kept: Option<(&'s KeptBytes, KeptPart)>,
}

impl PassingContent<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<(), BadEntry> {
        self.hasher.update(piece);
        self.others.iter_mut().for_each(|other| other.update(piece));
        let room = BEGINNING.saturating_sub(self.beginning.len());
        self.beginning
            .extend_from_slice(&piece[..room.min(piece.len())]);
        if let Some((kept, part)) = self.kept {
            kept.put(part, self.at, piece)?;
        }
        self.at += piece.len() as u64;
        Ok(())
    }
}

impl Sinks<'_> {
    /// Reads the content of the current entry of an archive, which is this one.
    pub fn file(
        &self,
        archive: &mut TarReader<'_>,
        entry: &TarEntry,
    ) -> Result<Box<FileHolds>, ImageFault> {
        let TarKind::File { size, stored, .. } = entry.kind else {
            return Err(archive.fault(BadEntry::Type(b'0')));
        };
        let mut budget = self.budget.borrow_mut();
        let part = self.kept.begin(&entry.path, size, &mut budget);
        drop(budget);
        let part = part.map_err(|why| archive.fault(why))?;
        let mut passing = PassingContent {
            hasher: ContentHasher::new(),
            others: self
                .digests
                .iter()
                .copied()
                .map(PackageHasher::new)
                .collect(),
            beginning: Vec::new(),
            at: 0,
            kept: part.map(|part| (self.kept, part)),
        };
        archive.content(entry, &mut |piece| passing.take(piece))?;
        let others = passing.others.into_iter();
        let content = passing.hasher.finish();
        if part.is_some() {
            self.kept.passed(content);
        }
        Ok(Box::new(FileHolds {
            size,
            stored,
            content,
            beginning: fingerprint(&passing.beginning),
            others: others.filter_map(PackageHasher::finish).collect(),
            kept: part,
        }))
    }
}
