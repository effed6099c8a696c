//! Two real Debian guests go the way from plan to undo, and get what the README promises on what people really have.

use std::collections::BTreeSet;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};

use crate::support::{Disk, Guest, Planned, bytes_of, cycle, debian, id, is_immutable, nlink};

#[test]
fn nothing_but_disk_use_changes() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    let (plan, saved) = cycle(&lab, &[&web, &db], &[]);
    assert!(
        plan.names().len() > 100,
        "{} names only",
        plan.names().len()
    );
    assert!(saved > 5_000_000, "only {saved} bytes came back");
}

#[test]
fn twins_become_one_protected_inode() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    for tool in ["/usr/bin/dpkg", "/usr/bin/sed", "/usr/bin/bash"] {
        assert!(
            plan.link("web", tool).is_some() && plan.link("db", tool).is_some(),
            "{tool} is planned"
        );
        assert_eq!(
            id(&web.host(tool)),
            id(&db.host(tool)),
            "{tool} is one inode"
        );
        assert_eq!(nlink(&web.host(tool)), 3, "{tool}: two guests and the base");
        assert!(is_immutable(&web.host(tool)), "{tool} is protected");
    }
    lab.on_base("undo", &["--run", "last", "--guest", "db", "--yes"])
        .expect(0);
    for tool in ["/usr/bin/dpkg", "/usr/bin/sed", "/usr/bin/bash"] {
        assert_ne!(
            id(&web.host(tool)),
            id(&db.host(tool)),
            "{tool} is the guest's own again"
        );
        assert!(!is_immutable(&db.host(tool)) && is_immutable(&web.host(tool)));
    }
}

#[test]
fn config_files_are_those_of_dpkg_and_ucf() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    for guest in [&web, &db] {
        let wanted = existing(guest, &[conffiles(guest), ucf(guest)].concat());
        assert!(wanted.len() > 5, "{}: {wanted:?}", guest.name());
        assert_eq!(
            planned_config_files(&plan, guest),
            wanted,
            "{}",
            guest.name()
        );
    }
}

/// What the plan calls a config file per dpkg or ucf, as real paths.
fn planned_config_files(plan: &Planned, guest: &Guest) -> BTreeSet<String> {
    let skips = plan.actions("skip").into_iter();
    let config =
        skips.filter(|skip| skip["guest"] == guest.name() && skip["reason"] == "config-file");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let paths: Vec<_> = config.map(|skip| text(bytes_of(skip))).collect();
    existing(guest, &paths)
}

/// What the guest's own database says, asked of the real dpkg.
fn conffiles(guest: &Guest) -> Vec<String> {
    let admindir = format!("--admindir={}", guest.host("/var/lib/dpkg").display());
    let format = "--showformat=${Conffiles}\\n";
    let out = Command::new("dpkg-query")
        .args([&admindir, "--show", format])
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8(out.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix(" /"));
    let path = |line: &str| {
        let line = line
            .trim_end_matches(" remove-on-upgrade")
            .trim_end_matches(" obsolete");
        format!("/{}", line.rsplit_once(' ').unwrap().0)
    };
    lines.map(path).collect()
}

/// Lines of ucf's register: digest, blanks, path.
fn ucf(guest: &Guest) -> Vec<String> {
    let text = std::fs::read_to_string(guest.host("/var/lib/ucf/hashfile")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    lines.map(|(_, path)| path.trim().to_owned()).collect()
}

/// Real paths inside the guest of those that exist and are regular files.
fn existing(guest: &Guest, paths: &[String]) -> BTreeSet<String> {
    let root =
        rustix::fs::open(guest.root(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let real = |path: &String| {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat2(&root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT).ok()?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&fd).unwrap().st_mode);
        let host = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
        let inside = Path::new("/").join(host.strip_prefix(guest.root()).unwrap());
        (kind == FileType::RegularFile).then(|| inside.to_str().unwrap().to_owned())
    };
    paths.iter().filter_map(real).collect()
}
