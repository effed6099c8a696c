//! The files that a base remembers to have got blocks of others, which may be too many for the memory.
//!
//! A file is known by its first name: it is its own inode, and what becomes of its other names is its guest's affair.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::model::{BlockSource, CommonBlocks, Digest, GuestName, GuestPath, RunId};
use crate::sys::SysResult;

/// A file of a guest that got blocks of another, and was not given its own again by us.
#[derive(Debug, Clone)]
pub struct Reflinked {
    /// What the run did.
    pub blocks: CommonBlocks,
    /// The run that did it last; `None` where the disk shows it, and no receipt is asked.
    pub run: Option<RunId>,
}

impl Reflinked {
    /// All its names, as the run knew them.
    pub fn paths(&self) -> &[GuestPath] {
        &self.blocks.paths
    }
}

/// Files of guests; a guest is a number from 0 on.
#[derive(Debug)]
pub(super) struct RememberedBlocks {
    table: Table,
    /// Of each guest, how many files.
    counts: Vec<u64>,
    /// The runs that files name by number.
    runs: Vec<RunId>,
}

/// A file of a guest, by its first name.
#[derive(Serialize)]
enum BlocksKey<'a> {
    File(u32, &'a GuestPath),
}

/// The byte with which the key of a file begins.
const FILES: &[u8] = &[0];

#[derive(Serialize, Deserialize)]
struct BlocksEntry {
    guest: u32,
    name: GuestName,
    paths: Vec<GuestPath>,
    ino: u64,
    source: (GuestName, GuestPath),
    content: Option<[u8; 32]>,
    size: Option<u64>,
    shared: u64,
    run: u32,
}

impl RememberedBlocks {
    pub fn new(base: &Path) -> RememberedBlocks {
        RememberedBlocks {
            table: Table::new(base),
            counts: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// How many files of the guest.
    pub fn count(&self, guest: u32) -> u64 {
        self.counts.get(guest as usize).copied().unwrap_or_default()
    }

    /// Is there a file with this first name?
    pub fn has(&self, guest: u32, first: &GuestPath) -> SysResult<bool> {
        self.table.has(&BlocksKey::File(guest, first))
    }

    /// All files, with their guests; in no order that means anything.
    pub fn all(&self) -> impl Iterator<Item = SysResult<(u32, Reflinked)>> {
        self.table.values(FILES).map(|entry| {
            let entry: BlocksEntry = entry?;
            let run = self.runs.get(entry.run as usize).cloned();
            let (guest, path) = entry.source;
            let blocks = CommonBlocks {
                guest: entry.name,
                paths: entry.paths,
                ino: entry.ino,
                source: BlockSource { guest, path },
                content: entry.content.map(Digest),
                size: entry.size,
                shared: entry.shared,
                left: 0,
            };
            let run = run.ok_or_else(|| self.table.damaged("no such run"))?;
            let run = Some(run);
            Ok((entry.guest, Reflinked { blocks, run }))
        })
    }

    /// The file has these blocks now.
    pub fn put(&mut self, guest: u32, blocks: &CommonBlocks, run: &RunId) -> SysResult<()> {
        let Some(first) = blocks.paths.first() else {
            return Ok(());
        };
        self.forget(guest, first)?;
        // Files of one run come together.
        if self.runs.last() != Some(run) {
            self.runs.push(run.clone());
        }
        let entry = BlocksEntry {
            guest,
            name: blocks.guest.clone(),
            paths: blocks.paths.clone(),
            ino: blocks.ino,
            source: (blocks.source.guest.clone(), blocks.source.path.clone()),
            content: blocks.content.map(|content| content.0),
            size: blocks.size,
            shared: blocks.shared,
            run: self.runs.len() as u32 - 1,
        };
        self.table.put(&BlocksKey::File(guest, first), &entry)?;
        *self.count_of(guest) += 1;
        Ok(())
    }

    /// The file with this first name has blocks of its own.
    pub fn forget(&mut self, guest: u32, first: &GuestPath) -> SysResult<()> {
        if self.has(guest, first)? {
            self.table.remove(&BlocksKey::File(guest, first))?;
            let count = self.count_of(guest);
            *count = count.saturating_sub(1);
        }
        Ok(())
    }

    fn count_of(&mut self, guest: u32) -> &mut u64 {
        let at = guest as usize;
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        &mut self.counts[at]
    }
}
