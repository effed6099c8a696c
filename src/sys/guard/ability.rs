//! How much of copy on write this kernel can do, found by doing it: a file of ours is marked, a thread of ours writes
//! to it, and another one answers.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::maps::MARKS;
use super::marks::{InodeMark, Marks};
use super::requests::{Requests, WriteAnswer};
use crate::model::GuardLevel;
use crate::sys::{Dir, SysError, SysResult};

/// Where a file of ours may be for a moment.
const PLACES: [&str; 2] = ["/run", "/tmp"];

/// From most to least.
const TRIED: [GuardLevel; 3] = [
    GuardLevel::RestartByTaskWork,
    GuardLevel::RestartBySignal,
    GuardLevel::DenyFirst,
];

/// So long does a write wait at most.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tries, and notes it for all: the most that was found, or `None` where nothing was to be tried. What is known already
/// is tried `anew` where that is asked for, and no daemon lived a moment ago: its writers are not to wait for us. For
/// who has the seat of a daemon. That a write is denied without one is tried by each run.
pub fn learn_ability(anew: bool) -> SysResult<Option<GuardLevel>> {
    let requests = Requests::open()?;
    requests.map_or(Ok(None), |mut requests| learn(&mut requests, anew))
}

pub(super) fn learn(requests: &mut Requests, anew: bool) -> SysResult<Option<GuardLevel>> {
    let is_known = requests.ability()? != GuardLevel::Immutable;
    if is_known && (!anew || requests.is_begun()?) {
        return Ok(None);
    }
    let found = best(requests);
    requests.rest()?;
    requests.learn(*found.as_ref().unwrap_or(&GuardLevel::Immutable))?;
    found.map(Some)
}

fn best(requests: &mut Requests) -> SysResult<GuardLevel> {
    let scratch = MarkedScratch::make()?;
    for level in TRIED {
        if holds(requests, &scratch, level)? {
            return Ok(level);
        }
    }
    Ok(GuardLevel::Immutable)
}

/// A file that is opened, where nothing is locked meanwhile, and one that gets another mode, where it is.
fn holds(requests: &mut Requests, scratch: &MarkedScratch, level: GuardLevel) -> SysResult<bool> {
    requests.begin(level)?;
    let opened = |path: &Path| OpenOptions::new().write(true).open(path).map(drop);
    let changed = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o600));
    Ok(is_done(requests, scratch, level, opened)? && is_done(requests, scratch, level, changed)?)
}

fn is_done(
    requests: &mut Requests,
    scratch: &MarkedScratch,
    level: GuardLevel,
    write: impl FnOnce(&Path) -> io::Result<()> + Send + 'static,
) -> SysResult<bool> {
    scratch.marks.add(&scratch.mark)?;
    let path = scratch.path.clone();
    let writer = thread::spawn(move || write(&path));
    let asked = answered(requests, scratch, &writer);
    // Whoever still waits is denied.
    requests.rest()?;
    let written = writer.join();
    let Some(waited) = asked? else {
        return Ok(false);
    };
    requests.begin(level)?;
    Ok(match (level, written) {
        (GuardLevel::DenyFirst, Ok(Err(error))) => {
            !waited && error.kind() == io::ErrorKind::PermissionDenied
        }
        (GuardLevel::RestartBySignal | GuardLevel::RestartByTaskWork, Ok(Ok(()))) => waited,
        _ => false,
    })
}

/// Lets the writer in when it asks: did it wait? `None` where it does not ask.
fn answered(
    requests: &mut Requests,
    scratch: &MarkedScratch,
    writer: &JoinHandle<io::Result<()>>,
) -> SysResult<Option<bool>> {
    let end = Instant::now() + PATIENCE;
    let mut waited = None;
    while Instant::now() < end {
        requests.beat()?;
        let request = requests.next(Duration::from_millis(10))?;
        match request.filter(|request| request.inode == scratch.mark.inode) {
            None if writer.is_finished() => break,
            None => {}
            Some(request) => {
                scratch.marks.remove(&scratch.mark)?;
                requests.answer(&request, WriteAnswer::LookAgain)?;
                waited = Some(request.waits);
            }
        }
    }
    Ok(waited)
}

/// A file of ours that has a name, and goes with this.
struct MarkedScratch {
    path: PathBuf,
    mark: InodeMark,
    marks: &'static Marks,
}

impl MarkedScratch {
    /// In the first place that can have one; the error of the last, where none can.
    fn make() -> SysResult<MarkedScratch> {
        let [first, other] = PLACES.map(Path::new);
        MarkedScratch::make_in(first).or_else(|_| MarkedScratch::make_in(other))
    }

    /// Its file system must tell inodes of one number apart.
    fn make_in(place: &Path) -> SysResult<MarkedScratch> {
        let marks = Marks::here().ok_or_else(|| SysError::new("open", MARKS, Errno::NOENT))?;
        let dir = Dir::open(place)?;
        let file = dir.nameless()?;
        let mark = InodeMark::of(&file).or_else(|_| InodeMark::of_memory(&file))?;
        let name = format!("unify-guard.{}", std::process::id());
        dir.link(&file, name.as_bytes())?;
        let path = place.join(name);
        Ok(MarkedScratch { path, mark, marks })
    }
}

impl Drop for MarkedScratch {
    fn drop(&mut self) {
        drop(self.marks.remove(&self.mark));
        drop(fs::remove_file(&self.path));
    }
}
