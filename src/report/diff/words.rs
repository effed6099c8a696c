//! Words for what is not the same, as programs and people are told them.

use crate::model::{FileKind, SideOf};

/// What a name refers to, in a word.
pub(super) fn kind_word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Regular => "file",
        FileKind::Directory => "directory",
        FileKind::Symlink => "link",
        FileKind::Special => "special",
    }
}

/// `old` or `new`.
pub(super) fn side_code(side: SideOf) -> &'static str {
    match side {
        SideOf::Old => "old",
        SideOf::New => "new",
    }
}
