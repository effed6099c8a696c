//! What the form of a guest cannot hold is no miss of its files: that an archive has whole seconds keeps nothing apart
//! that anybody could mend in the guest.

use crate::model::{FileState, Moved};
use crate::sys::guest::{KnownBy, Precision, TimeStep};

/// A file, and what the form of its guest holds.
pub(super) type HeldByForm<'a> = (&'a FileState, Precision);

/// Is all that differs finer than what both forms hold?
pub(super) fn is_too_fine(differs: &[Moved], one: HeldByForm<'_>, other: HeldByForm<'_>) -> bool {
    !differs.is_empty() && differs.iter().all(|fact| is_lost(*fact, one, other))
}

fn is_lost(fact: Moved, (a, one): HeldByForm<'_>, (b, other): HeldByForm<'_>) -> bool {
    let either = |lacks: fn(Precision) -> bool| lacks(one) || lacks(other);
    match fact {
        Moved::Mtime => {
            either(|form| form.mtime == TimeStep::Seconds) && a.mtime.sec == b.mtime.sec
        }
        Moved::Xattrs => either(|form| !form.keeps_xattrs()),
        // No image has inode flags or projects.
        Moved::Flags | Moved::Project => either(|form| form.content == KnownBy::Digest),
        Moved::Metadata => either(|form| !form.keeps_xattrs() || form.content == KnownBy::Digest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileId, FileKind, Time};

    fn file(sec: i64, nsec: u32) -> FileState {
        FileState {
            kind: FileKind::Regular,
            id: FileId { dev: 1, ino: 1 },
            nlink: 1,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 1,
            blocks: 8,
            mtime: Time { sec, nsec },
            ctime: Time { sec: 0, nsec: 0 },
        }
    }

    #[test]
    fn what_a_form_cannot_hold_is_no_miss() {
        let coarse = Precision {
            mtime: TimeStep::Seconds,
            attributes: false,
            content: KnownBy::Digest,
            ..Precision::DISK
        };
        let (whole, between, later) = (file(5, 0), file(5, 7), file(6, 0));
        let (disk, archive) = (Precision::DISK, coarse);
        let fine = |differs: &[Moved], a, b| is_too_fine(differs, a, b);
        assert!(fine(&[Moved::Mtime], (&between, disk), (&whole, archive)));
        assert!(!fine(&[Moved::Mtime], (&later, disk), (&whole, archive)));
        assert!(!fine(&[Moved::Mtime], (&between, disk), (&whole, disk)));
        let more = [Moved::Mtime, Moved::Mode];
        assert!(!fine(&more, (&between, disk), (&whole, archive)));
        for fact in [Moved::Xattrs, Moved::Flags, Moved::Project] {
            assert!(fine(&[fact], (&whole, archive), (&whole, disk)), "{fact:?}");
            assert!(!fine(&[fact], (&whole, disk), (&whole, disk)), "{fact:?}");
        }
        assert!(!fine(&[], (&whole, archive), (&whole, disk)));
    }
}
