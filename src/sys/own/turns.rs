//! A lock that several processes of ours have by turns, each for a moment. Who waits is told nothing of who has it.
//!
//! Who lets it go and wants it again at once would have it for ever, for the others look only now and then. So there is
//! a door before it, a lock as well: who waits stands in the door, and who wants it again must wait for that one first.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::new_file::private;
use super::papers::Lock;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// How long it is slept between two looks.
pub const TURN_PAUSE: Duration = Duration::from_millis(2);

/// Takes the lock file, and waits for it so long at most; `None` where it was not to be had.
pub fn take_turn(path: &Path, patience: Duration) -> SysResult<Option<Lock>> {
    let (mut line, end) = (TurnLine::at(path), Instant::now() + patience);
    loop {
        let taken = line.step_up()?;
        if taken.is_some() || Instant::now() >= end {
            return Ok(taken);
        }
        std::thread::sleep(TURN_PAUSE);
    }
}

/// Does any process have the turn? Nobody has it where only the door is taken. Who looks may be stopped in the midst of
/// it, and so stands in no door, nor in the way of others who look; writes nothing.
pub fn is_turn_taken(path: &Path) -> SysResult<bool> {
    let Some(file) = SysError::absent(there(path))? else {
        return Ok(false);
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(false),
        Err((_, Errno::EWOULDBLOCK)) => Ok(true),
        Err((_, errno)) => Err(SysError::new("lock", path, errno)),
    }
}

/// Waits until nobody has it, for so long at most, with no place in the line.
pub fn await_turn(path: &Path, patience: Duration) -> SysResult<()> {
    let end = Instant::now() + patience;
    while is_turn_taken(path)? && Instant::now() < end {
        std::thread::sleep(TURN_PAUSE);
    }
    Ok(())
}

/// A place in the line before a turn, for who has other things to do meanwhile. It is given up by dropping it.
#[derive(Debug)]
pub struct TurnLine {
    door: LockPath,
    turn: LockPath,
    /// Who has it is the next.
    in_door: Option<Lock>,
}

impl TurnLine {
    /// Before this lock file; nothing is taken yet.
    pub fn at(path: &Path) -> TurnLine {
        let mut door = OsString::from(path);
        door.push(".next");
        TurnLine {
            door: LockPath::of(door.into()),
            turn: LockPath::of(path.to_owned()),
            in_door: None,
        }
    }

    /// The turn, if it is ours now. Does not wait; to be called again every [`TURN_PAUSE`] or so.
    pub fn step_up(&mut self) -> SysResult<Option<Lock>> {
        if self.in_door.is_none() {
            self.in_door = self.door.take()?;
        }
        if self.in_door.is_none() {
            return Ok(None);
        }
        let taken = self.turn.take()?;
        if taken.is_some() {
            self.in_door = None;
        }
        Ok(taken)
    }
}

/// A lock file, opened when it is first wanted.
#[derive(Debug)]
struct LockPath {
    path: PathBuf,
    file: Option<File>,
}

impl LockPath {
    fn of(path: PathBuf) -> LockPath {
        LockPath { path, file: None }
    }

    fn take(&mut self) -> SysResult<Option<Lock>> {
        let file = match self.file.take() {
            Some(file) => file,
            None => lock_file(&self.path)?,
        };
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => Ok(Some(Lock::of(held))),
            Err((busy, Errno::EWOULDBLOCK)) => {
                self.file = Some(busy);
                Ok(None)
            }
            Err((_, errno)) => Err(SysError::new("lock", &self.path, errno)),
        }
    }
}

/// It is written where it is missing, and then never.
fn lock_file(path: &Path) -> SysResult<File> {
    match SysError::absent(there(path))? {
        Some(file) => Ok(file),
        None => {
            let mut options = private();
            options.create(true).append(true);
            let made = call("create", || options.open(path));
            made.map_err(|e| SysError::new("open", path, e))
        }
    }
}

fn there(path: &Path) -> SysResult<File> {
    let open = call("open", || private().read(true).open(path));
    open.map_err(|e| SysError::new("open", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_the_next() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("turn");
        let first = take_turn(&path, Duration::ZERO).expect("a lock file");
        assert!(first.is_some());
        let mut waits = TurnLine::at(&path);
        assert!(waits.step_up().expect("a lock file").is_none());
        drop(first);
        // It is free, and who was here just now does not get it again.
        assert!(
            take_turn(&path, Duration::ZERO)
                .expect("a lock file")
                .is_none()
        );
        let second = waits.step_up().expect("a lock file");
        assert!(second.is_some());
        // Who has it stands in nobody's way to be the next.
        let mut third = TurnLine::at(&path);
        assert!(third.step_up().expect("a lock file").is_none());
        drop(second);
        let last = third.step_up().expect("a lock file");
        assert!(last.is_some());
        // Who only looks sees who has it, and not who waits, and is seen by nobody.
        assert!(is_turn_taken(&path).expect("a lock file"));
        let mut waits = TurnLine::at(&path);
        assert!(waits.step_up().expect("a lock file").is_none());
        drop(last);
        assert!(!is_turn_taken(&path).expect("a lock file"));
        let last = waits.step_up().expect("a lock file");
        assert!(last.is_some());
        // Who gave up his place is not waited for.
        let mut gone = TurnLine::at(&path);
        assert!(gone.step_up().expect("a lock file").is_none());
        drop((gone, last));
        assert!(
            take_turn(&path, Duration::ZERO)
                .expect("a lock file")
                .is_some()
        );
    }
}
