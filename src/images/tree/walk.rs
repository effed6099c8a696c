//! All names of the tree in byte order of their full paths, as a walk of a directory meets them.

use super::{Child, Children, ImageTree, NodeHolds, ROOT};
use crate::model::{FileKind, TooLarge, TreeBuilder};

/// A directory that is being walked: what is still to be met in it, the last first.
type TreeLevel<'a> = Vec<(&'a [u8], Child)>;

impl ImageTree {
    /// Hands the names to a builder; `state` says what a node is.
    pub fn meet_all(
        &self,
        builder: &mut TreeBuilder,
        state: impl Fn(u32) -> crate::model::FileState,
    ) -> Result<(), TooLarge> {
        builder.enter(0, b"")?;
        let mut open: Vec<TreeLevel<'_>> = vec![self.level(self.children(ROOT))];
        while let Some(level) = open.last_mut() {
            let Some((name, child)) = level.pop() else {
                open.pop();
                continue;
            };
            let depth = open.len();
            match self.node(child.node).holds.kind() {
                FileKind::Directory => {
                    builder.enter(depth, name)?;
                    open.push(self.level(self.children(child.node)));
                }
                FileKind::Regular => builder.meet(depth, name, state(child.node))?,
                FileKind::Symlink | FileKind::Special => {}
            }
        }
        Ok(())
    }

    /// Sorted backwards. The name of a directory counts with its slash, as in the paths beneath it.
    fn level<'a>(&'a self, children: Option<&'a Children>) -> TreeLevel<'a> {
        let all = children.into_iter().flatten();
        let mut all: TreeLevel<'a> = all.map(|(name, child)| (&**name, *child)).collect();
        let is_directory =
            |child: &Child| matches!(self.node(child.node).holds, NodeHolds::Directory(_));
        let key = |(name, child): &(&'a [u8], Child)| -> (&'a [u8], Option<u8>) {
            (*name, is_directory(child).then_some(b'/'))
        };
        all.sort_by(|a, b| {
            let ((a, slash), (b, other)) = (key(a), key(b));
            b.iter().chain(&other).cmp(a.iter().chain(&slash))
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tree::NewHolds;
    use crate::images::tree::tests::{entry, file};
    use crate::model::{FileId, FileState, Time};

    #[test]
    fn names_come_in_the_order_of_their_paths() {
        let mut tree = ImageTree::new();
        for path in ["a/x", "a.b", "a-", "a0", "b/c/d", "b/c-"] {
            tree.put(entry(path, file(1)), 0).unwrap();
        }
        tree.put(entry("a/twin", NewHolds::HardLink(b"a0".to_vec())), 0)
            .unwrap();
        let zero = Time { sec: 0, nsec: 0 };
        let state = |node: u32| FileState {
            kind: FileKind::Regular,
            id: FileId {
                dev: 1,
                ino: u64::from(node),
            },
            nlink: tree.node(node).names,
            mode: 0,
            uid: 0,
            gid: 0,
            size: 0,
            blocks: 0,
            mtime: zero,
            ctime: zero,
        };
        let mut builder = TreeBuilder::of_at_most(u32::MAX);
        tree.meet_all(&mut builder, state).unwrap();
        let met = builder.finish();
        let names: Vec<Vec<u8>> = (0..met.names()).map(|name| met.path(name)).collect();
        let want: [&[u8]; 7] = [
            b"/a-", b"/a.b", b"/a/twin", b"/a/x", b"/a0", b"/b/c-", b"/b/c/d",
        ];
        assert_eq!(names, want);
        assert_eq!((met.files(), met.file_of(2)), (6, met.file_of(4)));
        assert!(met.has_directory(b"/b/c") && !met.has_directory(b"/a0"));
    }
}
