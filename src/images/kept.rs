//! What an image keeps of its content: a stream cannot be asked again, so what package databases and rules will be
//! asked for goes into a file without a name while the stream passes.

use std::cell::Cell;

use super::bounds::ReadingBudget;
use super::fault::BadEntry;
use crate::sys::SysResult;
use crate::sys::own::keep::ByteStore;

/// Directories whose files are kept: where the readers of `packages` look.
const DATABASES: &[&[u8]] = &[
    b"var/lib/dpkg/",
    b"var/lib/ucf/",
    b"var/lib/rpm/",
    b"usr/lib/sysimage/rpm/",
    b"usr/share/rpm/",
    b"var/lib/pacman/local/",
    b"var/lib/opkg/",
    b"usr/lib/opkg/",
    b"lib/apk/",
    b"usr/lib/apk/",
    b"var/db/pkg/",
    b"var/db/xbps/",
    b"var/db/repos/gentoo/profiles/",
    b"usr/share/portage/config/",
    b"var/lib/pkgtools/",
    b"var/lib/slackpkg/",
    b"var/log/packages/",
    b"var/adm/packages/",
    b"lib/upgrade/keep.d/",
    b"usr/lib/upgrade/keep.d/",
];

/// Small files of these are kept as well: configuration of package managers, and what says which system it is.
const CONFIGURATION: &[&[u8]] = &[b"etc/", b"usr/lib/os-release"];

/// Bytes of a file that is small.
const SMALL: u64 = 1 << 20;

/// Bytes of a database; what `packages` reads at most.
const LARGE: u64 = 1 << 30;

/// Where the bytes of a file are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptPart {
    at: u64,
    length: u64,
}

/// What is kept of one image.
#[derive(Debug)]
pub struct KeptBytes {
    store: ByteStore,
    end: Cell<u64>,
}

impl KeptBytes {
    /// Nothing yet.
    pub fn new(store: ByteStore) -> KeptBytes {
        KeptBytes {
            store,
            end: Cell::new(0),
        }
    }

    /// Room for a file of this path and length, if it is kept.
    pub(super) fn begin(
        &self,
        path: &[u8],
        size: u64,
        budget: &mut ReadingBudget,
    ) -> Result<Option<KeptPart>, BadEntry> {
        match is_kept(path, size) {
            true => self.room(size, budget).map(Some),
            false => Ok(None),
        }
    }

    /// Room for so many bytes.
    pub(super) fn room(&self, size: u64, budget: &mut ReadingBudget) -> Result<KeptPart, BadEntry> {
        budget.kept(size)?;
        let at = self.end.get();
        self.end.set(at + size);
        Ok(KeptPart { at, length: size })
    }

    /// All bytes of a part.
    pub(super) fn get(&self, part: KeptPart) -> SysResult<Vec<u8>> {
        read_part(&self.store, part)
    }

    /// Writes bytes of a part, at a place in it.
    pub(super) fn put(&self, part: KeptPart, at: u64, bytes: &[u8]) -> Result<(), BadEntry> {
        let put = self.store.put(bytes, part.at + at);
        put.map_err(|error| BadEntry::Unreadable(error.to_string()))
    }

    /// For threads that only read.
    pub fn into_store(self) -> ByteStore {
        self.store
    }
}

/// All bytes of a part.
pub fn read_part(store: &ByteStore, part: KeptPart) -> SysResult<Vec<u8>> {
    store.get(part.at, usize::try_from(part.length).unwrap_or(usize::MAX))
}

/// Does a file of this path hold what will be asked for? A system beneath `rootfs/` counts as well.
fn is_kept(path: &[u8], size: u64) -> bool {
    let path = path.strip_prefix(b"rootfs/").unwrap_or(path);
    let is_in = |places: &[&[u8]]| places.iter().any(|place| path.starts_with(place));
    is_in(DATABASES) && size <= LARGE || size <= SMALL && is_in(CONFIGURATION)
}
