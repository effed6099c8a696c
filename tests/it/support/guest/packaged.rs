//! Guests whose one package another manager than dpkg has built and installed, and a whole Alpine.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::FlockOperation;

use crate::support::{Guest, Lab, is_long};

/// A package manager whose own word is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    Rpm,
    Pacman,
}

impl Manager {
    fn script(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Manager::Rpm => ("by-rpm.sh", &["rpm", "rpmbuild"]),
            Manager::Pacman => ("by-pacman.sh", &["pacman", "makepkg", "setpriv"]),
        }
    }
}

/// A guest with the package `lab`, or why this machine cannot make one.
pub fn packaged(lab: &Lab, name: &str, manager: Manager) -> Result<Guest, String> {
    let (script, needs) = manager.script();
    if let Some(missing) = needs.iter().find(|program| !is_here(program)) {
        return Err(format!("no {missing} here"));
    }
    let guest = lab.guest(name);
    // makepkg wants another user than root, who does not get everywhere.
    let work = tempfile::TempDir::with_prefix_in("packages-", "/var/tmp").unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(work.path(), open).unwrap();
    run(script, &[guest.root(), work.path()]);
    Ok(guest)
}

/// Alpine, unpacked: made by night, and taken from where an earlier run has put it by day.
pub fn alpine(lab: &Lab, name: &str) -> Result<Guest, String> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests");
    std::fs::create_dir_all(&cache).unwrap();
    let lock = std::fs::File::create(cache.join("alpine.lock")).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    let archive = cache.join("alpine.tar");
    if !archive.exists() {
        if !is_long() {
            return Err("Alpine is loaded with UNIFY_LONG=1 alone".into());
        }
        run("alpine.sh", &[&archive]);
    }
    let guest = lab.guest(name);
    let done = Command::new("tar")
        .args([
            "-x",
            "-p",
            "--numeric-owner",
            "--xattrs",
            "--xattrs-include=*",
        ])
        .arg("-f")
        .arg(&archive)
        .arg("-C")
        .arg(guest.root())
        .status();
    assert!(done.unwrap().success());
    Ok(guest)
}

fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|place| place.join(program).is_file())
}

fn run(script: &str, args: &[&Path]) {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests");
    let out = Command::new(data.join(script)).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{script}: {said}");
}
