//! What is odd about the root of a guest: said when a plan is made, because it may be a slip.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::GuestName;

/// One odd fact about the root of a guest, by its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "code", deny_unknown_fields)]
pub enum RootNote {
    /// It does not look like the root of a guest.
    NotARoot {
        /// Directories in it that do, escaped as on a terminal: to be read, not to be parsed.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        likely: Vec<String>,
    },
    /// Not one file is in it.
    NoFiles {},
    /// No package database was found in it.
    NoPackageDatabase {
        /// The databases that it had when it was last in an executed plan.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        had: Vec<String>,
    },
    /// It looks like what is left where the removal of a guest stopped.
    HalfDeleted {
        /// How many files it had when it was last in an executed plan.
        had_files: u64,
        /// How many of those that are left are shared.
        shared_files: u64,
    },
    /// The base knows this root by another name, by which it holds names.
    OtherName {
        /// That name.
        known_as: GuestName,
    },
    /// The base knows another guest of this name, which holds names: `apply` refuses the plan.
    NameTaken {
        /// The root of that guest.
        #[serde(with = "super::path_text")]
        root: PathBuf,
    },
    /// It lies in the store of a container manager, whose layers images and containers have in common.
    ContainerStore {
        /// The manager.
        manager: String,
    },
    /// It is a layer of an overlay, mounted or not.
    OverlayLayer {},
    /// It lies on an overlay, which keeps what is new in a layer of its own.
    OnOverlay {},
    /// Something other than a process uses its files, whoever stands still.
    InUse {
        /// What, as a part of a sentence.
        why: String,
    },
}
