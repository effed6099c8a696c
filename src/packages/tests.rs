//! The room as a whole: against the real dpkg, against hostile guests, against damaged files.

mod corpus;
mod damage;
mod fixture;
mod guest_files;
mod hostile;
mod listed;
mod mutate;
mod portage;
mod real;
mod rpm;
mod rpm_hostile;
mod samples;
mod slackware;
mod steady;
mod stores;
mod xbps;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::*;
use crate::model::SkipReason;
use crate::packages::database::PureParser;
use crate::packages::listing::{Owned, PackageState};
use crate::packages::read::fault::{Defect, Fault, Problem};
use crate::packages::read::limits;
use crate::packages::read::source::Source;
use crate::scan::GuestDirectory;
use crate::sys::Dir;

/// A scratch root that removes itself.
struct Root {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Root {
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root");
        fs::create_dir(&path).unwrap();
        Root { _dir: dir, path }
    }

    /// Made by the real dpkg; `None`, said aloud, where that cannot be.
    fn by_dpkg() -> Option<Self> {
        let root = Root::empty();
        fs::remove_dir(&root.path).unwrap();
        let has_dpkg = Command::new("dpkg-deb").arg("--version").output().is_ok();
        if !has_dpkg || !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: needs dpkg and root to make a guest");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests/dpkg-tiny.sh");
        let made = Command::new(script).arg(&root.path).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        Some(root)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn ask(&self) -> Answer {
        ask_all(&guest_at(&self.path), OnDamaged::CareRulesOnly, &|_| false)
    }
}

/// Enough time for any test.
fn soon() -> Instant {
    Instant::now() + limits::TIME
}

/// A guest that is a directory.
fn guest_at(root: &Path) -> GuestDirectory {
    GuestDirectory::of(&Dir::open(root).unwrap()).unwrap()
}

/// For each path the reason, and what says so.
fn facts(answer: &Answer) -> BTreeMap<String, (SkipReason, &'static str, Option<&str>)> {
    let fact = |p: &Protected| (p.path.to_string(), p.why, p.per);
    assert!(answer.protected.is_sorted_by(|a, b| a.path < b.path));
    answer
        .protected
        .iter()
        .map(|p| (fact(p).0, (p.why, p.per, p.package.as_deref())))
        .collect()
}

/// The problem of a guest whose only database is damaged, and that therefore protects nothing.
fn problem(answer: &Answer) -> &str {
    let [database] = &*answer.databases else {
        panic!("{answer:?}");
    };
    assert_eq!(database.state, DatabaseState::Damaged);
    assert!(answer.protected.is_empty(), "a damaged database was used");
    database.problem.as_deref().unwrap()
}
