//! The daemon's sign of life: `struct heart` of the programs, one of them a kernel.
//!
//! Where it does not beat, the programs deny a write and that is all. What waits goes on to wait for five seconds after
//! the last beat, so that a daemon can be killed and started anew, and for one after a writer has noticed the silence;
//! after that it is denied.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

use aya::maps::{Array, Map, MapData, MapError};
use rustix::time::{ClockId, clock_gettime};

use super::maps::{HEART, failed, io};
use super::sets::is_of_other_layout;
use crate::model::{GuardLevel, WritersMeet};
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// `struct heart`.
type Words = [u64; 4];

/// Where in it: when it has beaten, which life it is, what is to be done now, what the trial has found.
const BEAT: usize = 0;
const LIFE: usize = 1;
const LEVEL: usize = 2;
const ABILITY: usize = 3;

/// The heart, for any thread.
pub struct Heart {
    map: Mutex<Array<MapData, Words>>,
    /// Of the name by which it was found.
    pin: Option<u64>,
}

impl Heart {
    /// `None` where no guard is loaded that asks anybody, or one that asks otherwise than this version knows.
    pub fn open() -> SysResult<Option<Heart>> {
        if is_of_other_layout() {
            return Ok(None);
        }
        let pin = pin();
        let map = match MapData::from_pin(HEART) {
            Err(MapError::PinError { .. } | MapError::SyscallError(_)) => return Ok(None),
            map => map.map_err(|e| failed("open", HEART, e))?,
        };
        let map = Array::try_from(Map::Array(map)).map_err(|e| failed("open", HEART, e))?;
        Ok(Some(Heart {
            map: Mutex::new(map),
            pin,
        }))
    }

    /// Do the programs that are loaded still look at this one? Not where others, or others' maps, have taken its place.
    pub fn is_looked_at(&self) -> bool {
        self.pin.is_some() && pin() == self.pin && !is_of_other_layout()
    }

    /// From here on writers wait for this process, at most so well. It must beat from now on.
    pub fn begin(&self, level: GuardLevel) -> SysResult<()> {
        let now = now();
        self.change(|words| {
            words[BEAT] = now;
            words[LIFE] = now;
            words[LEVEL] = number(level);
        })
    }

    /// A sign of life; one a second at least, during a long copy too.
    pub fn beat(&self) -> SysResult<()> {
        self.change(|words| words[BEAT] = now())
    }

    /// Nobody will answer any more: who waits is denied at once. Not for a daemon that is started anew.
    pub fn rest(&self) -> SysResult<()> {
        self.change(|words| words[BEAT] = 0)
    }

    /// The most that the trial has found this kernel to do.
    pub fn ability(&self) -> SysResult<GuardLevel> {
        Ok(level(self.words()?[ABILITY]))
    }

    /// Does a daemon live, so that writers wait?
    pub fn beats(&self) -> SysResult<bool> {
        let beat = self.words()?[BEAT];
        Ok(beat != 0 && now().saturating_sub(beat) < PATIENCE)
    }

    /// What becomes of a write: what the daemon that lives does, and where there is none, what one could do.
    pub fn level(&self) -> SysResult<GuardLevel> {
        let at = if self.beats()? { LEVEL } else { ABILITY };
        Ok(level(self.words()?[at]))
    }

    /// What a writer meets now.
    pub fn met(&self) -> SysResult<WritersMeet> {
        let (level, daemon) = (self.level()?, self.beats()?);
        let level = Some(level);
        Ok(WritersMeet { level, daemon })
    }

    pub(super) fn learn(&self, ability: GuardLevel) -> SysResult<()> {
        self.change(|words| words[ABILITY] = number(ability))
    }

    fn words(&self) -> SysResult<Words> {
        let map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(&0, 0).map_err(|e| failed("read", HEART, e))
    }

    fn change(&self, change: impl FnOnce(&mut Words)) -> SysResult<()> {
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = map.get(&0, 0).map_err(|e| failed("read", HEART, e))?;
        change(&mut words);
        call("heart", || map.set(0, words, 0).map_err(io))
            .map_err(|error| SysError::new("write", HEART, error))
    }
}

impl std::fmt::Debug for Heart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Heart")
    }
}

/// Nanoseconds for which a silent daemon is waited for, as the programs have it.
const PATIENCE: u64 = 5_000_000_000;

/// A map that is pinned later has another inode there.
fn pin() -> Option<u64> {
    fs::symlink_metadata(HEART).ok().map(|pin| pin.ino())
}

/// The clock of the programs.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default()
}

fn number(level: GuardLevel) -> u64 {
    match level {
        GuardLevel::Immutable => 0,
        GuardLevel::DenyFirst => 1,
        GuardLevel::RestartBySignal => 2,
        GuardLevel::RestartByTaskWork => 3,
    }
}

fn level(number: u64) -> GuardLevel {
    match number {
        1 => GuardLevel::DenyFirst,
        2 => GuardLevel::RestartBySignal,
        3 => GuardLevel::RestartByTaskWork,
        _ => GuardLevel::Immutable,
    }
}
