//! A kernel that is the test: it asks the daemon what writers would ask, and does what the answer says.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{BIN, Lab};

/// The daemon, and the kernel's end of it.
pub struct Kernel {
    daemon: Child,
    ask: UnixStream,
    told: BufReader<UnixStream>,
    log: PathBuf,
    thread: u32,
    /// What is to be done for writers.
    pub level: String,
    /// What it was told that is no answer: what was held and let go, and its last word.
    pub held: Vec<String>,
}

/// A write as the guard would ask about it.
pub struct Asking<'a> {
    /// A name by which the file is reached, on the host.
    pub file: &'a Path,
    pub process: u32,
    pub attempt: u32,
    pub stale: bool,
    /// Does the writer wait? Else it was denied, and the copy is for its next try.
    pub waits: bool,
    /// Does the guard tell in which directory?
    pub has_parent: bool,
    /// The cgroup of the writer.
    pub cgroup: u64,
    /// The generation of the directory, where that is known.
    pub above: Option<u32>,
}

impl<'a> Asking<'a> {
    pub fn to(file: &'a Path) -> Asking<'a> {
        Asking {
            file,
            process: std::process::id(),
            attempt: 1,
            stale: false,
            waits: true,
            has_parent: true,
            cgroup: 1,
            above: None,
        }
    }

    /// The same by a writer of this cgroup.
    pub fn of(self, cgroup: u64) -> Asking<'a> {
        Asking { cgroup, ..self }
    }
}

impl Kernel {
    /// Starts the daemon for the base of this lab, and waits until it says that it is ready.
    pub fn start(lab: &Lab, env: &[(&str, &str)], options: &[&str]) -> Kernel {
        let mut kernel = Kernel::begin(lab, env, options);
        kernel.says("ready: ");
        kernel
    }

    /// Starts it, and waits until writers may ask.
    pub fn begin(lab: &Lab, env: &[(&str, &str)], options: &[&str]) -> Kernel {
        Kernel::begin_at(&lab.path(""), lab, env, options)
    }

    /// The same with its own files in this directory, and not on the disk of the lab.
    pub fn start_at(place: &Path, lab: &Lab, env: &[(&str, &str)]) -> Kernel {
        let mut kernel = Kernel::begin_at(place, lab, env, &[]);
        kernel.says("ready: ");
        kernel
    }

    fn begin_at(place: &Path, lab: &Lab, env: &[(&str, &str)], options: &[&str]) -> Kernel {
        let socket = place.join("kernel");
        drop(std::fs::remove_file(&socket));
        let listener = UnixListener::bind(&socket).unwrap();
        let log = place.join("guardd.log");
        let daemon = Command::new(BIN)
            .arg("guardd")
            .args(["--base", lab.base().to_str().unwrap()])
            .args(options)
            .env("UNIFY_REQUESTS", &socket)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let (ask, _) = listener.accept().unwrap();
        ask.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let told = BufReader::new(ask.try_clone().unwrap());
        let mut kernel = Kernel {
            daemon,
            ask,
            told,
            log,
            thread: 0,
            level: String::new(),
            held: Vec::new(),
        };
        let line = kernel.line().unwrap_or_default();
        let level = line.strip_prefix("begin ");
        kernel.level = level
            .unwrap_or_else(|| panic!("{}", kernel.said()))
            .to_owned();
        kernel
    }

    /// Waits until it has said this, or is gone.
    #[track_caller]
    pub fn says(&mut self, word: &str) {
        let start = Instant::now();
        while !self.said().contains(word) && self.daemon.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "{}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.told.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
        }
    }

    /// Asks, and does not wait.
    pub fn ask(&mut self, write: &Asking<'_>) -> u32 {
        self.ask_about(write, generation(write.file))
    }

    /// The same, where the generation of the file is known.
    pub fn ask_about(&mut self, write: &Asking<'_>, of_file: u32) -> u32 {
        let state = std::fs::symlink_metadata(write.file).unwrap();
        let above = write.file.parent().unwrap();
        let parent = std::fs::metadata(above).unwrap();
        self.thread += 1;
        let (dev, parent) = match write.has_parent {
            true => (
                parent.dev(),
                format!(
                    "{}:{}",
                    parent.ino(),
                    write.above.unwrap_or_else(|| generation(above))
                ),
            ),
            false => (0, "0:0".to_owned()),
        };
        let name = write.file.file_name().unwrap().to_str().unwrap();
        let stale = if write.stale { "stale" } else { "fresh" };
        let waits = if write.waits { "waits" } else { "denied" };
        let line = format!(
            "{} {} {} {} {of_file} {} {waits} {stale} {dev} {parent} {name} {}\n",
            self.thread,
            write.process,
            state.dev(),
            state.ino(),
            write.attempt,
            write.cgroup
        );
        // One that is dead gives no answer.
        drop(self.ask.write_all(line.as_bytes()));
        self.thread
    }

    /// The next answer; `None` where the daemon is gone.
    pub fn answer(&mut self) -> Option<(u32, String)> {
        loop {
            let line = self.line()?;
            let (first, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match first.parse() {
                Ok(thread) => return Some((thread, rest.to_owned())),
                Err(_) => self.held.push(first.to_owned()),
            }
        }
    }

    /// Asks, and waits.
    pub fn answer_to(&mut self, write: &Asking<'_>) -> Option<String> {
        let asked = self.ask(write);
        let (thread, word) = self.answer()?;
        assert_eq!(thread, asked);
        Some(word)
    }

    /// Asks, and waits for this answer before any other.
    #[track_caller]
    pub fn meets(&mut self, write: &Asking<'_>, want: &str) {
        let word = self.answer_to(write);
        assert_eq!(word.as_deref(), Some(want), "{}", self.said());
    }

    /// The next answer is this one.
    #[track_caller]
    pub fn hears(&mut self, thread: u32, want: &str) {
        let answer = self.answer();
        assert_eq!(answer, Some((thread, want.to_owned())), "{}", self.said());
    }

    /// What a writer does: it looks again as long as it is told to, and the inode is the same.
    #[track_caller]
    pub fn write(&mut self, file: &Path, bytes: &[u8]) {
        let before = std::fs::metadata(file).unwrap().ino();
        let mut write = Asking::to(file);
        while std::fs::metadata(file).unwrap().ino() == before {
            let word = self.answer_to(&write);
            assert_eq!(word.as_deref(), Some("LookAgain"), "{}", self.said());
            write.attempt += 1;
        }
        append(file, bytes);
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until nothing of a break is in flight.
    #[track_caller]
    pub fn settled(&self, lab: &Lab) {
        let start = Instant::now();
        while std::fs::read_dir(lab.base().join("staging"))
            .unwrap()
            .next()
            .is_some()
        {
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The same, or it is dead.
    pub fn settled_or_dead(&mut self) {
        let start = Instant::now();
        // After the last answer the record is made durable.
        while start.elapsed() < Duration::from_secs(3) {
            if self.daemon.try_wait().unwrap().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// It ends. Gives its exit code, and what it was told until then that is no answer.
    pub fn last_words(mut self) -> (Option<i32>, Vec<String>) {
        while self.answer().is_some() {}
        let held = std::mem::take(&mut self.held);
        (self.daemon.wait().unwrap().code(), held)
    }

    /// Ends it, and gives its exit code.
    pub fn end(self) -> Option<i32> {
        self.ask_to_end();
        self.last_words().0
    }

    /// The policy and the nice value of each of its threads (`sched(7)`).
    pub fn priorities(&self) -> Vec<(i32, i32)> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.daemon.id())).unwrap();
        let stats = tasks
            .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).ok());
        let read = |stat: String| {
            let (_, rest) = stat.rsplit_once(')').unwrap();
            let fields: Vec<&str> = rest.split_whitespace().collect();
            (fields[38].parse().unwrap(), fields[16].parse().unwrap())
        };
        stats.map(read).collect()
    }

    pub fn ask_to_end(&self) {
        let pid = rustix::process::Pid::from_child(&self.daemon);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

/// A shell command that goes on until this file is there, or its directory is gone, as it is when a test has failed.
pub fn until(file: &Path) -> String {
    let (dir, file) = (file.parent().unwrap().display(), file.display());
    format!("while test -d {dir} && ! test -e {file}; do sleep 0.05; done")
}

pub fn append(file: &Path, bytes: &[u8]) {
    let file = std::fs::File::options().append(true).open(file);
    file.unwrap().write_all(bytes).unwrap();
}

/// As `lsattr -v` has it.
pub fn generation(file: &Path) -> u32 {
    let out = Command::new("lsattr")
        .arg("-dv")
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.split_whitespace().next().unwrap().parse().unwrap()
}
