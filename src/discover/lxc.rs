//! LXC: the container's `config` with all that it includes.
//!
//! `lxc.idmap` puts a guest into a user namespace, from which no flag is cleared. Else it has all capabilities but
//! those of `lxc.cap.drop`, or only those of `lxc.cap.keep`; an empty value clears a list that an earlier line, or an
//! included file, has made. LXC reads an included directory in the order in which it lies on disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::answer::{Manager, shown};
use super::host::{HostFile, HostFiles};
use crate::model::FlagClearing;

const LXC: Manager = Manager("lxc");

/// Most files that a configuration may be made of, and how deep they may include each other.
const MOST_FILES: usize = 64;
const DEEPEST: usize = 8;

/// What would be started in a container whose root this is: by the file beside it, or by those `elsewhere`.
pub(super) fn ask(files: &HostFiles, root: &Path, elsewhere: &[PathBuf]) -> Option<FlagClearing> {
    let beside = root.parent()?.join("config");
    let elsewhere = elsewhere.iter().filter(|path| **path != beside);
    let answers = elsewhere.chain([&beside]);
    answers
        .filter_map(|path| ask_one(files, root, path))
        .max_by_key(|one| one.answer)
}

fn ask_one(files: &HostFiles, root: &Path, path: &Path) -> Option<FlagClearing> {
    let is_usual = root.file_name() == Some("rootfs".as_ref());
    let config = match LxcConfig::read(files, path) {
        Ok(config) => config?,
        Err(why) => return is_usual.then(|| LXC.unknown(why)),
    };
    let named = config.root.as_ref();
    let is_named = named.is_some_and(|named| files.leads_to(named, root));
    match &config.unread {
        // What is not read may name the root, or another one.
        Some(why) if is_named || is_usual || named.is_none() => Some(LXC.unknown(why.clone())),
        Some(_) => None,
        None if is_named => Some(config.judge(path)),
        None if is_usual && named.is_none() => {
            let file = shown(path);
            Some(LXC.unknown(format!("{file} names no directory as its root")))
        }
        None => None,
    }
}

/// The root that a configuration names, in whichever of its files; an error is why that is not known.
pub(super) fn root_named(files: &HostFiles, path: &Path) -> Result<Option<PathBuf>, String> {
    let Some(config) = LxcConfig::read(files, path)? else {
        return Ok(None);
    };
    match (config.root, config.unread) {
        (None, Some(why)) => Err(why),
        (root, _) => Ok(root),
    }
}

/// Where nothing else is known of a guest: a configuration that may be its own, and cannot be read.
pub(super) fn doubt(why: &str) -> FlagClearing {
    LXC.unknown(format!("{why}, and it may name this guest"))
}

/// What was read so far.
struct LxcConfig<'f> {
    files: &'f HostFiles,
    left: usize,
    /// Is any of its keys one of LXC's?
    is_of_lxc: bool,
    root: Option<PathBuf>,
    /// Why a part of it is not known, if so: the first of such parts.
    unread: Option<String>,
    is_mapped: bool,
    /// Is it said that the user namespace is that of the host, or of somebody else?
    shares_users: bool,
    dropped: BTreeSet<String>,
    kept: BTreeSet<String>,
    /// The file that has kept the capability.
    keeper: PathBuf,
    /// How often a list of capabilities was cleared.
    clears: usize,
}

impl<'f> LxcConfig<'f> {
    /// What is at `path`; `None` where that is no configuration of LXC.
    fn read(files: &'f HostFiles, path: &Path) -> Result<Option<LxcConfig<'f>>, String> {
        let Some(text) = files.text(path)? else {
            return Ok(None);
        };
        let mut config = LxcConfig::new(files);
        config.take(path, &text, 0);
        Ok(Some(config).filter(|config| config.is_of_lxc))
    }

    fn new(files: &'f HostFiles) -> LxcConfig<'f> {
        LxcConfig {
            files,
            left: MOST_FILES,
            is_of_lxc: false,
            root: None,
            unread: None,
            is_mapped: false,
            shares_users: false,
            dropped: BTreeSet::new(),
            kept: BTreeSet::new(),
            keeper: PathBuf::new(),
            clears: 0,
        }
    }

    /// Takes the lines of a file in their order, and of what it includes where that is said. Behind what cannot be read
    /// the root may be named.
    fn take(&mut self, file: &Path, text: &str, depth: usize) {
        for (key, value) in pairs(text) {
            self.is_of_lxc |= key.starts_with("lxc.");
            match key {
                "lxc.rootfs.path" => self.root = root_of(value),
                "lxc.idmap" => self.is_mapped = !value.is_empty(),
                "lxc.namespace.keep" => self.shares_users |= value.contains("user"),
                "lxc.namespace.clone" => {
                    self.shares_users |= !value.is_empty() && !value.contains("user");
                }
                "lxc.namespace.share.user" => self.shares_users |= !value.is_empty(),
                "lxc.cap.drop" => self.drop_capabilities(value),
                "lxc.cap.keep" => self.keep_capabilities(file, value),
                "lxc.include" if !value.is_empty() => {
                    if let Err(why) = self.include(value, depth + 1) {
                        self.unread.get_or_insert(why);
                    }
                }
                _ => {}
            }
        }
    }

    fn drop_capabilities(&mut self, value: &str) {
        self.clear_if_empty(value);
        self.dropped.extend(capabilities(value));
    }

    fn keep_capabilities(&mut self, file: &Path, value: &str) {
        self.clear_if_empty(value);
        for name in capabilities(value) {
            if name == "none" {
                self.kept.clear();
            }
            if is_it(&name) {
                file.clone_into(&mut self.keeper);
            }
            self.kept.insert(name);
        }
    }

    /// Versions of LXC differ in whether both lists are one; what is cleared is given.
    fn clear_if_empty(&mut self, value: &str) {
        if value.is_empty() {
            self.dropped.clear();
            self.kept.clear();
            self.clears += 1;
        }
    }

    /// A directory, which a slash at the end says, may be missing: that of Debian's `userns.conf` is.
    fn include(&mut self, value: &str, depth: usize) -> Result<(), String> {
        let path = Path::new(value);
        if !path.is_absolute() {
            return Err(format!(
                "it includes {}, which is no absolute path",
                shown(path)
            ));
        }
        self.one_more(path, depth)?;
        match self.files.read(path)? {
            None if value.ends_with('/') => Ok(()),
            None => Err(format!("it includes {}, which does not exist", shown(path))),
            Some(HostFile::Text(text)) => {
                self.take(path, &text, depth);
                Ok(())
            }
            Some(HostFile::Directory(names)) => {
                let is_conf = |name: &&std::ffi::OsString| {
                    let name = name.as_encoded_bytes();
                    name.len() > ".conf".len() && name.ends_with(b".conf")
                };
                let inner: Vec<PathBuf> = names
                    .iter()
                    .filter(is_conf)
                    .map(|name| path.join(name))
                    .collect();
                self.include_all(path, &inner, depth)
            }
        }
    }

    fn include_all(&mut self, dir: &Path, inner: &[PathBuf], depth: usize) -> Result<(), String> {
        let clears = self.clears;
        for file in inner {
            self.one_more(file, depth)?;
            match self.files.text(file)? {
                Some(text) => self.take(file, &text, depth),
                None => return Err(format!("{} is no file", shown(file))),
            }
        }
        if self.clears > clears && inner.len() > 1 {
            return Err(format!(
                "the files in {} clear lists of capabilities, in no order that is known",
                shown(dir)
            ));
        }
        Ok(())
    }

    /// Before it is read.
    fn one_more(&mut self, file: &Path, depth: usize) -> Result<(), String> {
        let left = self.left.checked_sub(1).filter(|_| depth <= DEEPEST);
        self.left = left.ok_or_else(|| {
            format!(
                "its configuration includes too many files, at last {}",
                shown(file)
            )
        })?;
        Ok(())
    }

    fn judge(&self, path: &Path) -> FlagClearing {
        let file = shown(path);
        if self.is_mapped && !self.shares_users {
            return LXC.no(format!("{file} gives it a user namespace (lxc.idmap)"));
        }
        let is_kept = self.kept.iter().any(|name| is_it(name));
        if !self.kept.is_empty() && !is_kept {
            return LXC.no(format!(
                "lxc.cap.keep of {file} does not name linux_immutable"
            ));
        }
        if !is_kept && self.dropped.iter().any(|name| is_it(name)) {
            return LXC.no(format!("{file} drops linux_immutable (lxc.cap.drop)"));
        }
        if self.is_mapped {
            return LXC.unknown(format!(
                "{file} has lxc.idmap, and a user namespace of others"
            ));
        }
        if is_kept {
            let keeper = shown(&self.keeper);
            return LXC.yes(
                format!("lxc.cap.keep in {keeper} names linux_immutable"),
                format!("take linux_immutable out of lxc.cap.keep in {keeper}"),
            );
        }
        LXC.yes(
            format!("LXC keeps CAP_LINUX_IMMUTABLE, and {file} does not drop it"),
            format!("write lxc.cap.drop = linux_immutable at the end of {file}"),
        )
    }
}

/// The capability by its name or its number.
fn is_it(name: &str) -> bool {
    name == "linux_immutable" || name == "9"
}

fn capabilities(value: &str) -> impl Iterator<Item = String> {
    value
        .split([' ', '\t'])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

/// Keys and values of a configuration, in their order; a value may stand in quotes.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        let inner = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        Some((key.trim(), inner.unwrap_or(value)))
    })
}

/// The directory that `lxc.rootfs.path` names; other kinds of storage are none.
fn root_of(value: &str) -> Option<PathBuf> {
    let kinds = ["dir:", "btrfs:"].into_iter();
    let path = kinds.filter_map(|kind| value.strip_prefix(kind)).next();
    let path = Path::new(path.unwrap_or(value));
    path.is_absolute().then(|| path.to_owned())
}
