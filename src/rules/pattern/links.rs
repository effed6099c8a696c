//! Globs that go through links, followed as the guest itself would follow a path.
//!
//! In a guest where `/lib` is a link to `usr/lib`, a file that people and package managers call `/lib/x` has the name
//! `/usr/lib/x`. A plan speaks of names without links. So each glob is followed once for every guest: which names
//! does it mean beyond those that it spells?
//!
//! * A link is followed wherever a component of the glob stands for it, be it spelled out or a wildcard. At the end of
//!   a glob a wildcard follows links to directories only: `/etc/alternatives/*` means the links and not half of
//!   `/usr/bin`.
//! * `**`, and a glob that may begin at any depth, meet names and follow nothing.
//! * A link to the root is not followed at the end: it would mean the whole guest.
//!
//! A guest may hold any links. How many are followed for one path is the resolver's to bound, and how many directories
//! are looked at is for whoever answers [`Links`]; the results of one glob are bounded here. A glob that was not
//! followed to its end says so: an exclude would leave out less than was asked.

use std::collections::HashSet;

use crate::model::GuestPath;

use super::glob::{GlobPart, PathGlob, Wildcard};

/// Most further names that one glob has by way of links.
const MOST_WAYS: usize = 1_000;

/// Most places that are passed on the way to them. Directories that a wildcard matches are many, and cost little.
const MOST_STEPS: usize = 1_000_000;

/// What a guest says about its links.
pub trait Links {
    /// Where a path leads in the end; `None` if nowhere.
    fn resolve(&self, path: &[u8]) -> Option<Place>;
    /// The names in a directory; none where they cannot be listed.
    fn names_in(&self, directory: &GuestPath) -> Vec<Vec<u8>>;
    /// How often it was asked and did not look, because that would be too much.
    fn not_looked(&self) -> u64;
}

/// What a pattern means by way of links.
pub(super) struct Through<T> {
    pub found: Vec<T>,
    /// Is there more than was found?
    pub is_cut_short: bool,
}

impl<T> Through<T> {
    pub(super) fn map<U>(self, to: impl Fn(T) -> U) -> Through<U> {
        Through {
            found: self.found.into_iter().map(to).collect(),
            is_cut_short: self.is_cut_short,
        }
    }
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name without any link in it.
    pub path: GuestPath,
    /// Is it a directory?
    pub is_directory: bool,
}

/// Which links a wildcard at the end of a glob follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastLinks {
    ToDirectories,
    ToAll,
}

/// How far a glob was followed.
struct Way {
    at: GuestPath,
    /// The next part of the glob.
    next: usize,
    by_link: bool,
}

impl PathGlob {
    /// Globs without links for what this one means by way of links.
    pub(super) fn through(&self, links: &dyn Links) -> Through<PathGlob> {
        self.followed(links, LastLinks::ToDirectories)
    }

    /// The same, and where a wildcard at its end matches links to files, these are followed as well.
    pub(super) fn through_to_files(&self, links: &dyn Links) -> Through<PathGlob> {
        self.followed(links, LastLinks::ToAll)
    }

    fn followed(&self, links: &dyn Links, last: LastLinks) -> Through<PathGlob> {
        let (before, mut steps) = (links.not_looked(), 0);
        let (mut found, mut met) = (Vec::new(), HashSet::new());
        let mut open = vec![Way {
            at: GuestPath::root(),
            next: 0,
            by_link: false,
        }];
        while let Some(way) = open.pop().filter(|_| steps <= MOST_STEPS) {
            steps += 1;
            // Many links may lead to one place.
            if way.by_link && !met.insert((way.at.clone(), way.next)) {
                continue;
            }
            let part = match self.0.get(way.next) {
                Some(GlobPart::Component(part)) => Some(part),
                Some(GlobPart::AnyDepth | GlobPart::Beneath) | None => None,
            };
            // From here on what is no wildcard, or follows nothing, is asked of names.
            if way.by_link && part.is_none_or(|part| part.literal().is_none()) {
                found.push(self.behind(&way));
            }
            open.extend(
                part.into_iter()
                    .flat_map(|part| self.onward(&way, part, (links, last))),
            );
            if found.len() > MOST_WAYS {
                break;
            }
        }
        let is_bounded = found.len() > MOST_WAYS || steps > MOST_STEPS;
        Through {
            found,
            is_cut_short: is_bounded || links.not_looked() > before,
        }
    }

    /// Where the next components lead from here: all that are spelled out at once, or one wildcard.
    fn onward(
        &self,
        way: &Way,
        part: &Wildcard,
        (links, last): (&dyn Links, LastLinks),
    ) -> Vec<Way> {
        if part.literal().is_some() {
            return self.onward_by_names(way, links).into_iter().collect();
        }
        let is_last = way.next + 1 == self.0.len();
        let follow = |name: Vec<u8>| {
            let path = way.at.join(&name).ok()?;
            let place = links.resolve(path.as_bytes())?;
            let by_link = place.path != path;
            let is_meant = !is_last || (by_link && !place.path.is_root());
            let leads_on = place.is_directory || is_last && last == LastLinks::ToAll;
            (leads_on && is_meant).then_some(Way {
                at: place.path,
                next: way.next + 1,
                by_link,
            })
        };
        let names = links.names_in(&way.at).into_iter();
        let matching = names.filter(|name| part.matches(name));
        matching.filter_map(follow).collect()
    }

    fn onward_by_names(&self, way: &Way, links: &dyn Links) -> Option<Way> {
        let rest = self.0.iter().skip(way.next);
        let names = rest.map_while(|part| match part {
            GlobPart::Component(name) => name.literal(),
            GlobPart::AnyDepth | GlobPart::Beneath => None,
        });
        let (mut path, mut next) = (way.at.clone(), way.next);
        for name in names {
            (path, next) = (path.join(name).ok()?, next + 1);
        }
        let place = links.resolve(path.as_bytes())?;
        let by_link = place.path != path;
        let is_meant = match next == self.0.len() {
            true => !(by_link && place.path.is_root()),
            false => place.is_directory,
        };
        is_meant.then_some(Way {
            at: place.path,
            next,
            by_link: by_link || way.by_link,
        })
    }

    /// The place that was reached, and what of the glob comes behind it.
    fn behind(&self, way: &Way) -> PathGlob {
        let place = way.at.as_bytes().split(|&byte| byte == b'/');
        let place = place.filter(|part| !part.is_empty());
        let place = place.map(|part| GlobPart::Component(Wildcard::of_bytes(part)));
        let rest = self.0.iter().skip(way.next).cloned();
        PathGlob(place.chain(rest).collect())
    }
}

impl Wildcard {
    /// The pattern of a list without the links that it begins with: those before its first wildcard.
    pub(super) fn through(&self, links: &dyn Links) -> Through<Wildcard> {
        let before = links.not_looked();
        Through {
            found: self.without_links(links).into_iter().collect(),
            is_cut_short: links.not_looked() > before,
        }
    }

    fn without_links(&self, links: &dyn Links) -> Option<Wildcard> {
        let beginning = self.beginning();
        let count = match self.literal() {
            Some(whole) => whole.strip_suffix(b"/").unwrap_or(whole).len(),
            None => beginning.iter().rposition(|&byte| byte == b'/')?,
        };
        let path = beginning.get(..count).filter(|path| !path.is_empty())?;
        let place = links.resolve(path)?.path;
        let by_link = place.as_bytes() != path && !place.is_root();
        by_link.then(|| self.beginning_with(place.as_bytes(), count))
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
