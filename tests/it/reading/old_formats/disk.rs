//! The disk that an earlier program left, mounted where and as what it was made.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::FlockOperation;

use super::DATA;
use crate::support::{BIN, Out};

/// The device that the disk was made on, and its number as files have it.
const LOOP: (&str, u64) = ("/dev/loop200", 7 << 8 | 200);

/// Mounts what it is given in a namespace of its own, and holds it until its input ends. The disks of other
/// tests, which come and go meanwhile, are let go.
const HOLD: &str = r#"set -e
while read -r id parent device root place rest; do
  case $place in */lab-*) umount -l "$place" || :;; esac
done < /proc/self/mountinfo
mount --bind "$1/machine-id" /etc/machine-id
losetup "$3" "$2"
trap 'losetup -d "$3"' EXIT
mount -t ext4 "$3" /mnt
losetup -d "$3"
trap - EXIT
echo mounted
read -r end || :"#;

/// The old disk, writable, seen by one process and by the programs that it lets in.
pub struct OldDisk {
    holder: Child,
    _image: tempfile::NamedTempFile,
    /// One at a time: there is one such device.
    _turn: std::fs::File,
}

impl OldDisk {
    pub fn mount() -> Result<OldDisk, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root, for a mount".into());
        }
        if BIN.starts_with("/mnt/") {
            return Err("the program is where the disk must be mounted".into());
        }
        let turn = std::fs::File::open("/dev/loop-control").map_err(|e| e.to_string())?;
        rustix::fs::flock(&turn, FlockOperation::LockExclusive).map_err(|e| e.to_string())?;
        let packed = std::fs::read(Path::new(DATA).join("disk.img.zst")).unwrap();
        let image = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::write(&image, zstd::decode_all(&packed[..]).unwrap()).unwrap();
        let holder = hold(image.path())?;
        let disk = OldDisk {
            holder,
            _image: image,
            _turn: turn,
        };
        // Both are so on Debian's kernels; where not, the papers speak of another disk.
        let dev = std::fs::metadata(disk.host("settled")).unwrap().dev();
        if dev != LOOP.1 {
            return Err(format!("{} is device {dev} on this machine", LOOP.0));
        }
        let release = rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned();
        let mut numbers = release.split(['.', '-']).map(|n| n.parse().unwrap_or(0));
        let version: [u32; 2] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
        if version < [6, 9] {
            return Err("the kernel does not tell the UUID of a file system".into());
        }
        Ok(disk)
    }

    /// Where a path on the disk is for this process.
    pub fn host(&self, path: impl AsRef<Path>) -> PathBuf {
        let mnt = PathBuf::from(format!("/proc/{}/root/mnt", self.holder.id()));
        mnt.join(path)
    }

    /// Runs the program where the disk is at `/mnt`.
    pub fn unify(&self, args: &[&str]) -> Out {
        self.unify_with(&[], args)
    }

    pub fn unify_with(&self, env: &[(&str, &str)], args: &[&str]) -> Out {
        let space = format!("--mount=/proc/{}/ns/mnt", self.holder.id());
        let out = Command::new("nsenter")
            .args([&space, "timeout", "--signal=KILL", "600", BIN])
            .args(args)
            .env("NO_COLOR", "1")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Out {
            args: args.join(" "),
            code: out.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        }
    }
}

fn hold(image: &Path) -> Result<Child, String> {
    let mut said = String::new();
    // The last one's device may still be on its way out.
    for _ in 0..100 {
        let mut child = Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                HOLD,
                "sh",
                DATA,
            ])
            .args([image.as_os_str(), LOOP.0.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("unshare: {e}"))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        if line == "mounted\n" {
            return Ok(child);
        }
        let out = child.wait_with_output().unwrap();
        said = String::from_utf8_lossy(&out.stderr).trim().to_owned();
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(format!("the old disk cannot be mounted here: {said}"))
}

impl Drop for OldDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().ok();
    }
}
