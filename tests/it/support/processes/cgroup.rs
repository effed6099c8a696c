//! Cgroups of version 2, and processes in them as a container's would be: in a guest, without the right to clear flags.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A cgroup of this test, gone when it ends with everything in it.
pub struct Cgroup {
    dir: PathBuf,
}

impl Cgroup {
    /// Makes one, or says why this machine cannot.
    pub fn new(name: &str) -> Result<Cgroup, String> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").map_err(|e| e.to_string())?;
        let mount = mounts.lines().find_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            kind.starts_with("cgroup2 ")
                .then(|| place.split(' ').nth(4))?
        });
        let mount = mount.ok_or("no cgroups of version 2 are mounted")?;
        let dir = Path::new(mount).join(format!("unify-test-{}-{name}", std::process::id()));
        std::fs::create_dir(&dir).map_err(|e| format!("no cgroup: {e}"))?;
        if !dir.join("cgroup.freeze").exists() {
            std::fs::remove_dir(&dir).ok();
            return Err("this kernel has no freezer of version 2".into());
        }
        Ok(Cgroup { dir })
    }

    /// Starts a shell command in here, with its working directory in a guest.
    pub fn start(&self, cwd: &Path, command: &str) -> InCgroup {
        self.start_with(cwd, command, "--bounding-set=-linux_immutable")
    }

    /// The same for a process that keeps all capabilities.
    pub fn start_mighty(&self, cwd: &Path, command: &str) -> InCgroup {
        self.start_with(cwd, command, "--bounding-set=+all")
    }

    fn start_with(&self, cwd: &Path, command: &str, capabilities: &str) -> InCgroup {
        let procs = self.dir.join("cgroup.procs");
        let enter = format!(
            "echo $$ > '{}' && cd '{}' && exec setpriv {capabilities} sh -c \"$1\"",
            procs.display(),
            cwd.display()
        );
        let child = Command::new("sh")
            .args(["-c", &enter, "sh", command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let process = InCgroup(child);
        for _ in 0..500 {
            let inside = std::fs::read_link(format!("/proc/{}/cwd", process.0.id()));
            let program = std::fs::read_to_string(format!("/proc/{}/comm", process.0.id()));
            if inside.is_ok_and(|dir| dir == cwd) && program.is_ok_and(|name| name.trim() == "sh") {
                return process;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("the process did not come to {cwd:?}");
    }

    /// Is it frozen, or asked to be?
    pub fn is_frozen(&self) -> bool {
        let asked = std::fs::read_to_string(self.dir.join("cgroup.freeze")).unwrap();
        asked.trim() == "1"
    }

    /// The file that freezes it.
    pub fn control(&self) -> PathBuf {
        self.dir.join("cgroup.freeze")
    }

    pub fn freeze(&self) {
        std::fs::write(self.dir.join("cgroup.freeze"), "1").unwrap();
    }

    pub fn thaw(&self) {
        std::fs::write(self.dir.join("cgroup.freeze"), "0").unwrap();
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        std::fs::write(self.dir.join("cgroup.kill"), "1").ok();
        self.thaw();
        for _ in 0..200 {
            if std::fs::remove_dir(&self.dir).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// A process in a cgroup; killed when it is dropped.
pub struct InCgroup(Child);

impl Drop for InCgroup {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
