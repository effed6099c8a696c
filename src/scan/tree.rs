//! The names and files of one guest, small in memory: a pool of bytes, a record a name, a record an inode.

use std::collections::HashMap;

use crate::model::{FileState, GuestPath};

/// All regular files of a guest and their names, in byte order of the names.
#[derive(Debug, Default)]
pub struct Tree {
    pool: Vec<u8>,
    dirs: Vec<Span>,
    names: Vec<Name>,
    files: Vec<File>,
    /// Second and further names of files with several.
    more: HashMap<u32, Vec<u32>>,
}

/// A stretch of the pool.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u64,
    length: u32,
}

#[derive(Debug, Clone, Copy)]
struct Name {
    dir: u32,
    file: u32,
    from: u64,
    length: u8,
}

#[derive(Debug, Clone, Copy)]
struct File {
    state: FileState,
    first: u32,
}

impl Tree {
    /// Number of files (inodes).
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Number of names of all files.
    pub fn names(&self) -> usize {
        self.names.len()
    }

    /// What the walk saw of a file.
    pub fn state(&self, file: usize) -> &FileState {
        &self.files[file].state
    }

    /// Files with their states, in the order of their first names.
    pub fn states(&self) -> impl Iterator<Item = &FileState> {
        self.files.iter().map(|file| &file.state)
    }

    /// The directory of a name, by a number that names of one directory share.
    pub fn directory_of(&self, name: usize) -> u32 {
        self.names[name].dir
    }

    /// The path of a directory, empty for the root.
    pub fn directory(&self, number: u32) -> &[u8] {
        let dir = self.dirs[number as usize];
        self.bytes(dir.from, dir.length as usize)
    }

    /// Which file a name refers to.
    pub fn file_of(&self, name: usize) -> usize {
        self.names[name].file as usize
    }

    /// Is this the first of its file's names?
    pub fn is_first(&self, name: usize) -> bool {
        self.files[self.file_of(name)].first as usize == name
    }

    /// A name as a path.
    pub fn path(&self, name: usize) -> Vec<u8> {
        let Name {
            dir, from, length, ..
        } = self.names[name];
        let dir = self.dirs[dir as usize];
        let mut path = Vec::with_capacity(dir.length as usize + 1 + usize::from(length));
        path.extend_from_slice(self.bytes(dir.from, dir.length as usize));
        path.push(b'/');
        path.extend_from_slice(self.bytes(from, usize::from(length)));
        path
    }

    /// A name as a checked path. The walk made it of single components, so it is one.
    pub fn guest_path(&self, name: usize) -> GuestPath {
        GuestPath::new(&self.path(name)).unwrap_or_else(|_| GuestPath::root())
    }

    /// The names of a file in byte order.
    pub fn names_of(&self, file: usize) -> impl Iterator<Item = usize> + '_ {
        let more = u32::try_from(file)
            .ok()
            .and_then(|file| self.more.get(&file));
        std::iter::once(self.files[file].first as usize)
            .chain(more.into_iter().flatten().map(|&n| n as usize))
    }

    /// How many names of a file the walk met.
    pub fn name_count(&self, file: usize) -> usize {
        1 + u32::try_from(file)
            .ok()
            .and_then(|file| self.more.get(&file))
            .map_or(0, Vec::len)
    }

    fn bytes(&self, from: u64, length: usize) -> &[u8] {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        &self.pool[from..from + length]
    }
}

/// Grows a [`Tree`] in the order of a walk.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    tree: Tree,
    /// Files with several names, by inode. The device is the same for all.
    linked: HashMap<u64, u32>,
    /// The directories from the root down to where the walk is.
    stack: Vec<u32>,
}

/// More names than 32 bits can count: over four thousand million in one guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 4294967295 names in one guest")]
pub struct TooLarge;

impl TreeBuilder {
    /// The walk entered a directory `depth` levels below the root (0 for the root, whose name is empty).
    pub fn enter(&mut self, depth: usize, name: &[u8]) -> Result<(), TooLarge> {
        let from = self.tree.pool.len() as u64;
        if let Some(&parent) = depth.checked_sub(1).and_then(|above| self.stack.get(above)) {
            let parent = self.tree.dirs[parent as usize];
            let at = usize::try_from(parent.from).map_err(|_| TooLarge)?;
            self.tree
                .pool
                .extend_from_within(at..at + parent.length as usize);
            self.tree.pool.push(b'/');
            self.tree.pool.extend_from_slice(name);
        }
        let length = u32::try_from(self.tree.pool.len() as u64 - from).map_err(|_| TooLarge)?;
        let dir = index(self.tree.dirs.len())?;
        self.tree.dirs.push(Span { from, length });
        self.stack.truncate(depth);
        self.stack.push(dir);
        Ok(())
    }

    /// The walk met a regular file `depth` levels below the root.
    pub fn meet(&mut self, depth: usize, name: &[u8], state: FileState) -> Result<(), TooLarge> {
        let dir = depth
            .checked_sub(1)
            .and_then(|above| self.stack.get(above))
            .copied()
            .unwrap_or(0);
        let from = self.tree.pool.len() as u64;
        let length = u8::try_from(name.len()).map_err(|_| TooLarge)?;
        self.tree.pool.extend_from_slice(name);
        let this = index(self.tree.names.len())?;
        let file = self.file(state, this)?;
        self.tree.names.push(Name {
            dir,
            file,
            from,
            length,
        });
        Ok(())
    }

    /// The walk is over.
    pub fn finish(mut self) -> Tree {
        self.tree.pool.shrink_to_fit();
        self.tree.names.shrink_to_fit();
        self.tree.files.shrink_to_fit();
        self.tree
    }

    fn file(&mut self, state: FileState, name: u32) -> Result<u32, TooLarge> {
        if let Some(&known) = self.linked.get(&state.id.ino) {
            self.tree.more.entry(known).or_default().push(name);
            return Ok(known);
        }
        let file = index(self.tree.files.len())?;
        self.tree.files.push(File { state, first: name });
        if state.nlink > 1 {
            self.linked.insert(state.id.ino, file);
        }
        Ok(file)
    }
}

fn index(length: usize) -> Result<u32, TooLarge> {
    u32::try_from(length).map_err(|_| TooLarge)
}
