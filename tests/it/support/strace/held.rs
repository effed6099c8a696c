//! A command that `strace` holds at a call, so that a test can look at it or change something meanwhile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::BIN;

/// A command that is held for three seconds as each of its threads enters `call` for the first time.
pub struct Held {
    strace: Child,
    what: String,
}

impl Held {
    /// Starts `unify` so.
    pub fn new(call: &str, args: &[&str]) -> Held {
        Held::at(call, "1", args)
    }

    /// The same for such calls of it, as strace counts them.
    pub fn at(call: &str, when: &str, args: &[&str]) -> Held {
        let inject = format!("inject={call}:delay_enter=3000000:when={when}");
        let strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &inject, BIN])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace runs");
        let what = format!("{args:?}, held at {call}");
        Held { strace, what }
    }

    /// The program's own directory in /proc, once it is there.
    fn process(&self) -> Option<PathBuf> {
        let parent = self.strace.id();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(children).ok()?;
        let process = Path::new("/proc").join(children.split_whitespace().next()?);
        let program = std::fs::read_link(process.join("exe")).ok()?;
        (program == Path::new(BIN)).then_some(process)
    }

    /// The status of all threads as soon as `enough` says so.
    pub fn threads(&mut self, enough: impl Fn(&[Status]) -> bool) -> Vec<Status> {
        self.wait_for(|process| Some(statuses(process)).filter(|threads| enough(threads)))
    }

    /// Waits until a thread of it has entered the call with a descriptor of this file, and is held there.
    pub fn stands_in(&mut self, number: i64, file: &str) {
        self.wait_for(|process| {
            let calls = calls(process).into_iter();
            let descriptors = calls.filter_map(|call| descriptor(&call, number));
            let mut open = descriptors.map(|fd| process.join("fd").join(fd.to_string()));
            open.find(|link| std::fs::read_link(link).is_ok_and(|path| path.ends_with(file)))
        });
    }

    /// Waits until a thread of it has entered the call, whatever it asks.
    pub fn stands(&mut self, number: i64) {
        let call = format!("{number} ");
        self.wait_for(|process| {
            let mut calls = calls(process).into_iter();
            calls.find(|line| line.starts_with(&call))
        });
    }

    /// What is found in the program's own directory in /proc, as soon as it is.
    fn wait_for<T>(&mut self, find: impl Fn(&Path) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = self.process().and_then(|process| find(&process)) {
                return found;
            }
            let ended = self.strace.try_wait().unwrap();
            assert!(ended.is_none(), "{}: it ended before", self.what);
            assert!(start.elapsed() < Duration::from_secs(60), "{}", self.what);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end, and fails unless the exit code is this one.
    pub fn ends_with(mut self, code: i32) {
        assert_eq!(
            self.strace.wait().unwrap().code(),
            Some(code),
            "{}",
            self.what
        );
    }
}

/// Lines of `/proc/PID/task/TID/status`.
pub type Status = BTreeMap<String, String>;

fn statuses(process: &Path) -> Vec<Status> {
    let tasks = list(&process.join("task")).into_iter();
    let texts = tasks.filter_map(|task| text(&task.join("status")));
    texts.map(|text| status_of(&text)).collect()
}

/// What is in a directory of `/proc`, as far as it is still there.
fn list(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The call that each thread is in, `/proc/PID/task/TID/syscall`.
fn calls(process: &Path) -> Vec<String> {
    let tasks = list(&process.join("task")).into_iter();
    tasks
        .filter_map(|task| text(&task.join("syscall")))
        .collect()
}

/// The first argument of this call, in a line of `/proc/PID/syscall`.
fn descriptor(line: &str, number: i64) -> Option<u64> {
    let mut words = line.split(' ');
    let fits = words.next()? == number.to_string();
    let first = words.next()?.strip_prefix("0x").filter(|_| fits)?;
    u64::from_str_radix(first, 16).ok()
}

/// Reads the text of such a file.
pub fn status_of(text: &str) -> Status {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// One of the capability sets in a status, as bits.
pub fn capability_set(status: &Status, name: &str) -> u64 {
    u64::from_str_radix(&status[name], 16).unwrap()
}
