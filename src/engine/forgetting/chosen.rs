//! What a guest has that shall be forgotten: by the disk, and by the receipts.

use std::collections::HashSet;
use std::path::Path;

use super::names::{NamedFile, names_in};
use crate::base::{Base, Index};
use crate::engine::error::BadUse;
use crate::engine::records::holders::Holding;
use crate::engine::records::{History, KnownGuest, Linked};
use crate::engine::{EngineError, Guest};
use crate::model::{
    About, GuestName, GuestPath, Observer, Outcome, ReceiptGuest, ReceiptLine, Refusal,
};
use crate::sys::{SysError, SysResult};

/// What would become of a guest.
pub struct ForgetView<'a> {
    /// Its name.
    pub name: &'a GuestName,
    /// Its root, where that is there.
    pub root: Option<&'a Path>,
    /// Names of objects that would be taken from it.
    pub names: u64,
    /// Names that receipts know and that are gone.
    pub gone: u64,
    /// Files that got blocks of others: nobody needs to take them from it.
    pub blocks: u64,
    /// Files among these whose objects have a name that no known guest has: the guest may have been moved.
    pub elsewhere: u64,
}

/// A guest that is forgotten.
pub(super) struct Forgotten {
    pub named: ReceiptGuest,
    /// Its root, where it is there, and what it has.
    pub guest: Option<Guest>,
    pub files: Vec<NamedFile>,
    /// What receipts say of it and the disk does not.
    pub gone: Vec<ReceiptLine>,
    /// So many of these files have names that no known guest has.
    pub elsewhere: u64,
}

impl Forgotten {
    fn of_objects(&self) -> impl Iterator<Item = &ReceiptLine> {
        self.gone.iter().filter(|line| line.object().is_some())
    }

    /// Names of objects that receipts know and that are gone.
    pub fn gone_names(&self) -> u64 {
        self.of_objects()
            .map(|line| line.paths().len() as u64)
            .sum()
    }

    /// The files that had them.
    pub fn gone_files(&self) -> u64 {
        self.of_objects().count() as u64
    }
}

/// What a guest has, as the disk and the receipts say.
pub(super) fn look_at(
    base: &Base,
    index: &Index,
    history: &History,
    name: &GuestName,
    observer: &dyn Observer,
) -> Result<Forgotten, EngineError> {
    let Some(known) = history.guests.get(name) else {
        return Err(BadUse::UnknownGuest(name.clone()).into());
    };
    let guest = SysError::absent(Guest::open(name.clone(), &known.root))?;
    if let Some(guest) = &guest {
        is_itself(guest, known, history)?;
    }
    let files = match &guest {
        Some(guest) => names_in(index, guest, observer)?,
        None => Vec::new(),
    };
    let there: HashSet<&GuestPath> = files.iter().flat_map(|file| &file.paths).collect();
    let mut known_files = history.by_guest(|guest, _| guest == name)?;
    let known_files = known_files.remove(name).unwrap_or_default().into_iter();
    let gone = known_files.filter(|file| !file.paths.iter().any(|path| there.contains(path)));
    let line = |file: Linked| ReceiptLine {
        about: About::Names {
            guest: name.clone(),
            paths: file.paths,
            object: file.object,
        },
        outcome: Outcome::AlreadyDone,
    };
    let mut gone: Vec<ReceiptLine> = gone.map(line).collect();
    // Their blocks go with the guest, and nobody else's do.
    let mut blocks = history.blocks_by_guest(|file| file.blocks.guest == *name)?;
    let blocks = blocks.remove(name).unwrap_or_default();
    gone.extend(blocks.into_iter().map(|file| ReceiptLine {
        about: About::Blocks(file.blocks),
        outcome: Outcome::AlreadyDone,
    }));
    Ok(Forgotten {
        named: ReceiptGuest {
            name: name.clone(),
            root: known.root.clone(),
        },
        elsewhere: elsewhere(base, history, &gone)?,
        guest,
        files,
        gone,
    })
}

/// How many of these objects have names that no guest has which the base can find.
fn elsewhere(base: &Base, history: &History, gone: &[ReceiptLine]) -> SysResult<u64> {
    if gone.is_empty() {
        return Ok(0);
    }
    let others = history.holders(&[]);
    let mut holding = Holding::new(others.iter().collect(), base, history)?;
    let mut found = 0;
    for object in gone.iter().filter_map(ReceiptLine::object) {
        if let Some(state) = base.object_state(object)? {
            let known = holding.may_lift(object, &state, 1, &[])?;
            found += u64::from(matches!(known, Err(Refusal::HolderUnknown { .. })));
        }
    }
    Ok(found)
}

/// Refuses a root that is a link now, and one that is another guest's or lies in one: what is taken from there would be
/// taken from somebody who was not named.
fn is_itself(guest: &Guest, known: &KnownGuest, history: &History) -> Result<(), EngineError> {
    if guest.path != known.root {
        return Err(BadUse::RootIsLink {
            name: guest.name.clone(),
            root: known.root.clone(),
            leads_to: guest.path.clone(),
        }
        .into());
    }
    let others = history.guests.iter();
    let others = others.filter(|(name, known)| **name != guest.name && history.has_any(known));
    for (_, other) in others {
        if other.root.starts_with(&guest.path) || guest.path.starts_with(&other.root) {
            return Err(BadUse::Nested(guest.path.clone(), other.root.clone()).into());
        }
    }
    Ok(())
}
