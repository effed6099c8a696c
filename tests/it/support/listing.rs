//! Everything that a guest could notice about its files, as data that can be compared.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{FileType, Stat};
use sha2::{Digest, Sha256};

use super::walk::{Found, walk};

/// Every path of a tree with everything that counts about it. Inode numbers, link counts, access and change times
/// are left out: those are what unification may change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing(BTreeMap<Vec<u8>, Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: FileType,
    facts: BTreeMap<&'static str, String>,
    xattrs: BTreeMap<String, Vec<u8>>,
}

impl Listing {
    /// Reads the whole tree, contents included, and changes nothing but access times of symbolic links.
    pub fn of(top: &Path) -> Listing {
        let mut all = Listing::default();
        walk(top, &mut |found| {
            all.0.insert(found.path.to_vec(), Entry::of(found));
        });
        all
    }

    /// Without the modification times of directories: a run that was killed cannot put them back.
    pub fn without_directory_times(mut self) -> Listing {
        for entry in self
            .0
            .values_mut()
            .filter(|e| e.kind == FileType::Directory)
        {
            entry.facts.remove("mtime");
        }
        self
    }

    /// Every difference, as `PATH: FACT was A, is B`.
    pub fn diff(&self, after: &Listing) -> Vec<String> {
        let mut differences = Vec::new();
        for (path, old) in &self.0 {
            match after.0.get(path) {
                None => differences.push(format!("{}: is gone", path.escape_ascii())),
                Some(new) => old.diff(new, path, &mut differences),
            }
        }
        let new = after.0.keys().filter(|path| !self.0.contains_key(*path));
        differences.extend(new.map(|path| format!("{}: is new", path.escape_ascii())));
        differences
    }
}

/// Fails with the first differences by name.
#[track_caller]
pub fn assert_same(before: &Listing, after: &Listing, when: &str) {
    let differences = before.diff(after);
    assert!(
        differences.is_empty(),
        "{when}: {} differences\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}

impl Entry {
    fn of(found: &Found<'_>) -> Entry {
        let stat = &found.stat;
        let mut facts = BTreeMap::from([
            ("type", format!("{:?}", found.kind())),
            ("mode", format!("{:04o}", stat.st_mode & 0o7777)),
            ("uid", stat.st_uid.to_string()),
            ("gid", stat.st_gid.to_string()),
            ("size", stat.st_size.to_string()),
            (
                "mtime",
                format!("{}.{:09}", stat.st_mtime, stat.st_mtime_nsec),
            ),
        ]);
        match found.kind() {
            FileType::RegularFile => drop(facts.insert("content", content_of(found))),
            FileType::Symlink => drop(facts.insert("target", target_of(found))),
            FileType::BlockDevice | FileType::CharacterDevice => {
                facts.insert("device", stat.st_rdev.to_string());
            }
            _ => {}
        }
        Entry {
            kind: found.kind(),
            facts,
            xattrs: xattrs_of(found),
        }
    }

    fn diff(&self, new: &Entry, path: &[u8], differences: &mut Vec<String>) {
        let path = path.escape_ascii();
        for fact in self
            .facts
            .keys()
            .chain(new.facts.keys().filter(|k| !self.facts.contains_key(*k)))
        {
            let (was, is) = (self.facts.get(fact), new.facts.get(fact));
            if was != is {
                differences.push(format!("{path}: {fact} was {was:?}, is {is:?}"));
            }
        }
        if self.xattrs != new.xattrs {
            let (was, is) = (&self.xattrs, &new.xattrs);
            differences.push(format!("{path}: xattrs were {was:?}, are {is:?}"));
        }
    }
}

fn content_of(found: &Found<'_>) -> String {
    let mut file = std::fs::File::from(found.open());
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut piece).unwrap() {
            0 => break,
            n => hash.update(&piece[..n]),
        }
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn target_of(found: &Found<'_>) -> String {
    let target = rustix::fs::readlinkat(found.parent, found.name, Vec::new()).unwrap();
    target.to_bytes().escape_ascii().to_string()
}

/// Through /proc, because there are no `*at` calls for extended attributes of symbolic links.
fn xattrs_of(found: &Found<'_>) -> BTreeMap<String, Vec<u8>> {
    let name = found.name.to_bytes();
    let parent = found.parent.as_raw_fd();
    let path = match (name.starts_with(b"/"), parent) {
        (true, _) => name.to_vec(),
        (false, fd) => [format!("/proc/self/fd/{fd}/").as_bytes(), name].concat(),
    };
    let mut list = vec![0; 1 << 16];
    let length = rustix::fs::llistxattr(&path[..], &mut list[..]).unwrap_or(0);
    let names = list[..length]
        .split(|&b| b == 0)
        .filter(|name| !name.is_empty());
    let value_of = |name: &[u8]| {
        let mut value = vec![0; 1 << 16];
        let length = rustix::fs::lgetxattr(&path[..], name, &mut value[..]).unwrap();
        value.truncate(length);
        value
    };
    names
        .map(|name| (String::from_utf8_lossy(name).into_owned(), value_of(name)))
        .collect()
}

/// Access, modification and change time of every path: what even a reader can change. Reading them changes
/// nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamps(BTreeMap<Vec<u8>, String>);

impl Stamps {
    /// Of the whole tree.
    pub fn of(top: &Path) -> Stamps {
        let mut all = BTreeMap::new();
        walk(top, &mut |found| {
            all.insert(found.path.to_vec(), stamps(&found.stat));
        });
        Stamps(all)
    }

    /// Paths whose stamps differ, and how.
    pub fn diff(&self, after: &Stamps) -> Vec<String> {
        let paths = self
            .0
            .keys()
            .chain(after.0.keys().filter(|k| !self.0.contains_key(*k)));
        let moved = paths.filter(|path| self.0.get(*path) != after.0.get(*path));
        let line = |p: &Vec<u8>| {
            format!(
                "{}: {:?} -> {:?}",
                p.escape_ascii(),
                self.0.get(p),
                after.0.get(p)
            )
        };
        moved.map(line).collect()
    }
}

fn stamps(stat: &Stat) -> String {
    format!(
        "atime {}.{:09} mtime {}.{:09} ctime {}.{:09}",
        stat.st_atime,
        stat.st_atime_nsec,
        stat.st_mtime,
        stat.st_mtime_nsec,
        stat.st_ctime,
        stat.st_ctime_nsec
    )
}
