//! Cgroups of version 2, and processes in them as a container's would be: in a guest, without the right to clear flags.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
        // The shell that enters is one too, and has all rights still.
        let entering = format!("sh\0-c\0{enter}");
        let is_there = || {
            let of = |name: &str| format!("/proc/{}/{name}", process.0.id());
            let inside = std::fs::read_link(of("cwd")).is_ok_and(|dir| dir == cwd);
            let program = std::fs::read_to_string(of("comm")).unwrap_or_default();
            let words = std::fs::read(of("cmdline")).unwrap_or_default();
            inside && program.trim() == "sh" && !words.starts_with(entering.as_bytes())
        };
        assert!(soon(is_there), "the process did not come to {cwd:?}");
        process
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

    /// Freezes it, and waits until all in it stands still.
    pub fn freeze(&self) {
        std::fs::write(self.dir.join("cgroup.freeze"), "1").unwrap();
        let events = self.dir.join("cgroup.events");
        let stands = || {
            let events = std::fs::read_to_string(&events).unwrap();
            events.lines().any(|line| line == "frozen 1")
        };
        assert!(soon(stands), "it does not freeze");
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
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Is it so within a minute?
fn soon(is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// A process in a cgroup; killed when it is dropped.
pub struct InCgroup(Child);

impl Drop for InCgroup {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
