//! Why a base cannot be used.

use std::path::{Path, PathBuf};

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
    /// It is a base of another version, or something else that has a file of that name.
    #[error("{} is not a base of this version of unify: its file `format` does not say \"unify base 1\"", Escaped::of(.0))]
    Foreign(PathBuf),
    /// It is something else.
    #[error("{} is not a base: it has no file `format`, and is not empty{}", Escaped::of(.path), did_you_mean(.likely.as_deref()))]
    NoBase {
        /// The directory.
        path: PathBuf,
        /// A base near it.
        likely: Option<PathBuf>,
    },
    /// It is a link, and nothing is where it leads.
    #[error("{} is a link that leads to nothing, so no base can be made there: make the directory that it leads to, or name another with --base", Escaped::of(.0))]
    Dangling(PathBuf),
    /// A base takes its place by a rename, which a mount point does not allow.
    #[error("{} is a mount point: no base can be made in its place; name a directory in it, such as {}, with --base", Escaped::of(.0), Escaped::of(&.0.join(".unify")))]
    MountPoint(PathBuf),
    /// It is a copy, or its file system has another identity.
    #[error(
        "{} is not where it was made: it was copied, restored from a backup, or its file system got another identity. If its guests came with it, with their hard links, `unify recover --restored --base {}` finds them by their names and takes it over (behind it NAME=PATH for a guest that is elsewhere); if they did not, name another base with --base",
        Escaped::of(.0),
        Escaped::of(.0)
    )]
    Elsewhere(PathBuf),
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

fn did_you_mean(likely: Option<&Path>) -> String {
    likely.map_or_else(String::new, |likely| {
        format!("; did you mean {}?", Escaped::of(likely))
    })
}
