//! The daemon's end of the guard: what writers ask, and what they are told.

use std::time::{Duration, Instant};

use aya::maps::{HashMap, Map, MapData, RingBuf};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::event::WriteRequest;
use super::heart::Heart;
use super::maps::{ANSWERS, REQUESTS, failed, io};
use super::marks::{InodeMark, Marks};
use crate::model::GuardLevel;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// What a writer that waits is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteAnswer {
    /// The name may lead elsewhere now: the call is begun anew.
    LookAgain,
    /// `EPERM`
    Denied,
    /// `ENOSPC`
    NoSpace,
    /// `EDQUOT`
    OverQuota,
}

/// More requests than fit into the ring of 512 KiB.
const MOST_LEFT: usize = 1 << 12;

/// Requests of all writers of this host. One process at a time takes them.
pub struct Requests {
    ring: RingBuf<MapData>,
    answers: HashMap<MapData, RequestKey, u64>,
    heart: Heart,
    marks: &'static Marks,
}

/// Thread and number of a request: `struct request_key` of the programs.
type RequestKey = [u64; 2];

impl Requests {
    /// `None` where no guard is loaded that asks, or one that asks otherwise than this version knows, or it may not be
    /// reached by this user. Nobody waits before [`begin`](Requests::begin).
    pub fn open() -> SysResult<Option<Requests>> {
        let (Some(heart), Some(marks)) = (Heart::open()?, Marks::here()) else {
            return Ok(None);
        };
        let ring = MapData::from_pin(REQUESTS).map_err(|e| failed("open", REQUESTS, e))?;
        let ring = RingBuf::try_from(Map::RingBuf(ring));
        let answers = MapData::from_pin(ANSWERS).map_err(|e| failed("open", ANSWERS, e))?;
        let answers = HashMap::try_from(Map::LruHashMap(answers));
        Ok(Some(Requests {
            ring: ring.map_err(|e| failed("open", REQUESTS, e))?,
            answers: answers.map_err(|e| failed("open", ANSWERS, e))?,
            heart,
            marks,
        }))
    }

    /// The most that this kernel can do.
    pub fn ability(&self) -> SysResult<GuardLevel> {
        self.heart.ability()
    }

    /// From here on writers ask, and at the two upper levels wait. It must beat from now on; what had been asked of an
    /// earlier process is asked again.
    pub fn begin(&self, level: GuardLevel) -> SysResult<()> {
        self.heart.begin(level)
    }

    /// A sign of life; one a second at least, during a long copy too. See [`Heart`] for other threads.
    pub fn beat(&self) -> SysResult<()> {
        self.heart.beat()
    }

    /// Nobody will answer any more: who waits is denied at once. Not for a daemon that is started anew.
    pub fn rest(&self) -> SysResult<()> {
        self.heart.rest()
    }

    /// The next request; `None` where none has come in this time.
    pub fn next(&mut self, patience: Duration) -> SysResult<Option<WriteRequest>> {
        let end = Instant::now() + patience;
        loop {
            while let Some(item) = self.ring.next() {
                if let Some(request) = WriteRequest::parse(&item) {
                    return Ok(Some(request));
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.is_filled_in(left)? {
                return Ok(None);
            }
        }
    }

    /// Throws away what was asked of an earlier process: whoever still waits asks a new one again, and the others are
    /// gone. At most what fits into the ring, though somebody fill it meanwhile.
    pub fn forget(&mut self) {
        let mut left = MOST_LEFT;
        while left > 0 && self.ring.next().is_some() {
            left -= 1;
        }
    }

    fn is_filled_in(&self, patience: Duration) -> SysResult<bool> {
        let timeout = Timespec::try_from(patience).ok();
        let mut ring = [PollFd::new(&self.ring, PollFlags::IN)];
        match call("poll", || poll(&mut ring, timeout.as_ref())) {
            Ok(ready) => Ok(ready > 0),
            // A signal: whoever sent it may have asked for an end.
            Err(Errno::INTR) => Ok(false),
            Err(errno) => Err(SysError::new("wait for", REQUESTS, errno)),
        }
    }

    /// Tells a writer that waits. Whoever does not wait (any more) takes no harm.
    pub fn answer(&mut self, request: &WriteRequest, answer: WriteAnswer) -> SysResult<()> {
        if !request.waits {
            return Ok(());
        }
        let key = [u64::from(request.thread), request.number];
        let told = match answer {
            WriteAnswer::LookAgain => 1,
            WriteAnswer::Denied => 2,
            WriteAnswer::NoSpace => 3,
            WriteAnswer::OverQuota => 4,
        };
        call("answer", || self.answers.insert(key, told, 0).map_err(io))
            .map_err(|error| SysError::new("write", ANSWERS, error))
    }

    /// Whoever is about to change it waits, without a request, until it is held no more. For a private copy, until all
    /// names of its guest lead to it.
    pub fn hold(&self, mark: &InodeMark) -> SysResult<()> {
        self.marks.hold(mark)
    }

    /// It is its guest's own.
    pub fn unhold(&self, mark: &InodeMark) -> SysResult<()> {
        self.marks.unhold(mark)
    }

    /// A directory in which names are put by us and by nobody else: what a writer holds from there is no name of its
    /// guest's any more.
    pub fn own_directory(&self, mark: &InodeMark) -> SysResult<()> {
        self.marks.own_directory(mark)
    }

    /// What an earlier process has held, and left so.
    pub fn held(&self) -> SysResult<Vec<InodeMark>> {
        self.marks.held()
    }
}

impl Requests {
    pub(super) fn is_begun(&self) -> SysResult<bool> {
        self.heart.beats()
    }

    pub(super) fn learn(&self, ability: GuardLevel) -> SysResult<()> {
        self.heart.learn(ability)
    }
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Requests")
    }
}
