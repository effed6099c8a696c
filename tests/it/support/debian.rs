//! Real Debian guests: made once by `examples/make-guest.sh`, kept as archives under `target/guests`, unpacked
//! for each test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::fs::FlockOperation;

use super::{Guest, Lab, skipped};

/// Two real guests: a web server with ssh, and a database server.
pub fn debian(lab: &Lab) -> [Guest; 2] {
    let web = unpack(lab, "web", &["nginx", "openssh-server"]);
    let db = unpack(lab, "db", &["postgresql"]);
    [web, db]
}

/// The same guests without their largest libraries, on btrfs each in a subvolume of its own.
pub fn debian_apart(lab: &Lab) -> [Guest; 2] {
    let web = ["nginx", "openssh-server"];
    let db = ["postgresql"];
    [
        unpack_into(lab.apart("web"), "web", &web, LARGE),
        unpack_into(lab.apart("db"), "db", &db, LARGE),
    ]
}

/// A quarter of all bytes, in three files that one guest has.
const LARGE: &[&str] = &["*/libLLVM-*", "*/libicudata.so*", "*/libz3.so*"];

fn unpack(lab: &Lab, name: &str, packages: &[&str]) -> Guest {
    unpack_into(lab.guest(name), name, packages, &[])
}

fn unpack_into(guest: Guest, name: &str, packages: &[&str], without: &[&str]) -> Guest {
    let archive = archive(name, packages);
    let done = Command::new("tar")
        .args([
            "--extract",
            "--preserve-permissions",
            "--numeric-owner",
            "--xattrs",
            "--xattrs-include=*",
        ])
        .args(without.iter().map(|name| format!("--exclude={name}")))
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(guest.root())
        .status();
    assert!(done.unwrap().success(), "unpacking {archive:?}");
    guest
}

/// The archive of a guest, made now if it is not there. Several tests may come at once.
fn archive(name: &str, packages: &[&str]) -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests");
    std::fs::create_dir_all(&cache).unwrap();
    let lock = std::fs::File::create(cache.join("lock")).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    let archive = cache.join(format!("{name}.tar"));
    if !archive.exists() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/make-guest.sh");
        let out = Command::new(script)
            .arg(&archive)
            .args(packages)
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{script}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let how = std::fs::read_to_string(cache.join(format!("{name}.tar.how"))).unwrap();
    if how.trim() == "dpkg" {
        skipped(
            &format!("{name} by mmdebstrap"),
            "made by this machine's dpkg instead: no mmdebstrap or no network",
        );
    }
    archive
}

/// What the real dpkg says that is told to do something in a guest.
pub fn dpkg_says(guest: &Guest, what: &str, on: impl AsRef<Path>) -> Output {
    let root = format!("--root={}", guest.root().display());
    let how = [
        "--log=/dev/null",
        "--force-not-root",
        "--force-bad-path",
        "--force-unsafe-io",
    ];
    let mut dpkg = Command::new("dpkg");
    dpkg.env("LC_ALL", "C").arg(root).args(how).arg(what);
    dpkg.arg(on.as_ref()).output().unwrap()
}
