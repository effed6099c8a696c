//! A command that `strace` holds at a call, so that a test can look at it or change something meanwhile.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{BIN, id};

/// A command that is held for three seconds as its threads enter a call. On a busy machine nobody may come to look in
/// these: whoever asks is told so, and tries again.
pub struct Held {
    strace: Child,
    what: String,
}

impl Held {
    /// Starts `unify` so, for such calls of each thread, as strace counts them.
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

    /// The status of all threads of a command, held at its first such calls, as soon as `enough` says so.
    pub fn threads(call: &str, args: &[&str], enough: impl Fn(&[Status]) -> bool) -> Vec<Status> {
        for _ in 0..5 {
            let mut held = Held::at(call, "1", args);
            let find = |process: &Path| Some(statuses(process)).filter(|threads| enough(threads));
            let found = held.wait_for(find);
            held.ends_well();
            if let Some(threads) = found {
                return threads;
            }
        }
        panic!("{args:?}, held at {call}: it ended before");
    }

    /// Does something while a thread of it is held in a call, and with a descriptor of the file where there is one. Was
    /// it held there until that was done?
    pub fn meanwhile(mut self, number: i64, file: Option<&Path>, act: impl FnOnce()) -> bool {
        let file = file.map(id);
        let is_there = |process: &Path| stands(process, number, file);
        let was = self.wait_for(|process| is_there(process).then_some(()));
        if was.is_some() {
            act();
        }
        let is_still = self.process().is_some_and(|process| is_there(&process));
        self.ends_well();
        was.is_some() && is_still
    }

    /// What is found in the program's own directory in /proc, as soon as it is; `None` if it ended before.
    fn wait_for<T>(&mut self, find: impl Fn(&Path) -> Option<T>) -> Option<T> {
        let start = Instant::now();
        loop {
            let found = self.process().and_then(|process| find(&process));
            if found.is_some() || self.strace.try_wait().unwrap().is_some() {
                return found;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "{}", self.what);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end, and fails unless all went well.
    fn ends_well(mut self) {
        let code = self.strace.wait().unwrap().code();
        assert_eq!(code, Some(0), "{}", self.what);
    }
}

/// Has a thread entered this call, and with a descriptor of the file where there is one?
fn stands(process: &Path, number: i64, file: Option<(u64, u64)>) -> bool {
    let call = format!("{number} ");
    let of_file = |line: &str| match file {
        None => line.starts_with(&call),
        Some(file) => descriptor(line, number).is_some_and(|fd| {
            let open = std::fs::metadata(process.join("fd").join(fd.to_string()));
            open.is_ok_and(|open| (open.dev(), open.ino()) == file)
        }),
    };
    calls(process).iter().any(|line| of_file(line))
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
