//! A file system on a recorded disk: made, mounted, unmounted and checked as often as a test likes, always at the same
//! place. It has a second loop device, because device numbers need not survive a power cut.

use std::cell::Cell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fuser::BackgroundSession;
use tempfile::TempDir;

use super::medium::{Image, Recording};
use super::served::{self, Disk};

/// Which file system, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ext4,
    Xfs,
    Btrfs,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ext4 => "ext4",
            Kind::Xfs => "xfs",
            Kind::Btrfs => "btrfs",
        }
    }

    /// About the smallest that its `mkfs` takes.
    fn size(self) -> u64 {
        let mib = match self {
            Kind::Ext4 => 64,
            Kind::Xfs => 300,
            Kind::Btrfs => 128,
        };
        mib << 20
    }

    fn mkfs(self) -> &'static [&'static str] {
        match self {
            Kind::Ext4 => &[
                "mkfs.ext4",
                "-q",
                "-b4096",
                "-Elazy_itable_init=0,lazy_journal_init=0",
            ],
            Kind::Xfs => &["mkfs.xfs", "-q"],
            Kind::Btrfs => &["mkfs.btrfs", "-q"],
        }
    }

    /// What looks for damage and repairs nothing.
    fn check(self) -> &'static [&'static str] {
        match self {
            Kind::Ext4 => &["e2fsck", "-fn"],
            Kind::Xfs => &["xfs_repair", "-n"],
            Kind::Btrfs => &["btrfs", "check", "--readonly"],
        }
    }
}

/// The file system, and everything beneath it. All of it goes when this is dropped.
#[derive(Debug)]
pub struct Rig {
    kind: Kind,
    disk: Disk,
    devices: Vec<PathBuf>,
    turn: Cell<usize>,
    session: Option<BackgroundSession>,
    scratch: TempDir,
}

impl Rig {
    /// Makes one, not mounted; or says why this machine cannot.
    pub fn new(kind: Kind) -> Result<Rig, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root, for loop devices and mounts".into());
        }
        let scratch = TempDir::with_prefix_in("power-", env!("CARGO_TARGET_TMPDIR"))
            .map_err(|e| format!("no scratch directory: {e}"))?;
        let disk = Disk::new(kind.size());
        let mut rig = Rig {
            kind,
            disk,
            devices: Vec::new(),
            turn: Cell::new(0),
            session: None,
            scratch,
        };
        rig.build()?;
        Ok(rig)
    }

    fn build(&mut self) -> Result<(), String> {
        let served = self.scratch.path().join("served");
        for dir in [&served, &self.top()] {
            std::fs::create_dir(dir).map_err(|e| e.to_string())?;
        }
        let session = self.disk.serve(&served);
        self.session = Some(session.map_err(|e| format!("no FUSE: {e}"))?);
        let file = served.join(served::NAME);
        for _ in 0..2 {
            let losetup = ["losetup", "--find", "--show"].map(AsRef::as_ref);
            let device = run(&[&losetup[..], &[file.as_os_str()]].concat())?;
            self.devices.push(device.trim().into());
        }
        self.on_device(self.kind.mkfs()).map(drop)
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is mounted.
    pub fn top(&self) -> PathBuf {
        self.scratch.path().join("mnt")
    }

    /// The block device whose turn it is.
    pub fn device(&self) -> &Path {
        &self.devices[self.turn.get()]
    }

    #[track_caller]
    pub fn mount(&self) {
        self.mount_with("defaults");
    }

    #[track_caller]
    pub fn mount_with(&self, options: &str) {
        let top = self.top();
        let how = ["mount", "-t", self.kind.name(), "-o", options].map(AsRef::as_ref);
        let what = [self.device().as_os_str(), top.as_os_str()];
        run(&[&how[..], &what].concat()).unwrap();
    }

    #[track_caller]
    pub fn unmount(&self) {
        run(&["umount".as_ref(), self.top().as_os_str()]).unwrap();
    }

    /// Fails unless the checker of this file system finds it whole. Not while it is mounted.
    #[track_caller]
    pub fn check(&self) {
        self.on_device(self.kind.check()).unwrap();
    }

    /// Names what comes next in the recording.
    pub fn step(&self, step: &str) {
        self.disk.medium().step(step);
    }

    pub fn record(&self) {
        self.disk.medium().record();
    }

    /// Flushes that were recorded so far.
    pub fn flushes(&self) -> usize {
        self.disk.medium().flushes()
    }

    /// A directory on no recorded disk.
    pub fn beside(&self) -> &Path {
        self.scratch.path()
    }

    pub fn recorded(&self) -> Recording {
        self.disk.medium().recorded()
    }

    /// From the next mount on the disk has another device number.
    pub fn renumber(&self) {
        self.turn.set(1 - self.turn.get());
    }

    /// Puts this disk in, as it was when the power went. Not while one is mounted.
    pub fn load(&self, image: &Image) {
        self.disk.medium().load(image.clone());
        self.on_device(&["blockdev", "--flushbufs"]).unwrap();
    }

    /// Keeps an image where a person can find it.
    pub fn save(&self, image: &Image, name: &str) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        image.save(&path, self.disk.size());
        path
    }

    fn on_device(&self, command: &[&str]) -> Result<String, String> {
        let command = command.iter().map(AsRef::as_ref);
        run(&command
            .chain([self.device().as_os_str()])
            .collect::<Vec<_>>())
    }
}

impl Drop for Rig {
    /// From top to bottom: each of them holds the next one.
    fn drop(&mut self) {
        let top = self.top();
        if is_mounted(&top) {
            patiently(&["umount".as_ref(), top.as_os_str()]);
        }
        for device in &self.devices {
            patiently(&["losetup".as_ref(), "-d".as_ref(), device.as_os_str()]);
        }
        if self.session.is_some() {
            let served = self.scratch.path().join("served");
            patiently(&["umount".as_ref(), served.as_os_str()]);
        }
    }
}

fn is_mounted(top: &Path) -> bool {
    let device = |path| std::fs::metadata(path).map(|m| std::os::unix::fs::MetadataExt::dev(&m));
    matches!((device(top), device(&top.join(".."))), (Ok(a), Ok(b)) if a != b)
}

/// A loop device lets go a moment after it was told to.
fn patiently(command: &[&OsStr]) {
    for _ in 0..50 {
        if run(command).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a program; its standard output, or everything that it said.
pub fn run(command: &[&OsStr]) -> Result<String, String> {
    let (program, args) = command.split_first().unwrap();
    let out = Command::new(program).args(args).output();
    let out = out.map_err(|e| format!("{}: {e}", program.display()))?;
    let [said, complained] = [&out.stdout, &out.stderr].map(|text| String::from_utf8_lossy(text));
    if out.status.success() {
        Ok(said.into_owned())
    } else {
        Err(format!("{command:?}: {said}{complained}"))
    }
}
