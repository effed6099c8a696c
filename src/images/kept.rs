//! What an image keeps of its content: a stream cannot be asked again, so what package databases and rules will be
//! asked for goes into a file without a name while the stream passes.

use std::cell::Cell;

use super::bounds::ReadingBudget;
use super::fault::BadEntry;
use crate::model::Digest;
use crate::rules::findings::secret::{LONGEST, SecretPlaces};
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
    /// What may be a secret is kept as well: what it holds says whether it is one.
    secrets: SecretPlaces,
    /// The one content that is looked for, where nothing else is kept.
    wanted: Option<WantedContent>,
}

/// A content that passed before, and whose bytes are wanted after all. Its digest says where it is: no name does.
#[derive(Debug)]
struct WantedContent {
    size: u64,
    content: Digest,
    /// Room for a file that may be it.
    room: Cell<Option<KeptPart>>,
    was_met: Cell<bool>,
}

impl KeptBytes {
    /// Nothing yet.
    pub fn new(store: ByteStore) -> KeptBytes {
        KeptBytes {
            store,
            end: Cell::new(0),
            secrets: SecretPlaces::default(),
            wanted: None,
        }
    }

    /// Nothing is kept but one content.
    pub fn only(store: ByteStore, size: u64, content: Digest) -> KeptBytes {
        let wanted = WantedContent {
            size,
            content,
            room: Cell::new(None),
            was_met: Cell::new(false),
        };
        KeptBytes {
            wanted: Some(wanted),
            ..KeptBytes::new(store)
        }
    }

    /// The one content that was wanted, if it came by.
    pub fn met(&self) -> SysResult<Option<Vec<u8>>> {
        let wanted = self.wanted.as_ref().filter(|wanted| wanted.was_met.get());
        let part = wanted.and_then(|wanted| wanted.room.get());
        part.map(|part| self.get(part)).transpose()
    }

    /// The bytes of a file went where [`KeptBytes::begin`] said, and are this content.
    pub(super) fn passed(&self, content: Digest) {
        if let Some(wanted) = &self.wanted {
            let is_it = wanted.room.get().is_some() && content == wanted.content;
            wanted.was_met.set(wanted.was_met.get() || is_it);
        }
    }

    /// Room for a file of this path and length, if it is kept.
    pub(super) fn begin(
        &self,
        path: &[u8],
        size: u64,
        budget: &mut ReadingBudget,
    ) -> Result<Option<KeptPart>, BadEntry> {
        match &self.wanted {
            Some(wanted) if size == wanted.size && !wanted.was_met.get() => {
                if wanted.room.get().is_none() {
                    wanted.room.set(Some(self.room(size, budget)?));
                }
                Ok(wanted.room.get())
            }
            None if self.is_kept(path, size) => self.room(size, budget).map(Some),
            _ => Ok(None),
        }
    }

    /// Does a file of this path hold what will be asked for? A system beneath `rootfs/` counts as well.
    fn is_kept(&self, path: &[u8], size: u64) -> bool {
        let path = path.strip_prefix(b"rootfs/").unwrap_or(path);
        let is_in = |places: &[&[u8]]| places.iter().any(|place| path.starts_with(place));
        let may_be_secret = || size <= LONGEST && self.secrets.may_hold(&[b"/", path].concat());
        is_in(DATABASES) && size <= LARGE
            || size <= SMALL && is_in(CONFIGURATION)
            || may_be_secret()
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
