//! What the base holds, as one look over its directories: names and `stat`, no content.

use std::collections::HashMap;

use super::Base;
use crate::model::{FileId, FileKind, FileState, ObjectId};
use crate::sys::{Meaning, SysResult};

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

/// All objects of a base.
#[derive(Debug, Default)]
pub struct Index {
    objects: Vec<Held>,
    by_inode: HashMap<FileId, usize>,
    strangers: Vec<String>,
}

impl Index {
    /// Looks over the whole base.
    pub fn read(base: &Base) -> SysResult<Index> {
        let mut index = Index::default();
        for fan in base.objects().list()? {
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
            for rest in dir.list()? {
                let (state, flagged) = dir.glance_with_flag(&rest)?;
                index.take(&fan, &rest, state, flagged);
            }
        }
        Ok(index)
    }

    fn take(&mut self, fan: &[u8], rest: &[u8], state: FileState, flagged: Option<bool>) {
        let name = String::from_utf8_lossy(&[fan, rest].concat()).into_owned();
        match ObjectId::from_file_name(&name) {
            Ok(id) if fan.len() == 2 && state.kind == FileKind::Regular => {
                self.by_inode.insert(state.id, self.objects.len());
                self.objects.push(Held { id, state, flagged });
            }
            _ => self.strangers.push(name),
        }
    }

    /// All objects, in the order of their names.
    pub fn objects(&self) -> &[Held] {
        &self.objects
    }

    /// The object that an inode is.
    pub fn of_inode(&self, inode: FileId) -> Option<&Held> {
        self.by_inode
            .get(&inode)
            .and_then(|&at| self.objects.get(at))
    }

    /// Entries among the objects that are none.
    pub fn strangers(&self) -> &[String] {
        &self.strangers
    }
}
