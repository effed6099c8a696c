//! What the extent map of a file says of its blocks.

use serde::Serialize;

use super::{Digest, DiskRoom};

/// The blocks of a file, as its file system tells of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileBlocks {
    /// What comes back when the file goes.
    pub room: DiskRoom,
    /// What kind of data they hold.
    pub data: DataKind,
    /// In how many pieces the data lie; `None` where nobody tells.
    pub pieces: Option<u32>,
    /// Where all of the data lie, as one number: files that have the same number have all blocks in common. `None`
    /// where that is not known.
    pub place: Option<Digest>,
}

/// What the blocks of a file hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// Data that other files can have as well.
    Blocks,
    /// Data beside the metadata, which no other file can have.
    Inline,
    /// Nothing: all of it is holes, or room that was set aside and never written.
    None,
    /// More pieces than are looked at.
    TooMany,
}

impl FileBlocks {
    /// Of a file of so many allocated bytes, of which nobody tells more.
    pub fn untold(allocated: u64) -> FileBlocks {
        FileBlocks {
            room: DiskRoom::own(allocated),
            data: DataKind::Blocks,
            pieces: None,
            place: None,
        }
    }
}

/// Files of a guest that got blocks of others, by what receipts say and the file system tells now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReflinkCount {
    /// Files that have blocks still that others have as well.
    #[serde(rename = "reflinked_files")]
    pub files: u64,
    /// Files that have none any more: their guest has written to them, replaced or removed them.
    #[serde(rename = "reflinks_written")]
    pub written: u64,
}
