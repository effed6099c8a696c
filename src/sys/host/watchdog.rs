//! A second process of this program, which watches over what the first has frozen: its standard input closes with us,
//! however we die, and tells it before that what is frozen and how long that may last.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::io::Errno;

use super::freezer::Cgroup;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// What a watchdog hears of a run that ended by itself.
const ALL_IS_WELL: &[u8] = b"all is well";
/// These will be frozen: milliseconds that this may last, and how many lines follow, each with a cgroup.
const FROZEN: &[u8] = b"frozen ";
/// Nothing is frozen any more.
const GO_ON: &[u8] = b"go on";

/// A process of this program.
#[derive(Debug)]
pub struct Helper(Child);

impl Helper {
    /// Starts this program again with other arguments, in a process group of its own, so that what a terminal sends to
    /// us does not reach it.
    pub fn start(args: &[&OsStr]) -> SysResult<Helper> {
        Helper::start_with(args, Stdio::null())
    }

    fn start_with(args: &[&OsStr], input: Stdio) -> SysResult<Helper> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("/proc/self/exe");
        command
            .args(args)
            .process_group(0)
            .current_dir("/")
            .env_remove("UNIFY_FAULT")
            .stdin(input)
            .stdout(Stdio::null());
        let child = call("spawn", || command.spawn());
        let child = child.map_err(|e| SysError::new("start", "/proc/self/exe", e))?;
        Ok(Helper(child))
    }

    /// Waits for its end until then, or until the condition holds that is asked meanwhile. Did it end?
    pub fn wait_until(&mut self, end: Instant, mut enough: impl FnMut() -> bool) -> bool {
        loop {
            // Nothing that could still be waited for is at an end, too.
            if !matches!(self.0.try_wait(), Ok(None)) {
                return true;
            }
            if enough() || Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end.
    pub fn wait(mut self) {
        drop(self.0.wait());
    }

    /// It does nothing more, even where the kernel keeps it for a while: it is not waited for.
    pub fn kill(&mut self) {
        drop(self.0.kill());
    }
}

/// Ends the process that started this one, if that is its id: it does nothing more from here on.
pub fn end_parent(pid: u32) {
    use nix::sys::signal::{Signal, kill};
    let parent = nix::unistd::getppid();
    if u32::try_from(parent.as_raw()) == Ok(pid) {
        // Where it is gone, it does nothing more either.
        let _ = kill(parent, Signal::SIGKILL);
    }
}

/// A watchdog at work. Its standard input closes when this is dropped, or when we die.
#[derive(Debug)]
pub struct Watchdog {
    helper: Helper,
    input: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts it.
    pub fn start(args: &[&OsStr]) -> SysResult<Watchdog> {
        let mut helper = Helper::start_with(args, Stdio::piped())?;
        let input = helper.0.stdin.take();
        Ok(Watchdog { helper, input })
    }

    /// Says what will be frozen, and for how long at most: after that it goes on, whatever became of us. An error means
    /// that there is no watchdog any more.
    pub fn will_freeze(&mut self, cgroups: &[Cgroup], within: Duration) -> SysResult<()> {
        let mut said = FROZEN.to_vec();
        said.extend(format!("{} {}\n", within.as_millis(), cgroups.len()).bytes());
        for cgroup in cgroups {
            said.extend(cgroup.as_bytes());
            said.push(b'\n');
        }
        self.say(&said)
    }

    /// Nothing is frozen any more.
    pub fn go_on(&mut self) {
        // A watchdog that is gone is missed before the next freeze.
        drop(self.say(&[GO_ON, b"\n"].concat()));
    }

    fn say(&mut self, said: &[u8]) -> SysResult<()> {
        let Some(input) = &mut self.input else {
            return Ok(());
        };
        let said = input.write_all(said);
        said.map_err(|e| SysError::new("tell", "the watchdog", e))
    }

    /// Waits until then for its end, or for the condition. Did it end?
    pub fn wait_until(&mut self, end: Instant, enough: impl FnMut() -> bool) -> bool {
        self.helper.wait_until(end, enough)
    }

    /// Its process id, which nobody else gets before it was waited for.
    pub fn id(&self) -> u32 {
        self.helper.0.id()
    }

    /// Tells it that there is nothing left for it to do, and waits for it.
    pub fn finish(mut self) {
        // Where this cannot be said, it looks for itself.
        drop(self.say(&[ALL_IS_WELL, b"\n"].concat()));
        self.input = None;
        // How it ended changes nothing any more.
        self.helper.wait();
    }
}

/// What a watchdog hears.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// These are frozen, for so long at most.
    Frozen(Vec<Cgroup>, Duration),
    /// Nothing is frozen any more.
    GoOn,
    /// The run ended by itself.
    AllIsWell,
    /// The process is gone.
    End,
}

/// The ear of a watchdog: its standard input.
#[derive(Debug, Default)]
pub struct WatchdogEar {
    unread: Vec<u8>,
}

impl WatchdogEar {
    /// The next that is heard; `None` where nothing is heard until then.
    pub fn hear(&mut self, until: Option<Instant>) -> Option<Heard> {
        loop {
            if let Some(heard) = take_message(&mut self.unread) {
                return Some(heard);
            }
            if !waited(until) {
                return None;
            }
            let mut some = [0; 4096];
            // Not through the library's buffer, which poll does not see.
            match rustix::io::read(io::stdin(), &mut some) {
                Err(Errno::INTR) => {}
                // However it ends, the run is over.
                Ok(0) | Err(_) => return Some(Heard::End),
                Ok(length) => self.unread.extend_from_slice(&some[..length]),
            }
        }
    }
}

/// Waits until standard input has something to say, or has ended; false where the time is over.
fn waited(until: Option<Instant>) -> bool {
    let input = io::stdin();
    let timeout = until.map_or(PollTimeout::NONE, |until| {
        let left = until.saturating_duration_since(Instant::now());
        // Rounded up, so that nobody is told too early and asks again and again.
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
    });
    let mut ears = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    loop {
        match poll(&mut ears, timeout) {
            Ok(0) => return false,
            Err(nix::errno::Errno::EINTR) => {}
            // What cannot be waited for is read.
            Ok(_) | Err(_) => return true,
        }
    }
}

/// Takes the first message that is there as a whole. What is none is passed over.
fn take_message(unread: &mut Vec<u8>) -> Option<Heard> {
    loop {
        let mut lines = unread.split(|byte| *byte == b'\n');
        let first = lines.next()?.to_vec();
        if unread.len() == first.len() {
            return None;
        }
        let count = match numbers(&first) {
            Some((_, count)) => count,
            None => 0,
        };
        let (rest, taken) = (lines, first.len() + 1);
        let cgroups: Vec<&[u8]> = rest.take(count).collect();
        let taken = taken + cgroups.iter().map(|line| line.len() + 1).sum::<usize>();
        if cgroups.len() < count || taken > unread.len() {
            return None;
        }
        let heard = match (&first[..], numbers(&first)) {
            (ALL_IS_WELL, _) => Some(Heard::AllIsWell),
            (GO_ON, _) => Some(Heard::GoOn),
            (_, Some((within, _))) => {
                let cgroups = cgroups.into_iter().filter_map(Cgroup::from_bytes);
                Some(Heard::Frozen(cgroups.collect(), within))
            }
            _ => None,
        };
        unread.drain(..taken);
        if heard.is_some() {
            return heard;
        }
    }
}

/// The numbers of the line that announces a freeze.
fn numbers(line: &[u8]) -> Option<(Duration, usize)> {
    let text = str::from_utf8(line.strip_prefix(FROZEN)?).ok()?;
    let (ms, count) = text.split_once(' ')?;
    Some((Duration::from_millis(ms.parse().ok()?), count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cgroup(path: &str) -> Cgroup {
        Cgroup::from_bytes(path.as_bytes()).unwrap()
    }

    #[test]
    fn messages_are_taken_when_they_are_whole() {
        let said = b"frozen 2000 2\n/a\n/b c\ngo on\nwhat?\nfrozen 5 0\nall is well\n";
        let want = [
            Heard::Frozen(vec![cgroup("/a"), cgroup("/b c")], Duration::from_secs(2)),
            Heard::GoOn,
            Heard::Frozen(Vec::new(), Duration::from_millis(5)),
            Heard::AllIsWell,
        ];
        let (mut unread, mut heard) = (Vec::new(), Vec::new());
        for byte in said {
            unread.push(*byte);
            heard.extend(take_message(&mut unread));
        }
        assert_eq!(heard, want);
        let (mut unread, mut heard) = (said.to_vec(), Vec::new());
        while let Some(one) = take_message(&mut unread) {
            heard.push(one);
        }
        assert_eq!(heard, want);
        assert!(unread.is_empty());
    }
}
