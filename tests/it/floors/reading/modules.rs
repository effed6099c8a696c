//! Which file a path means: by the files of the modules, and through every `use` on the way.

use std::collections::{HashMap, HashSet};

use super::paths::{How, Named, named};
use super::source::Source;
use super::text::{block_end, find_word, name_at};

/// So many `use` may a name pass through; a file may `use` a name by itself, which would never end.
const MOST_STEPS: usize = 24;

/// The modules of one crate.
pub struct Modules<'a> {
    pub files: Vec<File<'a>>,
    by_module: HashMap<Vec<String>, usize>,
}

/// One file, with what it names and what it defines.
pub struct File<'a> {
    pub source: &'a Source,
    pub named: Vec<Named>,
    module: Vec<String>,
    bound: HashMap<String, usize>,
    defined: HashSet<String>,
    inline: Vec<Inline>,
}

/// A module that stands in the midst of a file.
struct Inline {
    name: String,
    start: usize,
    end: usize,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub file: usize,
    /// The path ends at the module and names nothing in it.
    pub is_module: bool,
}

impl<'a> Modules<'a> {
    /// Of the files that are shipped. Where a library is beside the program, `main.rs` is no part of it.
    pub fn new(sources: impl Iterator<Item = &'a Source>) -> Modules<'a> {
        let mut all: Vec<&Source> = sources.filter(|source| !source.is_test()).collect();
        if all.iter().any(|source| source.path == "lib.rs") {
            all.retain(|source| source.path != "main.rs");
        }
        let files: Vec<File> = all.into_iter().map(File::new).collect();
        let modules = files.iter().enumerate();
        let by_module = modules.map(|(n, file)| (file.module.clone(), n)).collect();
        Modules { files, by_module }
    }

    /// What `named` means in a file; nothing where it is not of this crate.
    pub fn meant(&self, file: usize, named: &Named) -> Option<Found> {
        let path = self.absolute(file, named, MOST_STEPS)?;
        self.find(&path, MOST_STEPS)
    }

    /// The path from the crate on; nothing where it is not of this crate.
    pub fn path_in_crate(&self, file: usize, named: &Named) -> Option<Vec<String>> {
        self.absolute(file, named, MOST_STEPS)
    }

    fn absolute(&self, file: usize, named: &Named, steps: usize) -> Option<Vec<String>> {
        let (first, rest) = named.segments.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" | "super" => Some(self.files[file].climb(named)),
            name => {
                let head = self.in_scope(file, name, named.position, steps)?;
                Some([&head, rest].concat())
            }
        }
    }

    /// What a name means in a file without `crate::` before it: a module of its own, or what a `use` brought.
    fn in_scope(
        &self,
        file: usize,
        name: &str,
        position: usize,
        steps: usize,
    ) -> Option<Vec<String>> {
        let here = &self.files[file];
        let child = [&*here.module, &[name.to_owned()]].concat();
        if self.by_module.contains_key(&child) {
            return Some(child);
        }
        let bound = here.bound_as(name)?;
        let is_itself = bound.position == position;
        if is_itself || steps == 0 {
            return None;
        }
        self.absolute(file, bound, steps - 1)
    }

    /// Walks from the crate down, through re-exports.
    fn find(&self, path: &[String], steps: usize) -> Option<Found> {
        let mut module = Vec::new();
        for (n, name) in path.iter().enumerate() {
            let file = self.by_module.get(&module).copied();
            module.push(name.clone());
            let is_module = self.by_module.contains_key(&module);
            let is_last = n + 1 == path.len();
            let Some(file) = file else { continue };
            if is_last || !is_module {
                match self.through_use(file, &path[n..], steps) {
                    Passed::Not => {}
                    Passed::Out => return None,
                    Passed::To(found) => return Some(found),
                }
            }
            if !is_module {
                return Some(Found {
                    file,
                    is_module: false,
                });
            }
        }
        let file = *self.by_module.get(&module)?;
        Some(Found {
            file,
            is_module: true,
        })
    }

    /// Follows the first name of `rest` where the file has it from elsewhere.
    fn through_use(&self, file: usize, rest: &[String], steps: usize) -> Passed {
        let here = &self.files[file];
        if steps == 0 {
            return Passed::Out;
        }
        if let Some(bound) = here.bound_as(&rest[0]) {
            let target = self.absolute(file, bound, steps - 1);
            let found = target.and_then(|path| {
                let path = [&path, &rest[1..]].concat();
                self.find(&path, steps - 1)
            });
            return found.map_or(Passed::Out, Passed::To);
        }
        if here.defined.contains(&rest[0]) {
            return Passed::Not;
        }
        let globs = here.named.iter().filter(|named| named.is_glob);
        let mut targets = globs.filter_map(|glob| self.absolute(file, glob, steps - 1));
        targets
            .find_map(|path| self.beneath_glob(&path, rest, steps - 1))
            .map_or(Passed::Not, Passed::To)
    }

    fn beneath_glob(&self, glob: &[String], rest: &[String], steps: usize) -> Option<Found> {
        let target = &self.files[self.find(glob, steps)?.file];
        let has = target.defined.contains(&rest[0]) || target.bound_as(&rest[0]).is_some();
        has.then(|| self.find(&[glob, rest].concat(), steps))?
    }
}

/// Where a `use` leads.
enum Passed {
    /// There is none.
    Not,
    /// Out of the crate.
    Out,
    To(Found),
}

impl<'a> File<'a> {
    fn new(source: &'a Source) -> File<'a> {
        let code = &source.shipped;
        let named = named(code);
        let in_use = named.iter().enumerate().filter(|(_, n)| n.how != How::Code);
        let bound = in_use.filter_map(|(n, named)| Some((named.bound.clone()?, n)));
        File {
            source,
            module: source.module(),
            bound: bound.collect(),
            defined: defined(code).into_iter().collect(),
            inline: inline_modules(code),
            named,
        }
    }

    fn bound_as(&self, name: &str) -> Option<&Named> {
        self.bound.get(name).map(|n| &self.named[*n])
    }

    /// The path from the crate on of one that begins with `self` or `super`.
    fn climb(&self, named: &Named) -> Vec<String> {
        let mut module = self.module_at(named.position);
        let is_step = |name: &&String| matches!(name.as_str(), "self" | "super");
        let steps = named.segments.iter().take_while(is_step);
        let climbs = steps.clone().filter(|name| *name == "super").count();
        module.truncate(module.len().saturating_sub(climbs));
        [&module, &named.segments[steps.count()..]].concat()
    }

    fn module_at(&self, position: usize) -> Vec<String> {
        let around = |inline: &&Inline| (inline.start..inline.end).contains(&position);
        let inner = self.inline.iter().filter(around);
        let inner = inner.map(|inline| inline.name.clone());
        self.module.iter().cloned().chain(inner).collect()
    }
}

fn inline_modules(code: &str) -> Vec<Inline> {
    let module = |start: usize| {
        let name = name_at(code, start + "mod ".len())?;
        let open = start + "mod ".len() + name.len();
        let open = open + code[open..].find(['{', ';'])?;
        (code.as_bytes()[open] == b'{').then(|| Inline {
            name,
            start,
            end: block_end(code, open),
        })
    };
    find_word(code, "mod ").filter_map(module).collect()
}

fn defined(code: &str) -> Vec<String> {
    let words = [
        "fn ", "struct ", "enum ", "union ", "trait ", "type ", "const ", "static ", "mod ",
    ];
    let names = words
        .iter()
        .flat_map(|word| find_word(code, word).filter_map(move |n| name_at(code, n + word.len())));
    names.collect()
}
