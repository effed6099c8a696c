//! Where a path leads in the tree: links are followed as the kernel follows them in a chroot.

use super::{ImageTree, NodeHolds, NodeId, ROOT};

/// Links followed for one path, as in the kernel (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Components looked at for one path.
const MAX_STEPS: usize = 4_096;

/// A link on the way: its path without a slash in front, and what it says.
pub type Met = (Vec<u8>, Vec<u8>);

/// The way of a path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PathWay {
    /// The links, in order.
    pub links: Vec<Met>,
    /// Where the way ends, without a slash in front.
    pub path: Vec<u8>,
}

/// Why a path leads nowhere; the place is where the way ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStop {
    /// There is no such name.
    Missing,
    /// The path goes on behind something that is no directory.
    NoDirectory,
    /// Too many links or components.
    Loop,
}

impl ImageTree {
    /// Follows a path from the root on.
    pub fn follow(&self, asked: &[u8], way: &mut PathWay) -> Result<NodeId, PathStop> {
        let mut pending: Vec<&[u8]> = components(asked).collect();
        // The directories from the root down, each with the length of its path.
        let mut at: Vec<(NodeId, usize)> = vec![(ROOT, 0)];
        for _ in 0..MAX_STEPS {
            let (node, _) = at.last().copied().unwrap_or((ROOT, 0));
            let Some(component) = pending.pop() else {
                return Ok(node);
            };
            let Some(children) = self.children(node) else {
                return Err(PathStop::NoDirectory);
            };
            if matches!(component, b"" | b".") {
                continue;
            }
            if component == b".." {
                at.truncate(at.len().saturating_sub(1).max(1));
                way.path
                    .truncate(at.last().map_or(0, |(_, length)| *length));
                continue;
            }
            let length = way.path.len();
            if length > 0 {
                way.path.push(b'/');
            }
            way.path.extend_from_slice(component);
            let child = children.get(component).ok_or(PathStop::Missing)?;
            let NodeHolds::Symlink(target) = &self.node(child.node).holds else {
                at.push((child.node, way.path.len()));
                continue;
            };
            if way.links.len() == MAX_LINKS {
                return Err(PathStop::Loop);
            }
            way.links.push((way.path.clone(), target.to_vec()));
            way.path.truncate(length);
            if target.starts_with(b"/") {
                at.truncate(1);
                way.path.clear();
            }
            pending.extend(components(target));
        }
        Err(PathStop::Loop)
    }
}

/// The components of a path, the last one first.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.rsplit(|byte| *byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tree::NewHolds;
    use crate::images::tree::tests::{entry, file};

    #[test]
    fn paths_lead_where_a_guest_would_go() {
        let mut tree = ImageTree::new();
        let link = |target: &str| NewHolds::Symlink(target.into());
        for (path, holds) in [
            ("usr/lib/f", file(1)),
            ("lib", link("usr/lib")),
            ("up", link("../../usr/./lib/../lib/f")),
            ("abs", link("/lib/f")),
            ("loop", link("loop")),
            ("usr/gone", link("nowhere")),
        ] {
            tree.put(entry(path, holds), 0).unwrap();
        }
        let lead = |path: &str| {
            let mut way = PathWay::default();
            let end = tree.follow(path.as_bytes(), &mut way).map(drop);
            (end, String::from_utf8(way.path).unwrap(), way.links.len())
        };
        let found = |path: &str, links| (Ok(()), path.to_owned(), links);
        assert_eq!(lead("/lib/f"), found("usr/lib/f", 1));
        assert_eq!(lead("up"), found("usr/lib/f", 1));
        assert_eq!(lead("abs"), found("usr/lib/f", 2));
        assert_eq!(lead("/"), found("", 0));
        assert_eq!(lead("lib/../.."), found("", 1));
        assert_eq!(lead("loop").0, Err(PathStop::Loop));
        let gone = (Err(PathStop::Missing), "usr/nowhere".to_owned(), 1);
        assert_eq!(lead("usr/gone/x"), gone);
        let no_directory = (Err(PathStop::NoDirectory), "usr/lib/f".to_owned(), 1);
        assert_eq!(lead("lib/f/x"), no_directory);
        assert_eq!(lead("lib/f/").0, Err(PathStop::NoDirectory));
    }
}
