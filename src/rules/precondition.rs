//! Is a file still what the plan says, and has it the metadata of the object?
//!
//! Two comparisons that must not be mixed: [`moved`] asks whether this is *the same file in the same
//! state* (evidence of the plan against the disk), [`metadata_differs`] whether two files are
//! *the same to a guest* (a file against an object). Both name every fact that differs, in the
//! order of [`Moved`], so that a refusal can be understood. Content is compared elsewhere.

use crate::model::{Before, FileKind, FileState, Ignored, Metadata, Moved};

/// Which facts about a file changed since its evidence was taken. Empty: it is the same file, and it was not
/// written, chmodded, linked or renamed since; `ctime` cannot be set back.
pub fn moved(before: &Before, now: &FileState) -> Vec<Moved> {
    let facts = [
        (Moved::Type, now.kind != FileKind::Regular),
        (Moved::Dev, before.dev != now.id.dev),
        (Moved::Ino, before.ino != now.id.ino),
        (Moved::Nlink, before.nlink != now.nlink),
        (Moved::Mode, before.mode != now.mode),
        (Moved::Uid, before.uid != now.uid),
        (Moved::Gid, before.gid != now.gid),
        (Moved::Size, before.size != now.size),
        (Moved::Mtime, before.mtime != now.mtime),
        (Moved::Ctime, before.ctime != now.ctime),
    ];
    differing(facts)
}

/// The same after an exchange, ours or that of a run before: it changes `ctime` itself, and other names of the file may
/// have come and gone.
pub fn moved_but_for_names(before: &Before, now: &FileState) -> Vec<Moved> {
    let mut fields = moved(before, now);
    fields.retain(|field| !shows_only_names(*field));
    fields
}

/// Does it change with the names of a file, whoever changes them?
pub fn shows_only_names(field: Moved) -> bool {
    matches!(field, Moved::Ctime | Moved::Nlink)
}

/// Which metadata differ that a link would merge.
pub fn metadata_differs(a: &Metadata, b: &Metadata, ignore: &[Ignored]) -> Vec<Moved> {
    a.differs(b, ignore)
}

fn differing<const N: usize>(facts: [(Moved, bool); N]) -> Vec<Moved> {
    let differ = facts.into_iter().filter(|(_, differs)| *differs);
    differ.map(|(fact, _)| fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileId, Time, Xattr};

    const T: Time = Time { sec: 7, nsec: 1 };
    const LATER: Time = Time { sec: 7, nsec: 2 };

    fn state() -> FileState {
        FileState {
            kind: FileKind::Regular,
            id: FileId { dev: 1, ino: 2 },
            nlink: 1,
            mode: 0o644,
            uid: 3,
            gid: 4,
            size: 5,
            blocks: 8,
            mtime: T,
            ctime: T,
        }
    }

    fn metadata() -> Metadata {
        Metadata {
            mode: 0o644,
            uid: 3,
            gid: 4,
            mtime: Some(T),
            xattrs: vec![],
            flags: 0,
            project: 0,
        }
    }

    #[test]
    fn every_fact_of_the_evidence_is_watched() {
        type Change = fn(&mut FileState);
        let cases: [(Change, Moved); 10] = [
            (|s| s.kind = FileKind::Symlink, Moved::Type),
            (|s| s.id.dev += 1, Moved::Dev),
            (|s| s.id.ino += 1, Moved::Ino),
            (|s| s.nlink += 1, Moved::Nlink),
            (|s| s.mode = 0o4644, Moved::Mode),
            (|s| s.uid += 1, Moved::Uid),
            (|s| s.gid += 1, Moved::Gid),
            (|s| s.size += 1, Moved::Size),
            (|s| s.mtime = LATER, Moved::Mtime),
            (|s| s.ctime = LATER, Moved::Ctime),
        ];
        let before = Before::from(&state());
        assert_eq!(moved(&before, &state()), []);
        let mut all = state();
        for (change, want) in cases {
            let mut now = state();
            change(&mut now);
            change(&mut all);
            assert_eq!(moved(&before, &now), [want]);
        }
        assert_eq!(moved(&before, &all), cases.map(|(_, fact)| fact));
    }

    #[test]
    fn allocation_is_not_evidence() {
        let mut now = state();
        now.blocks = 0;
        assert_eq!(moved(&Before::from(&state()), &now), []);
    }

    #[test]
    fn every_metadatum_is_watched() {
        type Change = fn(&mut Metadata);
        let xattr = |value: &[u8]| Xattr {
            name: b"user.x".to_vec(),
            value: value.to_vec(),
        };
        let cases: [(Change, Moved); 7] = [
            (|m| m.mode = 0o600, Moved::Mode),
            (|m| m.uid += 1, Moved::Uid),
            (|m| m.gid += 1, Moved::Gid),
            (|m| m.mtime = Some(LATER), Moved::Mtime),
            (|m| m.xattrs.clear(), Moved::Xattrs),
            (|m| m.flags = 0x40, Moved::Flags),
            (|m| m.project += 1, Moved::Project),
        ];
        let mut a = metadata();
        a.xattrs = vec![xattr(b"1")];
        for (change, want) in cases {
            let mut b = a.clone();
            assert_eq!(metadata_differs(&a, &b, &[]), []);
            change(&mut b);
            assert_eq!(metadata_differs(&a, &b, &[]), [want]);
        }
        let mut b = a.clone();
        b.xattrs = vec![xattr(b"2")];
        assert_eq!(metadata_differs(&a, &b, &[]), [Moved::Xattrs]);
    }

    #[test]
    fn mtime_may_be_ignored_and_nothing_else() {
        let mut b = metadata();
        b.mtime = None;
        assert_eq!(metadata_differs(&metadata(), &b, &[]), [Moved::Mtime]);
        assert_eq!(metadata_differs(&metadata(), &b, &[Ignored::Mtime]), []);
        b.uid += 1;
        let ignored = metadata_differs(&metadata(), &b, &[Ignored::Mtime]);
        assert_eq!(ignored, [Moved::Uid]);
    }
}
