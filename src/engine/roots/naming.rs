//! What guests are called that are given without a name: as the base knows them, else by their directories, and so that
//! no two have one name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::Base;
use crate::engine::error::BadUse;
use crate::engine::guest::base_path;
use crate::engine::records::known_roots::{KnownRoots, known_roots};
use crate::engine::{EngineError, GuestArg};
use crate::model::{BadGuestName, GuestName};
use crate::rules::root;
use crate::sys::canonical;

/// The same guests, each with a name. A base that cannot be read knows none.
pub fn named(args: &[GuestArg], base: Option<&Path>) -> Result<Vec<GuestArg>, EngineError> {
    let roots = args.iter().map(|arg| canonical(&arg.path));
    let roots: Vec<PathBuf> = roots.collect::<Result<_, _>>()?;
    let base = base.and_then(|base| base_path(base).ok());
    let base = base.and_then(|base| Base::open(&base).ok().flatten());
    let known = base.and_then(|base| known_roots(&base).ok());
    let known = known.unwrap_or_default();
    let given = args.iter().map(|arg| arg.name.clone());
    let names = Naming {
        known: &known,
        roots: &roots,
    }
    .all(given.collect())?;
    let guest = |(arg, name): (&GuestArg, GuestName)| GuestArg {
        name: Some(name),
        path: arg.path.clone(),
    };
    Ok(args.iter().zip(names).map(guest).collect())
}

/// Names that are given, and the roots of their guests.
type TakenNames<'a> = BTreeMap<GuestName, &'a PathBuf>;

struct Naming<'a> {
    known: &'a KnownRoots,
    roots: &'a [PathBuf],
}

impl Naming<'_> {
    fn all(&self, mut names: Vec<Option<GuestName>>) -> Result<Vec<GuestName>, EngineError> {
        for (name, root) in names.iter_mut().zip(self.roots) {
            if name.is_none() {
                *name = self.known.name_of(root).cloned();
            }
        }
        let given = names.iter().zip(self.roots);
        let given = given.filter_map(|(name, root)| Some((name.clone()?, root)));
        let mut taken: TakenNames<'_> = given.collect();
        let mut length = 0;
        while names.iter().any(Option::is_none) {
            let mut wanted: BTreeMap<GuestName, Vec<usize>> = BTreeMap::new();
            for (at, _) in names.iter().enumerate().filter(|(_, name)| name.is_none()) {
                let name = self.derived(at, length, &taken)?;
                wanted.entry(name).or_default().push(at);
            }
            for (name, by) in wanted {
                let is_free = self.holder(&name, &taken).is_none();
                if let ([one], true) = (by.as_slice(), is_free) {
                    taken.insert(name.clone(), &self.roots[*one]);
                    names[*one] = Some(name);
                }
            }
            length += 1;
        }
        Ok(names.into_iter().flatten().collect())
    }

    /// The name of this length, or why there is none.
    fn derived(
        &self,
        at: usize,
        length: usize,
        taken: &TakenNames<'_>,
    ) -> Result<GuestName, BadUse> {
        let root = &self.roots[at];
        let names = root::names(root);
        let Some(first) = names.first() else {
            return Err(BadUse::HostRoot(root.clone()));
        };
        let bad = |error: BadGuestName| BadUse::GuestName(error.to_string());
        let name = names.get(length).map(|text| GuestName::new(text));
        match name {
            Some(Ok(name)) => Ok(name),
            Some(Err(error)) if length == 0 => Err(bad(error)),
            _ => {
                let name = GuestName::new(first).map_err(bad)?;
                let mut others = self.roots.iter().enumerate();
                let is_twin = |root: &Path| root::names(root).first() == Some(first);
                let twin = others.find(|(other, root)| *other != at && is_twin(root));
                let other = self.holder(&name, taken).or(twin.map(|(_, root)| root));
                Err(BadUse::SameName {
                    name,
                    one: root.clone(),
                    other: other.unwrap_or(root).clone(),
                })
            }
        }
    }

    /// The other guest that has the name: of this plan, or one that the base knows and that is there.
    fn holder<'h>(&'h self, name: &GuestName, taken: &TakenNames<'h>) -> Option<&'h PathBuf> {
        let known = || self.known.root_of(name).filter(|root| root.is_dir());
        taken.get(name).copied().or_else(known)
    }
}
