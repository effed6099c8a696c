//! The names and files of one guest, small in memory: a name takes 13 bytes and its own, a file 40.

use std::collections::{HashMap, HashSet};

use crate::model::{FileState, GuestPath, NameLimits, States};

/// All regular files of a guest and their names, in byte order of the names.
#[derive(Debug, Default)]
pub struct Tree {
    /// Paths of directories.
    paths: Vec<u8>,
    dirs: Vec<Span>,
    /// Directories that are immutable or append-only.
    fixed: HashSet<u32>,
    /// Directories that take in files of one project only, and that project; the numbers rise.
    projects: Vec<(u32, u32)>,
    /// Last components of names, each after its length.
    pool: Vec<u8>,
    names: Vec<Name>,
    states: States,
    /// The first name of each file.
    firsts: Vec<u32>,
    /// Second and further names of files with several.
    more: HashMap<u32, Vec<u32>>,
}

/// A stretch of the paths.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u64,
    length: u32,
}

#[derive(Debug, Clone, Copy)]
struct Name {
    dir: u32,
    file: u32,
    /// In the pool.
    at: u32,
}

impl Tree {
    /// Number of files (inodes).
    pub fn files(&self) -> usize {
        self.firsts.len()
    }

    /// Number of names of all files.
    pub fn names(&self) -> usize {
        self.names.len()
    }

    /// What the walk saw of a file.
    pub fn state(&self, file: usize) -> FileState {
        self.states.get(file)
    }

    /// Its length alone.
    pub fn size(&self, file: usize) -> u64 {
        self.states.size(file)
    }

    /// Its inode number alone.
    pub fn inode(&self, file: usize) -> u64 {
        self.states.inode(file)
    }

    /// Files with their states, in the order of their first names.
    pub fn states(&self) -> impl Iterator<Item = FileState> + '_ {
        self.states.iter()
    }

    /// The same names in directories that all let go of them: flags of directories in an image say nothing of it.
    pub fn without_fixed(mut self) -> Tree {
        self.fixed.clear();
        self
    }

    /// Is one of a file's names in a directory that is immutable or append-only? None of those can be exchanged.
    pub fn is_in_fixed(&self, file: usize) -> bool {
        let is_fixed = |name: usize| self.fixed.contains(&self.names[name].dir);
        !self.fixed.is_empty() && self.names_of(file).any(is_fixed)
    }

    /// May a file of this project get the names of `file`? The directories that they are in may take in no other.
    pub fn takes_project(&self, file: usize, project: u32) -> bool {
        let takes = |name: usize| {
            let dir = self.names[name].dir;
            let known = self.projects.binary_search_by_key(&dir, |(dir, _)| *dir);
            known.is_ok_and(|at| self.projects[at].1 == project) || known.is_err()
        };
        self.projects.is_empty() || self.names_of(file).all(takes)
    }

    /// The path of a directory, empty for the root.
    fn directory(&self, number: u32) -> &[u8] {
        let Span { from, length } = self.dirs[number as usize];
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        &self.paths[from..from + length as usize]
    }

    /// Did the walk enter a directory of this path, which is a directory then and not a link, nor beneath one?
    pub fn has_directory(&self, path: &[u8]) -> bool {
        let order = |dir: &Span| {
            let from = usize::try_from(dir.from).unwrap_or(usize::MAX);
            let known = self.paths[from..from + dir.length as usize].iter();
            known.chain(b"/").cmp(path.iter().chain(b"/"))
        };
        self.dirs.binary_search_by(order).is_ok()
    }

    /// Which file a name refers to.
    pub fn file_of(&self, name: usize) -> usize {
        self.names[name].file as usize
    }

    /// Is this the first of its file's names?
    pub fn is_first(&self, name: usize) -> bool {
        self.firsts[self.file_of(name)] as usize == name
    }

    /// A name as a path.
    pub fn path(&self, name: usize) -> Vec<u8> {
        let Name { dir, at, .. } = self.names[name];
        let (dir, at) = (self.directory(dir), at as usize);
        let component = &self.pool[at + 1..][..usize::from(self.pool[at])];
        [dir, b"/", component].concat()
    }

    /// How long a name is as a path.
    pub fn path_length(&self, name: usize) -> usize {
        let Name { dir, at, .. } = self.names[name];
        let dir = self.dirs[dir as usize].length as usize;
        dir + 1 + usize::from(self.pool[at as usize])
    }

    /// A name as a checked path. The walk made it of single components, so it is one.
    pub fn guest_path(&self, name: usize) -> GuestPath {
        let path = GuestPath::try_from(self.path(name));
        path.unwrap_or_else(|_| GuestPath::root())
    }

    /// The names of a file in byte order.
    pub fn names_of(&self, file: usize) -> impl Iterator<Item = usize> + '_ {
        let more = u32::try_from(file)
            .ok()
            .and_then(|file| self.more.get(&file));
        std::iter::once(self.firsts[file] as usize)
            .chain(more.into_iter().flatten().map(|&n| n as usize))
    }

    /// How many names of a file the walk met.
    pub fn name_count(&self, file: usize) -> usize {
        1 + u32::try_from(file)
            .ok()
            .and_then(|file| self.more.get(&file))
            .map_or(0, Vec::len)
    }
}

/// Grows a [`Tree`] in the order of a walk.
#[derive(Debug)]
pub struct TreeBuilder {
    tree: Tree,
    /// Most names, and most bytes of names.
    most: u32,
    /// Files with several names, by inode. The device is the same for all.
    linked: HashMap<u64, u32>,
    /// The directories from the root down to where the walk is.
    stack: Vec<u32>,
}

/// More than a tree can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is too large: more than {most} names, or more than {most} bytes of them")]
pub struct TooLarge {
    most: u32,
}

impl TreeBuilder {
    /// A tree of at most so many names, and bytes of names.
    pub fn of_at_most(most: u32) -> TreeBuilder {
        TreeBuilder {
            tree: Tree::default(),
            most,
            linked: HashMap::new(),
            stack: Vec::new(),
        }
    }

    /// The walk entered a directory `depth` levels below the root (0 for the root, whose name is empty).
    pub fn enter(&mut self, depth: usize, name: &[u8]) -> Result<(), TooLarge> {
        let paths = &mut self.tree.paths;
        let from = paths.len() as u64;
        if let Some(&parent) = depth.checked_sub(1).and_then(|above| self.stack.get(above)) {
            let parent = self.tree.dirs[parent as usize];
            let at = usize::try_from(parent.from).unwrap_or(usize::MAX);
            paths.extend_from_within(at..at + parent.length as usize);
            paths.push(b'/');
            paths.extend_from_slice(name);
        }
        let length = paths.len() as u64 - from;
        let length = u32::try_from(length).map_err(|_| self.too_large())?;
        let dir = self.index(self.tree.dirs.len())?;
        self.tree.dirs.push(Span { from, length });
        self.stack.truncate(depth);
        self.stack.push(dir);
        Ok(())
    }

    /// What limits the names of the directory that was entered last.
    pub fn limit(&mut self, limits: NameLimits) {
        let Some(&dir) = self.stack.last() else {
            return;
        };
        if limits.is_fixed {
            self.tree.fixed.insert(dir);
        }
        let project = limits.only_project.map(|project| (dir, project));
        self.tree.projects.extend(project);
    }

    /// The walk met a regular file `depth` levels below the root.
    pub fn meet(&mut self, depth: usize, name: &[u8], state: FileState) -> Result<(), TooLarge> {
        let dir = depth
            .checked_sub(1)
            .and_then(|above| self.stack.get(above))
            .copied()
            .unwrap_or(0);
        let at = self.index(self.tree.pool.len())?;
        let length = u8::try_from(name.len()).map_err(|_| self.too_large())?;
        self.tree.pool.push(length);
        self.tree.pool.extend_from_slice(name);
        let this = self.index(self.tree.names.len())?;
        let file = self.file(state, this)?;
        self.tree.names.push(Name { dir, file, at });
        Ok(())
    }

    /// The walk is over.
    pub fn finish(mut self) -> Tree {
        self.tree.pool.shrink_to_fit();
        self.tree.names.shrink_to_fit();
        self.tree.states.shrink_to_fit();
        self.tree.firsts.shrink_to_fit();
        self.tree
    }

    fn file(&mut self, state: FileState, name: u32) -> Result<u32, TooLarge> {
        if let Some(&known) = self.linked.get(&state.id.ino) {
            self.tree.more.entry(known).or_default().push(name);
            return Ok(known);
        }
        let file = self.index(self.tree.firsts.len())?;
        self.tree.states.push(&state);
        self.tree.firsts.push(name);
        if state.nlink > 1 {
            self.linked.insert(state.id.ino, file);
        }
        Ok(file)
    }

    fn index(&self, length: usize) -> Result<u32, TooLarge> {
        let number = u32::try_from(length).ok();
        let fits = number.filter(|number| *number <= self.most);
        fits.ok_or_else(|| self.too_large())
    }

    fn too_large(&self) -> TooLarge {
        TooLarge { most: self.most }
    }
}
