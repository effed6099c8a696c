//! What the base holds, as one look over its directories: names and `stat`, no content. An object takes 97 bytes.

use super::Base;
use crate::model::{Digest, FileId, FileKind, FileState, MetadataDigest, ObjectId, States};
use crate::sys::{Dir, Meaning, SysResult};

/// An object as it stands in the base.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// Its name.
    pub id: ObjectId,
    /// Its state; `nlink` counts the base's own name.
    pub state: FileState,
    /// Is its immutable flag set, where a look at the name tells?
    pub flagged: Option<bool>,
}

/// All objects of a base, by number, in the order of content, metadata and generation.
#[derive(Debug, Default)]
pub struct Index {
    ids: Vec<ObjectId>,
    states: States,
    flagged: Vec<Option<bool>>,
    /// Numbers of objects by inode.
    by_inode: Vec<u32>,
    strangers: Vec<String>,
}

impl Index {
    /// Looks over the whole base.
    pub fn read(base: &Base) -> SysResult<Index> {
        Index::read_watched(base, &|| Ok(()))
    }

    /// The same, and `watch` is called for each directory; its error ends the look.
    pub fn read_watched(base: &Base, watch: &dyn Fn() -> SysResult<()>) -> SysResult<Index> {
        let mut index = Index::default();
        for fan in base.objects().list()? {
            watch()?;
            let dir = match base.objects().open_dir(&fan) {
                Ok(dir) => dir,
                Err(error) if error.meaning() == Meaning::PathChanged => {
                    index
                        .strangers
                        .push(String::from_utf8_lossy(&fan).into_owned());
                    continue;
                }
                Err(error) => return Err(error),
            };
            index.take(&fan, &dir)?;
        }
        index.by_inode = (0..).take(index.ids.len()).collect();
        let states = &index.states;
        index
            .by_inode
            .sort_unstable_by_key(|at| states.inode(*at as usize));
        Ok(index)
    }

    /// The objects of one directory; such directories come in the order of the contents.
    fn take(&mut self, fan: &[u8], dir: &Dir) -> SysResult<()> {
        let mut objects = Vec::new();
        for rest in dir.list()? {
            let (state, flagged) = dir.glance_with_flag(&rest)?;
            let name = String::from_utf8_lossy(&[fan, &rest].concat()).into_owned();
            match ObjectId::from_file_name(&name) {
                Ok(id) if fan.len() == 2 && state.kind == FileKind::Regular => {
                    objects.push(Held { id, state, flagged });
                }
                _ => self.strangers.push(name),
            }
        }
        objects.sort_by_key(|held| held.id);
        for held in objects {
            self.ids.push(held.id);
            self.states.push(&held.state);
            self.flagged.push(held.flagged);
        }
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// All objects, by their numbers.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = Held> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The object of a number.
    pub fn get(&self, at: usize) -> Held {
        Held {
            id: self.ids[at],
            state: self.states.get(at),
            flagged: self.flagged[at],
        }
    }

    /// The number of an object.
    pub fn find(&self, id: &ObjectId) -> Option<u32> {
        let at = self.ids.binary_search(id).ok()?;
        u32::try_from(at).ok()
    }

    /// All generations of an object, in their order.
    pub fn generations(
        &self,
        content: Digest,
        metadata: MetadataDigest,
    ) -> impl Iterator<Item = Held> + '_ {
        let first = self
            .ids
            .partition_point(|id| (id.content, id.metadata) < (content, metadata));
        let same = move |held: &Held| held.id.content == content && held.id.metadata == metadata;
        (first..self.len()).map(|at| self.get(at)).take_while(same)
    }

    /// The number of the object that an inode is.
    pub fn number_of_inode(&self, inode: FileId) -> Option<u32> {
        let by = |at: &u32| self.states.inode(*at as usize);
        let found = self.by_inode.binary_search_by_key(&inode.ino, by).ok()?;
        let number = self.by_inode[found];
        (self.states.get(number as usize).id == inode).then_some(number)
    }

    /// The object that an inode is.
    pub fn of_inode(&self, inode: FileId) -> Option<Held> {
        let number = self.number_of_inode(inode)?;
        Some(self.get(number as usize))
    }

    /// Objects that were not there, or were other inodes.
    pub fn added_since(&self, before: &Index) -> impl Iterator<Item = ObjectId> {
        let is_new = |held: &Held| {
            let at = before.find(&held.id);
            at.is_none_or(|at| before.get(at as usize).state.id != held.state.id)
        };
        self.objects().filter(is_new).map(|held| held.id)
    }

    /// Entries among the objects that are none.
    pub fn strangers(&self) -> &[String] {
        &self.strangers
    }
}
