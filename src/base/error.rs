//! Why a base cannot be used.

use std::path::PathBuf;

use crate::model::Escaped;
use crate::sys::SysError;

/// Why a base cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The machine said no.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// It is not there.
    #[error("there is no base at {}: `unify apply` makes one, or name another with --base", Escaped::of(.0))]
    Missing(PathBuf),
    /// It is something else, or of another version.
    #[error("{} is not a base of this version of unify: its file `format` does not say \"unify base 1\"", Escaped::of(.0))]
    Foreign(PathBuf),
    /// It was copied here, without the names that refer to its objects.
    #[error("{} was made on another file system: a copied base shares nothing; bring the guests and the base back together, or name a new base with --base", Escaped::of(.0))]
    Copied(PathBuf),
    /// Another user could exchange or enter it.
    #[error("{} {why}; a base there is not safe: name another with --base, or change who may do so", Escaped::of(.path))]
    Exposed {
        /// The base, or a directory above it.
        path: PathBuf,
        /// In what way.
        why: &'static str,
    },
    /// Another run is at work.
    #[error("another run holds the base {}: {holder}", Escaped::of(.path))]
    Locked {
        /// The base.
        path: PathBuf,
        /// What the other run wrote into the lock file.
        holder: String,
    },
}
