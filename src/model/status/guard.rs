//! The guard of a kernel: what there is of it, and what is to be done or was done about it.

use serde::{Deserialize, Serialize};

/// The guard of this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GuardState {
    /// Are its programs in the kernel, so that a mark counts?
    pub loaded: bool,
    /// Inodes that are marked, of all bases of this host; `null` where they cannot be read.
    pub marks: Option<u64>,
    /// How much of copy on write this kernel can do with it, as it was tried when it was loaded, or as much of that as
    /// the daemon that answers was told to do; `null` where that cannot be read, or they are of another
    /// version.
    pub level: Option<GuardLevel>,
    /// Does a daemon answer those who write? Else a write is denied, and that is all.
    pub daemon: bool,
    /// Are the programs of another version of unify, so that no daemon of this one is asked? What is marked is
    /// protected.
    pub other_version: bool,
}

/// What a writer of a shared file meets now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WritersMeet {
    /// What a daemon does for it, or where none lives could do; `null` where that cannot be read.
    pub level: Option<GuardLevel>,
    /// Does a daemon answer? Else the write is denied, and that is all.
    pub daemon: bool,
}

/// How much of copy on write the guard can do in a kernel, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardLevel {
    /// A write is denied, and that is all.
    Immutable,
    /// A write is denied; its guest gets a copy of its own meanwhile, so that the next one succeeds.
    DenyFirst,
    /// A write waits for the copy: the kernel begins the call anew, made to do so by a signal that does nothing.
    RestartBySignal,
    /// A write waits for the copy: the kernel begins the call anew, made to do so by task work.
    RestartByTaskWork,
}

/// What is to be done about the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuardWish {
    /// Say what there is.
    Status,
    /// Load it.
    Load,
    /// Take it out.
    Unload,
}

/// What was done about the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GuardAct {
    /// It was loaded.
    Loaded,
    /// It was taken out.
    Unloaded,
    /// It was as it should be.
    Nothing,
}
