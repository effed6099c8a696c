//! One file of two guests, side by side.

use super::EntrySide;
use crate::model::{Digest, GuestName, GuestPath, LinkMet};

/// One of two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSide {
    /// Whose.
    pub guest: GuestName,
    /// Its name without any link on the way; the last component is not followed.
    pub path: GuestPath,
    /// Links that were followed on the way.
    pub links: Vec<LinkMet>,
    /// What is there, if anything is.
    pub entry: Option<EntrySide>,
    /// The digest of a regular file; `None` also where holes make it too long to read.
    pub digest: Option<Digest>,
}

/// Two contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCompared {
    /// They are the same.
    Same,
    /// They differ from this byte on, counted from 0; `None` where only digests are known.
    DifferAt(Option<u64>),
}

/// Which of two texts a line is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFrom {
    /// Both.
    Both,
    /// The first one alone.
    Old,
    /// The second one alone.
    New,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HunkLine {
    /// Which text has it.
    pub from: LineFrom,
    /// Its bytes, without the line feed.
    pub text: Vec<u8>,
    /// Does a line feed end it? The last line of a text may lack it.
    pub ended: bool,
}

/// Lines that differ, and some around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextHunk {
    /// The first line and the number of lines in the first text; lines are counted from 1, and of none it is the line
    /// before.
    pub old: (u64, u64),
    /// The same in the second text.
    pub new: (u64, u64),
    /// Its lines.
    pub lines: Vec<HunkLine>,
}

/// Two contents as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOfTwo {
    /// What differs; nothing where they are the same.
    Hunks(Vec<TextHunk>),
    /// They are not shown line by line.
    NotShown(NoText),
}

crate::model::reason::reasons! {
    /// Why two contents are not shown as texts.
    NoText {
        NoFile = "no-file": "one of them is no regular file",
        Binary = "binary": "one of them is no text: it has a zero byte in its first 8 KiB",
        TooLarge = "too-large": "one of them is larger than 1 MiB, or has more than 50,000 lines",
        NoBytes = "no-bytes": "only the digest is known of one of them",
    }
}

/// One file of two guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCompared {
    /// The first one.
    pub old: FileSide,
    /// The second one.
    pub new: FileSide,
    /// Keys that differ; `type` also where one of them is not there.
    pub fields: Vec<&'static str>,
    /// Their contents, where both are regular files.
    pub content: Option<ContentCompared>,
    /// Their contents line by line.
    pub text: TextOfTwo,
    /// Are the lines the fewest that could be told? Where two texts have little in common, finding these takes too
    /// long.
    pub fewest: bool,
}
