//! Both walls, each tried from a thread that confines itself and then does what it must not.
//!
//! The scratch directories are the tester's own, so that without confinement every one of these deeds succeeds.

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use rustix::thread::capability_is_in_bounding_set;
use tempfile::TempDir;

use super::*;

const READS_DISK: Bounds<'static> = Bounds {
    reads: Reads::Disk,
    renames_in: &[],
    writes_in: &[],
    writes: &[],
};

/// Two directories, each with a file and a directory in it.
fn scratch() -> (TempDir, PathBuf, PathBuf) {
    let scratch = TempDir::new().unwrap();
    let [elsewhere, own] = ["elsewhere", "own"].map(|name| scratch.path().join(name));
    for dir in [&elsewhere, &own] {
        fs::create_dir_all(dir.join("dir")).unwrap();
        fs::write(dir.join("file"), "content").unwrap();
    }
    (scratch, elsewhere, own)
}

/// Does `deeds` in a thread that confined itself, and gives `None` where this kernel has no Landlock.
fn confined<T: Send>(bounds: &Bounds<'_>, deeds: impl FnOnce() -> T + Send) -> Option<T> {
    let thread = || confine(bounds).landlock.then(deeds);
    let done = thread::scope(|scope| scope.spawn(thread).join().unwrap());
    if done.is_none() {
        eprintln!("SKIPPED {}: no Landlock", module_path!());
    }
    done
}

type Deed = fn(&Path) -> io::Result<()>;

/// Everything that changes a directory or a file by its name.
const DEEDS: &[(&str, Deed)] = &[
    ("create", |dir| {
        fs::File::create_new(dir.join("new")).map(drop)
    }),
    ("write", |dir| {
        fs::File::options()
            .write(true)
            .open(dir.join("file"))
            .map(drop)
    }),
    ("truncate", |dir| {
        Ok(nix::unistd::truncate(&dir.join("file"), 1)?)
    }),
    ("link", |dir| {
        fs::hard_link(dir.join("file"), dir.join("linked"))
    }),
    ("rename", |dir| {
        fs::rename(dir.join("file"), dir.join("renamed"))
    }),
    ("remove", |dir| fs::remove_file(dir.join("file"))),
    ("make a directory", |dir| fs::create_dir(dir.join("made"))),
    ("remove a directory", |dir| fs::remove_dir(dir.join("dir"))),
    ("make a symlink", |dir| symlink("file", dir.join("symlink"))),
    ("make a FIFO", |dir| {
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
        Ok(rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.join("fifo"),
            kind,
            mode,
            0,
        )?)
    }),
];

/// What cannot be done in `dir`, each deed tried on the state that the one before left.
fn denied(dir: &Path) -> Vec<&'static str> {
    let failed = DEEDS.iter().filter_map(|(name, deed)| {
        let error = deed(dir).err()?;
        assert_eq!(
            error.kind(),
            io::ErrorKind::PermissionDenied,
            "{name}: {error}"
        );
        Some(*name)
    });
    failed.collect()
}

#[test]
fn without_confinement_all_deeds_succeed() {
    let (_scratch, elsewhere, _) = scratch();
    let failed: Vec<&str> = DEEDS
        .iter()
        .filter(|(_, deed)| {
            fs::write(elsewhere.join("file"), "content").unwrap();
            deed(&elsewhere).is_err()
        })
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(failed, [""; 0]);
}

#[test]
fn nothing_is_written_anywhere() {
    let (_scratch, elsewhere, own) = scratch();
    let bounds = Bounds {
        renames_in: &[&own],
        ..READS_DISK
    };
    let all: Vec<&str> = DEEDS.iter().map(|(name, _)| *name).collect();
    let Some(denied) = confined(&bounds, || denied(&elsewhere)) else {
        return;
    };
    assert_eq!(denied, all);
    assert_eq!(fs::read(elsewhere.join("file")).unwrap(), b"content");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 2);
}

#[test]
fn an_open_file_is_written_and_renamed_in_its_directory() {
    let (_scratch, elsewhere, own) = scratch();
    let bounds = Bounds {
        renames_in: &[&own],
        ..READS_DISK
    };
    let mut part = fs::File::create_new(own.join("part")).unwrap();
    let deeds = || -> io::Result<()> {
        part.write_all(b"a plan")?;
        part.sync_all()?;
        fs::rename(own.join("part"), own.join("file"))?;
        fs::File::open(&own)?.sync_all()?;
        let out = fs::rename(own.join("file"), elsewhere.join("file"));
        assert!(out.is_err(), "out of its directory");
        let write = fs::File::options().write(true).open(own.join("file"));
        assert!(write.is_err(), "opened for writing");
        Ok(())
    };
    let Some(done) = confined(&bounds, deeds) else {
        return;
    };
    done.unwrap();
    assert_eq!(fs::read(own.join("file")).unwrap(), b"a plan");
}

#[test]
fn a_cache_is_written() {
    let (_scratch, _, own) = scratch();
    let caches = [own.as_path()];
    let bounds = Bounds {
        writes_in: &caches,
        ..READS_DISK
    };
    let deeds = || -> io::Result<()> {
        fs::create_dir(own.join("new"))?;
        fs::write(own.join("new/a"), "a")?;
        fs::rename(own.join("new/a"), own.join("file"))?;
        fs::write(own.join("file"), "b")?;
        fs::remove_file(own.join("file"))?;
        fs::remove_dir(own.join("new"))
    };
    if let Some(done) = confined(&bounds, deeds) {
        done.unwrap();
    }
}

#[test]
fn a_file_is_written_in_place_and_nothing_beside_it() {
    let (_scratch, elsewhere, own) = scratch();
    let (file, other) = (own.join("file"), own.join("other"));
    fs::write(&other, "content").unwrap();
    let files = [file.as_path()];
    let bounds = Bounds {
        writes: &files,
        ..READS_DISK
    };
    let deeds = || {
        fs::write(&file, "new").unwrap();
        let beside = [fs::write(&other, "x"), fs::write(own.join("more"), "x")];
        let gone = [fs::remove_file(&file), fs::rename(&file, own.join("a"))];
        let refused = |deed: &io::Result<()>| deed.is_err();
        (beside.iter().chain(&gone).all(refused), denied(&elsewhere))
    };
    let Some((beside, denied)) = confined(&bounds, deeds) else {
        return;
    };
    assert!(beside);
    assert_eq!(denied.len(), DEEDS.len());
    assert_eq!(fs::read(&file).unwrap(), b"new");
}

#[test]
fn nothing_is_executed_and_no_port_is_opened() {
    let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    assert!(TcpListener::bind("127.0.0.1:0").is_ok());
    let deeds = || {
        let run = Command::new("/bin/true").status();
        let listen = TcpListener::bind("127.0.0.1:0");
        (run.is_err_and(denied), listen.is_err_and(denied))
    };
    let Some((run, listen)) = confined(&READS_DISK, deeds) else {
        return;
    };
    assert!(run);
    // TCP is known from ABI 4 on, Linux 6.7.
    let hard = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let known = hard.handle_access(AccessNet::from_all(ABI::V4)).is_ok();
    assert_eq!(listen, known);
}

#[test]
fn capabilities_that_are_needed_stay() {
    let (_scratch, _, own) = scratch();
    let read = CapabilitySet::DAC_READ_SEARCH | CapabilitySet::SYS_ADMIN | CapabilitySet::MAC_ADMIN;
    let of = |reads| Bounds {
        reads,
        ..READS_DISK
    };
    assert_eq!(needed(&of(Reads::Papers)), CapabilitySet::empty());
    assert_eq!(needed(&of(Reads::Views)), read);
    assert_eq!(needed(&of(Reads::Disk)), read | CapabilitySet::FOWNER);
    let output = Bounds {
        reads: Reads::Views,
        renames_in: &[&own],
        ..READS_DISK
    };
    assert_eq!(needed(&output), read, "our own directory");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o555)).unwrap();
    let more = CapabilitySet::DAC_OVERRIDE | CapabilitySet::FOWNER;
    assert_eq!(needed(&output), read | more, "a closed directory");
}

#[test]
fn all_sets_lose_the_others() {
    let read = CapabilitySet::DAC_READ_SEARCH | CapabilitySet::SYS_ADMIN | CapabilitySet::MAC_ADMIN;
    let before = capabilities(None).unwrap();
    let bounds = Bounds {
        reads: Reads::Views,
        ..READS_DISK
    };
    let thread = || {
        assert!(confine(&bounds).capabilities);
        assert!(rustix::thread::no_new_privs().unwrap());
        let bounding = capability_is_in_bounding_set(CapabilitySet::CHOWN).unwrap();
        (capabilities(None).unwrap(), bounding)
    };
    let (after, bounding) = thread::scope(|scope| scope.spawn(thread).join().unwrap());
    assert_eq!(after.effective, before.effective & read);
    assert_eq!(after.permitted, before.permitted & read);
    assert_eq!(after.inheritable, CapabilitySet::empty());
    if before.effective.contains(CapabilitySet::SETPCAP) {
        assert!(!bounding, "the bounding set still has CAP_CHOWN");
    }
}
