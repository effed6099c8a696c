//! By what two guests are measured: what both of their forms can hold.

use crate::model::{Metadata, Time, Xattr};
use crate::sys::guest::{Precision, TimeStep};

/// What counts as a difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Does a modification time count?
    mtime: bool,
    step: TimeStep,
    acls: bool,
    labels: bool,
    attributes: bool,
    /// Are both directories of this host, whose inodes have flags and projects, and one inode is one file?
    pub on_disk: bool,
}

impl Measure {
    /// What both can hold.
    pub fn of(old: Precision, new: Precision, mtime: bool) -> Measure {
        let step = match old.mtime {
            TimeStep::Nanoseconds => new.mtime,
            coarse => coarse,
        };
        Measure {
            mtime,
            step,
            acls: old.acls && new.acls,
            labels: old.labels && new.labels,
            attributes: old.attributes && new.attributes,
            on_disk: [old, new] == [Precision::DISK; 2],
        }
    }

    /// What is not compared, because one of them cannot hold it.
    pub fn not_held(&self) -> Vec<&'static str> {
        let all = [
            ("access control lists", self.acls),
            ("security labels", self.labels),
            ("other extended attributes", self.attributes),
        ];
        let missing = all.into_iter().filter(|(_, held)| !held);
        missing.map(|(what, _)| what).collect()
    }

    /// Is a modification time that differs a difference?
    pub fn counts_mtime(&self) -> bool {
        self.mtime
    }

    /// Are two modification times the same, as far as both can tell them?
    pub fn same_time(&self, old: Time, new: Time) -> bool {
        match self.step {
            TimeStep::Nanoseconds => old == new,
            TimeStep::Seconds => old.sec == new.sec,
        }
    }

    /// Which metadata differ, the time of the last change aside.
    pub fn metadata(&self, old: &Metadata, new: &Metadata) -> Vec<(&'static str, bool)> {
        vec![
            ("mode", old.mode != new.mode),
            ("uid", old.uid != new.uid),
            ("gid", old.gid != new.gid),
            ("xattrs", self.attributes(old).ne(self.attributes(new))),
            (
                "flags",
                self.on_disk && old.chosen_flags() != new.chosen_flags(),
            ),
            ("project", self.on_disk && old.project != new.project),
        ]
    }

    /// The attributes that both can hold.
    fn attributes<'m>(self, of: &'m Metadata) -> impl Iterator<Item = &'m Xattr> + use<'m> {
        let is_held = move |xattr: &&Xattr| match xattr.name.as_slice() {
            name if name.starts_with(b"system.posix_acl") => self.acls,
            b"security.selinux" | b"security.SMACK64" | b"security.apparmor" => self.labels,
            _ => self.attributes,
        };
        of.xattrs.iter().filter(is_held)
    }
}
