//! Which guests the base has met, and where: what the first lines of its receipts say, without their thousands of other
//! lines. Whether a guest holds names is not asked here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::receipts;
use crate::base::{Base, RECEIPT, RECOVERED};
use crate::model::GuestName;
use crate::sys::SysResult;

/// Guests by their names, and where each was last.
#[derive(Debug, Default)]
pub struct KnownRoots {
    roots: BTreeMap<GuestName, PathBuf>,
    /// Names in the order in which they were last told of.
    order: Vec<GuestName>,
}

impl KnownRoots {
    /// Where the guest of this name was last.
    pub fn root_of(&self, name: &GuestName) -> Option<&PathBuf> {
        self.roots.get(name)
    }

    /// The name by which the guest at this place was last told of.
    pub fn name_of(&self, root: &Path) -> Option<&GuestName> {
        let mut latest = self.order.iter().rev();
        latest.find(|name| self.roots.get(name).is_some_and(|known| known == root))
    }

    /// All names of guests that were last at this place.
    pub fn names_of(&self, root: &Path) -> impl Iterator<Item = &GuestName> {
        let here = self.roots.iter().filter(move |(_, known)| *known == root);
        here.map(|(name, _)| name)
    }

    fn see(&mut self, name: GuestName, root: PathBuf) {
        self.order.retain(|known| *known != name);
        self.order.push(name.clone());
        self.roots.insert(name, root);
    }
}

/// Reads the first lines of all receipts, oldest first.
pub fn known_roots(base: &Base) -> SysResult<KnownRoots> {
    let mut known = KnownRoots::default();
    for run in base.runs()? {
        for paper in [RECEIPT, RECOVERED] {
            let receipt = receipts::open(base, &run, paper)?;
            let Some(receipt) = receipt.map(|reader| reader.receipt().clone()) else {
                continue;
            };
            for guest in receipt.guests {
                if receipt.what.finds_guests() || known.root_of(&guest.name).is_none() {
                    known.see(guest.name, guest.root);
                }
            }
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts() {
        let name = |text: &str| GuestName::new(text).expect("a name");
        let mut known = KnownRoots::default();
        for (guest, root) in [("a", "/x"), ("b", "/x"), ("a", "/y"), ("c", "/x")] {
            known.see(name(guest), root.into());
        }
        assert_eq!(known.name_of(Path::new("/x")), Some(&name("c")));
        assert_eq!(known.name_of(Path::new("/y")), Some(&name("a")));
        assert_eq!(known.name_of(Path::new("/z")), None);
        let all: Vec<_> = known.names_of(Path::new("/x")).collect();
        assert_eq!(all, [&name("b"), &name("c")]);
        assert_eq!(known.root_of(&name("a")), Some(&PathBuf::from("/y")));
    }
}
