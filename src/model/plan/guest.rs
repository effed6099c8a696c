//! A guest as a plan lists it, with what was found out about it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ImageFacts, RootNote};
use crate::model::action::decimal;
use crate::model::{ClearsFlags, GuestName};

/// A guest of the plan; one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedGuest {
    /// Its name in the actions.
    pub name: GuestName,
    /// Absolute path of its root.
    #[serde(with = "super::path_text")]
    pub root: PathBuf,
    /// What it is, where it is no directory: then `root` is its file, or `-` for standard input.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<ImageFacts>,
    /// Device of its root.
    #[serde(with = "decimal")]
    pub dev: u64,
    /// Inode of its root.
    #[serde(with = "decimal")]
    pub ino: u64,
    /// Regular files (inodes) that were seen.
    pub files: u64,
    /// Their lengths added up.
    pub bytes: u64,
    /// Names and directories that could not be read: each has a skip line.
    pub unread: u64,
    /// A process is inside, or its tree is mounted in another namespace: `apply` will refuse its actions.
    pub running: bool,
    /// Why it cannot be told whether it runs, if that is so: `running` is true then, as `apply` will see it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub running_unknown: Option<String>,
    /// Why it cannot be told which of its files are locked, watched or open, if that is so: that no line says so is no
    /// word that none is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uses_unknown: Option<String>,
    /// Could what runs in it, or will when it is started, take the immutable flag off? Missing where nothing is known,
    /// and where no flag is set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flag_clearing: Option<FlagClearing>,
    /// What the package databases said; empty where there are none, and where they are not asked.
    pub databases: Vec<Database>,
    /// Were its package databases not asked, as the policy says?
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub databases_ignored: bool,
    /// Why the whole guest was left out of the run, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// What is odd about its root, if anything is.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub noticed: Vec<RootNote>,
}

/// Could what runs in a guest take the immutable flag off a shared file, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagClearing {
    /// The answer.
    pub answer: ClearsFlags,
    /// Why, as a part of a sentence.
    pub why: String,
    /// The manager whose configuration was found: `systemd-nspawn`, `lxc` or `oci`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub manager: Option<String>,
    /// What ends it, as an order: the line to write, and where.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remedy: Option<String>,
}

impl FlagClearing {
    /// Was anything found of the guest: a process, or the configuration of a manager?
    pub fn is_known(&self) -> bool {
        self.answer != ClearsFlags::Unknown || self.manager.is_some()
    }
}

/// The answer of one package database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `dpkg`, `ucf`, …
    pub manager: String,
    /// Known or damaged.
    pub state: DatabaseState,
    /// Packages that it lists.
    pub packages: u64,
    /// Config files that it lists, existing or not.
    pub config_files: u64,
    /// File, place and fact that is wrong, where it is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Could the database be read?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseState {
    /// Read whole.
    Known,
    /// Read, but it does not say which files are configuration.
    Silent,
    /// Something in it is wrong: nothing it says is used.
    Damaged,
}
