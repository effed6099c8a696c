//! How much of copy on write this kernel can do, found by doing it: a file of ours is marked, a thread of ours writes
//! to it, and another one answers.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::marks::{InodeMark, Marks};
use super::requests::{Requests, WriteAnswer};
use crate::model::GuardLevel;
use crate::sys::{Dir, SysResult};

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

/// Tries, and notes it for all. Nothing is tried while a daemon lives: its writers are not to wait for us. That a write
/// is denied without one is tried by each run.
pub fn learn_ability() -> SysResult<()> {
    let Some(mut requests) = Requests::open()? else {
        return Ok(());
    };
    if requests.is_begun()? {
        return Ok(());
    }
    let found = best(&mut requests);
    requests.rest()?;
    requests.learn(found.unwrap_or(GuardLevel::Immutable))
}

fn best(requests: &mut Requests) -> SysResult<GuardLevel> {
    let Some(scratch) = MarkedScratch::make()? else {
        return Ok(GuardLevel::Immutable);
    };
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
    /// `None` where there is no place for it, or its file system does not tell inodes of one number apart.
    fn make() -> SysResult<Option<MarkedScratch>> {
        let Some(marks) = Marks::here() else {
            return Ok(None);
        };
        for place in PLACES {
            let Ok(dir) = Dir::open(Path::new(place)) else {
                continue;
            };
            let file = dir.nameless()?;
            let Ok(mark) = InodeMark::of(&file).or_else(|_| InodeMark::of_memory(&file)) else {
                continue;
            };
            let name = format!("unify-guard.{}", std::process::id());
            dir.link(&file, name.as_bytes())?;
            let path = Path::new(place).join(name);
            return Ok(Some(MarkedScratch { path, mark, marks }));
        }
        Ok(None)
    }
}

impl Drop for MarkedScratch {
    fn drop(&mut self) {
        drop(self.marks.remove(&self.mark));
        drop(fs::remove_file(&self.path));
    }
}
