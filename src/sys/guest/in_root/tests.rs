//! The resolver against the kernel's own, and everything that must not be opened.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::*;

impl InRoot {
    /// Opens the root by its path on the host.
    fn open(path: &Path) -> Result<InRoot, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        InRoot::new(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
    }
}

/// A root with every kind of link, and a secret just outside it.
fn fill(root: &Path) {
    for dir in ["etc/sub", "usr/lib", "srv/conf"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::write(root.join("etc/plain"), "inside").unwrap();
    fs::write(root.join("usr/lib/a.conf"), "a").unwrap();
    fs::write(root.join("srv/conf/target"), "t").unwrap();
    let links = [
        ("usr/lib", "lib"),
        ("/srv/conf/target", "etc/absolute"),
        ("../../../../../etc/plain", "etc/sub/climbing"),
        ("absolute", "etc/twice"),
        ("/", "etc/top"),
        ("loop-b", "etc/loop-a"),
        ("loop-a", "etc/loop-b"),
        ("self", "etc/self"),
        ("/nowhere", "etc/dangling"),
        ("plain/", "etc/file-slash"),
        ("sub/", "etc/dir-slash"),
        ("etc/./sub/..//plain", "dotted"),
    ];
    for (target, name) in links {
        symlink(target, root.join(name)).unwrap();
    }
    let fifo = root.join("etc/fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
}

const PATHS: &[&str] = &[
    "etc/plain",
    "/etc/plain",
    "//etc///plain",
    "lib/a.conf",
    "/lib",
    "etc/absolute",
    "etc/sub/climbing",
    "etc/twice",
    "etc/top/etc/top/etc/twice",
    "etc/loop-a",
    "etc/self/x",
    "etc/dangling",
    "etc/file-slash",
    "etc/dir-slash/..",
    "dotted",
    "..",
    "../../etc/plain",
    "etc/plain/",
    "etc/plain/..",
    "etc/plain/.",
    "etc/missing/../plain",
    "etc/fifo",
    "/",
    ".",
];

/// What the kernel says, on a mount where it follows links: inode, or `None` if there is no such file.
fn kernel(root: &OwnedFd, path: &str) -> Result<Option<u64>, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match rustix::fs::openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
        Ok(fd) => Ok(Some(rustix::fs::fstat(fd).unwrap().st_ino)),
        Err(e) if is_absent(e) => Ok(None),
        Err(e) => Err(e),
    }
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::create_dir(dir.path().join("etc")).unwrap();
    fs::write(dir.path().join("etc/plain"), "OUTSIDE").unwrap();
    fill(&root);
    (dir, root)
}

#[test]
fn resolves_as_the_kernel_does() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    for name in PATHS {
        match (root.resolve(name.as_bytes()), kernel(&root.root, name)) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours.map(|r| r.id.ino), theirs, "{name}"),
            (Err(GuestError::Loop { .. }), Err(Errno::LOOP)) => (),
            (ours, theirs) => panic!("{name}: {ours:?}, the kernel says {theirs:?}"),
        }
    }
}

#[test]
fn follows_as_many_links_as_the_kernel() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    symlink("etc/plain", path.join("link-1")).unwrap();
    for i in 2..=45 {
        symlink(format!("link-{}", i - 1), path.join(format!("link-{i}"))).unwrap();
    }
    for i in 1..=45 {
        let name = format!("link-{i}");
        let ours = root.resolve(name.as_bytes()).is_ok();
        assert_eq!(ours, kernel(&root.root, &name).is_ok(), "{name}");
    }
}

#[test]
fn says_the_name_without_links() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    for (asked, want) in [
        ("/lib/a.conf", "/usr/lib/a.conf"),
        ("/etc/twice", "/srv/conf/target"),
        ("/etc/top/dotted", "/etc/plain"),
        ("/../..", "/"),
    ] {
        let found = root.resolve(asked.as_bytes()).unwrap().unwrap();
        assert_eq!(found.path.to_string(), want, "{asked}");
    }
}

#[test]
fn tells_the_way() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    let way = |asked: &[u8]| {
        let trail = root.trace(asked).unwrap();
        let links = trail.links.iter();
        let links = links.map(|link| format!("{} {}", link.at, link.target.escape_ascii()));
        let links: Vec<String> = links.collect();
        match trail.end {
            TrailEnd::Found(end) => (links.join(", "), format!("found {}", end.path)),
            TrailEnd::Missing(at) => (links.join(", "), format!("missing {at}")),
            TrailEnd::NoDirectory(at) => (links.join(", "), format!("no directory {at}")),
        }
    };
    let is = |links: &str, end: &str| (links.to_owned(), end.to_owned());
    assert_eq!(
        way(b"/lib/a.conf"),
        is("/lib usr/lib", "found /usr/lib/a.conf")
    );
    let twice = "/etc/twice absolute, /etc/absolute /srv/conf/target";
    assert_eq!(way(b"/etc/twice"), is(twice, "found /srv/conf/target"));
    assert_eq!(way(b"/lib/b/c"), is("/lib usr/lib", "missing /usr/lib/b"));
    assert_eq!(way(b"/etc/plain/x"), is("", "no directory /etc/plain"));
    assert_eq!(way(b"/../etc//plain"), is("", "found /etc/plain"));
    assert_eq!(way(b"/etc/dangling").1, "missing /nowhere");
    assert!(matches!(
        root.trace(b"/etc/loop-a"),
        Err(GuestError::Loop { .. })
    ));
    assert!(matches!(
        root.trace(b"/a\0b"),
        Err(GuestError::BadPath { .. })
    ));
    assert!(root.trace(&[b'x'; 300]).is_err(), "no name is so long");
}

#[test]
fn reads_inside_only() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    for name in ["etc/plain", "etc/sub/climbing", "../etc/plain", "dotted"] {
        let content = root.read(name.as_bytes(), 6).unwrap();
        assert_eq!(content.as_deref(), Some(b"inside".as_slice()), "{name}");
    }
    assert!(root.read(b"etc/dangling", 6).unwrap().is_none());
    assert!(root.read(b"etc/plain/x", 6).unwrap().is_none());
}

#[test]
fn refuses_what_is_no_small_file() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    let sparse = fs::File::create(path.join("etc/sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let wrong = |r| matches!(r, Err(GuestError::WrongKind { .. }));
    assert!(wrong(root.read(b"etc/fifo", 9)));
    assert!(wrong(root.read(b"etc", 9)));
    assert!(matches!(
        root.read(b"etc/sparse", 1 << 20),
        Err(GuestError::TooLarge { size, .. }) if size == 1 << 40
    ));
    assert!(matches!(
        root.read(b"etc/plain", 5),
        Err(GuestError::TooLarge { .. })
    ));
    assert!(matches!(
        root.read(b"etc/pl\0ain", 9),
        Err(GuestError::BadPath { .. })
    ));
    assert!(matches!(
        root.resolve(&b"../".repeat(30_000)),
        Err(GuestError::Loop { .. })
    ));
}

#[test]
fn lists_sorted_and_bounded() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    assert_eq!(
        root.list(b"/lib", 9).unwrap().unwrap(),
        [b"a.conf".to_vec()]
    );
    assert_eq!(root.list(b"etc/sub/../top", 9).unwrap().unwrap().len(), 5);
    assert!(root.list(b"missing", 9).unwrap().is_none());
    assert!(matches!(
        root.list(b"etc", 3),
        Err(GuestError::TooMany { max: 3, .. })
    ));
    assert!(matches!(
        root.list(b"etc/plain", 3),
        Err(GuestError::WrongKind { .. })
    ));
}

#[test]
fn leaves_no_trace() {
    let (_dir, path) = scratch();
    let old = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        },
        last_modification: rustix::fs::Timespec {
            tv_sec: 2,
            tv_nsec: 0,
        },
    };
    for name in ["etc/plain", "etc"] {
        rustix::fs::utimensat(
            rustix::fs::CWD,
            path.join(name),
            &old,
            rustix::fs::AtFlags::empty(),
        )
        .unwrap();
    }
    let root = InRoot::open(&path).unwrap();
    root.read(b"etc/plain", 9).unwrap().unwrap();
    root.list(b"etc", 99).unwrap().unwrap();
    for name in ["etc/plain", "etc"] {
        assert_eq!(
            fs::metadata(path.join(name)).unwrap().atime(),
            1,
            "{name} was touched"
        );
    }
}

/// A new tmpfs that is mounted nowhere and follows no links, as `plan` uses for its guests.
fn detached_tmpfs(attributes: MountAttrFlags) -> Result<OwnedFd, Errno> {
    let fs = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_create(&fs)?;
    rustix::mount::fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn through_proc(fd: &OwnedFd) -> PathBuf {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", fd.as_raw_fd()).into()
}

#[test]
fn works_where_the_kernel_follows_no_link() {
    let mount = match detached_tmpfs(MountAttrFlags::MOUNT_ATTR_NOSYMFOLLOW) {
        Ok(mount) => mount,
        Err(e) => return eprintln!("SKIPPED: no detached nosymfollow mount here ({e})"),
    };
    fill(&through_proc(&mount));
    assert_eq!(
        kernel(&mount, "lib/a.conf"),
        Err(Errno::LOOP),
        "the mount follows links"
    );
    let root = InRoot::new(mount).unwrap();
    assert_eq!(
        root.read(b"etc/twice", 9).unwrap().unwrap(),
        b"t",
        "two links"
    );
    assert_eq!(
        root.resolve(b"/lib/a.conf")
            .unwrap()
            .unwrap()
            .path
            .to_string(),
        "/usr/lib/a.conf"
    );
    assert_eq!(root.list(b"lib", 9).unwrap().unwrap().len(), 1);
}

#[test]
fn other_file_systems_are_refused() {
    let (_dir, path) = scratch();
    let Ok(mount) = detached_tmpfs(MountAttrFlags::empty()) else {
        return eprintln!("SKIPPED: no detached mount here");
    };
    fs::create_dir(through_proc(&mount).join("within")).unwrap();
    // The root's own device is taken for granted; so pretend that it was another.
    let mut root = InRoot::new(mount).unwrap();
    root.dev = fs::metadata(&path).unwrap().dev();
    assert!(matches!(
        root.resolve(b"within"),
        Err(GuestError::OtherFilesystem { .. })
    ));
    let host = InRoot::open(Path::new("/")).unwrap();
    assert!(matches!(
        host.read(b"proc/self/status", 9_999),
        Err(GuestError::OtherFilesystem { .. })
    ));
}

#[test]
fn a_file_that_never_holds_still_is_refused() {
    let (_dir, path) = scratch();
    let root = InRoot::open(&path).unwrap();
    let target = path.join("etc/busy");
    fs::write(&target, vec![b'x'; 1 << 22]).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = fs::OpenOptions::new().append(true).open(&target).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                use std::io::Write;
                (&file).write_all(b"y").unwrap();
                file.set_len(1 << 22).unwrap();
            }
        });
        let patience = std::time::Instant::now();
        let mut noticed = false;
        while !noticed && patience.elapsed().as_secs() < 20 {
            let answer = root.read(b"etc/busy", 1 << 23);
            noticed = matches!(answer, Err(GuestError::Unstable { .. }));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(noticed, "a moving file was believed every time");
    });
}

/// A mount of the same file system has no device number of its own. It is made in a mount namespace that ends
/// with its process, so the test runs itself a second time in there.
#[test]
fn bind_mounts_are_refused() {
    if let Ok(path) = std::env::var("BIND_MOUNTED_ROOT") {
        let root = InRoot::open(Path::new(&path)).unwrap();
        let refused = |r: Result<_, _>| matches!(r, Err(GuestError::OtherFilesystem { .. }));
        assert!(refused(root.resolve(b"etc/sub/target")));
        assert!(root.resolve(b"srv/conf/target").unwrap().is_some());
        return;
    }
    let (_dir, path) = scratch();
    let script = r#"mount --bind "$1/srv/conf" "$1/etc/sub" || exit 77
        BIND_MOUNTED_ROOT="$1" exec "$2" --exact sys::guest::in_root::tests::bind_mounts_are_refused"#;
    let ran = std::process::Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(&path)
        .arg(std::env::current_exe().unwrap())
        .output();
    match ran {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("1 passed"), "{text}");
        }
        Ok(output) if output.status.code() == Some(101) => {
            panic!("{}", String::from_utf8_lossy(&output.stdout));
        }
        other => eprintln!("SKIPPED: no mount namespace here ({other:?})"),
    }
}
