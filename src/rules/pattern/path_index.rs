//! Many path globs asked at once: which of them, in the order they were added, covers a path first?
//!
//! A run asks once per name, millions of times, and nearly every answer is "none". So the globs are
//! sorted beforehand into the few that can match at all: those anchored below the path's first
//! component, those for a single name at any depth by the last byte of that name, and the rest.
//! The answer is the same as trying them one by one; only the caller's order decides.

use std::collections::HashMap;

use super::glob::{PathGlob, Why, Wildcard, ancestor, components};
use super::links::Links;

/// Globs in an order of priority.
#[derive(Debug)]
pub(in crate::rules) struct PathIndex {
    /// Anchored, by their literal first component.
    by_top: HashMap<Vec<u8>, Vec<Ranked>>,
    /// For one name at any depth, by its last byte: asked once a component, so a plain array.
    by_last_byte: [Vec<Ranked>; 256],
    rest: Vec<Ranked>,
    next: usize,
}

#[derive(Debug)]
struct Ranked {
    rank: usize,
    glob: PathGlob,
}

/// The glob that covers a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) struct Hit<'a> {
    /// How many globs were added before it.
    pub rank: usize,
    /// What it matched: the path itself, or the directory above.
    pub covered: &'a [u8],
}

impl Default for PathIndex {
    fn default() -> PathIndex {
        PathIndex {
            by_top: HashMap::new(),
            by_last_byte: std::array::from_fn(|_| Vec::new()),
            rest: Vec::new(),
            next: 0,
        }
    }
}

impl PathIndex {
    /// Adds a glob after all others.
    pub(in crate::rules) fn push(&mut self, pattern: &str) -> Result<(), Why> {
        self.push_glob(PathGlob::new(pattern)?);
        Ok(())
    }

    /// Adds what a pattern means by way of the links of a guest, after all others. Says how many globs that are, and
    /// whether there were more links than were followed.
    pub(in crate::rules) fn push_through(
        &mut self,
        pattern: &str,
        links: &dyn Links,
    ) -> Result<(usize, bool), Why> {
        let through = PathGlob::new(pattern)?.through_to_files(links);
        let globs = through.found.len();
        through
            .found
            .into_iter()
            .for_each(|glob| self.push_glob(glob));
        Ok((globs, through.is_cut_short))
    }

    fn push_glob(&mut self, glob: PathGlob) {
        let rank = self.next;
        let last_byte = glob.floating_name().and_then(Wildcard::last_byte);
        let named = last_byte.and_then(|byte| self.by_last_byte.get_mut(usize::from(byte)));
        let top = glob.top().map(<[u8]>::to_vec);
        let bucket = match (top, named) {
            (Some(top), _) => self.by_top.entry(top).or_default(),
            (None, Some(named)) => named,
            (None, None) => &mut self.rest,
        };
        bucket.push(Ranked { rank, glob });
        self.next += 1;
    }

    /// The first glob that covers `path`.
    pub(in crate::rules) fn first<'a>(&self, path: &'a [u8]) -> Option<Hit<'a>> {
        let parts = components(path);
        let anchored = parts.first().and_then(|top| self.by_top.get(*top));
        let candidates = anchored.into_iter().flatten().chain(&self.rest);
        let whole = candidates.filter_map(|c| Some((c.rank, c.glob.covers(&parts)?)));
        let named = parts.iter().zip(1..).flat_map(|(part, depth)| {
            let found = self.named(part);
            found.map(move |rank| (rank, depth))
        });
        let (rank, depth) = whole.chain(named).min()?;
        let covered = ancestor(path, &parts, depth);
        Some(Hit { rank, covered })
    }

    /// Ranks of the globs for single names that match this component.
    fn named(&self, part: &[u8]) -> impl Iterator<Item = usize> {
        let byte = part.last().copied().map(usize::from);
        let bucket = byte.and_then(|byte| self.by_last_byte.get(byte));
        let candidates = bucket.into_iter().flatten();
        candidates
            .filter(move |c| c.glob.floating_name().is_some_and(|g| g.matches(part)))
            .map(|c| c.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(patterns: &[&str], path: &str) -> Option<(usize, String)> {
        let mut index = PathIndex::default();
        patterns.iter().for_each(|p| index.push(p).unwrap());
        let hit = index.first(path.as_bytes())?;
        Some((hit.rank, String::from_utf8(hit.covered.to_vec()).unwrap()))
    }

    #[test]
    fn the_order_of_adding_decides_in_whatever_bucket_a_glob_is() {
        let (top, name, rest) = ("/var/lib", "*.db", "/*/lib/?.db");
        let path = "/var/lib/x.db";
        for patterns in [[top, name, rest], [name, rest, top], [rest, top, name]] {
            let (rank, _) = first(&patterns, path).unwrap();
            assert_eq!(rank, 0, "{patterns:?}");
        }
        assert_eq!(first(&[top, name, rest], "/usr/x.dbx"), None);
    }

    #[test]
    fn only_what_may_match_anything_is_asked_about_every_name() {
        let mut index = PathIndex::default();
        for pattern in ["/var/lib", "/etc/*", "*.db", "passwd", "/*/x", "a/b", "x*"] {
            index.push(pattern).unwrap();
        }
        let asked: Vec<_> = index.rest.iter().map(|glob| glob.rank).collect();
        assert_eq!(asked, [4, 5, 6]);
    }

    #[test]
    fn what_was_matched_is_the_topmost_directory() {
        let cases = [
            ("/var", "/var/lib/x", "/var"),
            ("/opt/*/etc", "/opt/a/etc/b/c", "/opt/a/etc"),
            (".ssh", "/root/.ssh/a/.ssh/b", "/root/.ssh"),
            ("/etc/x", "/etc/x", "/etc/x"),
            ("/", "/etc/x", "/"),
        ];
        for (pattern, path, want) in cases {
            assert_eq!(first(&[pattern], path), Some((0, want.into())), "{pattern}");
        }
    }
}
