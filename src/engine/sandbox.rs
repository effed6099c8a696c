//! How far each command that only reads is confined, before it reads what others wrote.
//!
//! The calling process is confined for good. Where a kernel gives less, a command works as it did before, and says what
//! is missing: the walls are there for mistakes, and nothing relies on them.

use std::path::Path;

use super::EngineError;
use crate::base::{Base, Scrubbed};
use crate::model::{Event, Observer};
use crate::sys::host::machine;
use crate::sys::{Bounds, Reads, confine};

/// `plan` and `check`: read views, rename their files within these directories, and writes in the base's `cache`.
pub(super) fn to_plan(
    reads: Reads,
    renames_in: &[&Path],
    cache: Option<&Path>,
    observer: &dyn Observer,
) {
    let bounds = Bounds {
        reads,
        renames_in,
        writes_in: cache.as_slice(),
        writes: &[],
    };
    let views = match reads {
        Reads::Disk => Some(NO_VIEW),
        Reads::Papers | Reads::Views => None,
    };
    confine_to(&bounds, views, observer);
}

/// `verify`, `status` and `explain`: read guests and the base, write nothing. Views can still be made: cloning a mount
/// changes no tree, which is what Landlock forbids.
pub fn to_reading(observer: &dyn Observer) {
    confine_to(&nothing_written(Reads::Disk), None, observer);
}

/// `verify --base`: reads a base and its guests. It writes which objects it read when, in a directory of its own,
/// and into the lock file which run holds the lock. No object can be written, whatever its flags.
pub fn to_scrubbing(base: &Path, observer: &dyn Observer) -> Result<(), EngineError> {
    let base = Base::existing(base)?;
    let (memory, lock) = (Scrubbed::place(&base)?, base.lock_file()?);
    let bounds = Bounds {
        writes_in: &[&memory],
        writes: &[&lock],
        ..nothing_written(Reads::Disk)
    };
    confine_to(&bounds, None, observer);
    Ok(())
}

/// `check` of a plan that is open: reads it, and guests where it is asked whether the plan still holds, and renames its
/// files within these directories.
pub(super) fn to_checking(reads: Reads, renames_in: &[&Path], observer: &dyn Observer) {
    let bounds = Bounds {
        renames_in,
        ..nothing_written(reads)
    };
    confine_to(&bounds, None, observer);
}

/// `show`: reads a plan that is open.
pub fn to_papers(observer: &dyn Observer) {
    confine_to(&nothing_written(Reads::Papers), None, observer);
}

/// `cut`: reads a plan that is open, and where it `asks_guests` their links; renames its file within `output`.
pub(super) fn to_rewriting(output: Option<&Path>, asks_guests: bool, observer: &dyn Observer) {
    let reads = match asks_guests {
        true => Reads::Disk,
        false => Reads::Papers,
    };
    let bounds = Bounds {
        renames_in: output.as_slice(),
        ..nothing_written(reads)
    };
    confine_to(&bounds, None, observer);
}

fn nothing_written<'b>(reads: Reads) -> Bounds<'b> {
    Bounds {
        reads,
        renames_in: &[],
        writes_in: &[],
        writes: &[],
    }
}

const NO_LANDLOCK: &str = "Landlock, which forbids it to write";
const NO_CAPABILITIES: &str = "giving up root's capabilities";
const NO_VIEW: &str = "private read-only mounts of the guests";

/// Says what this kernel did not give; `views` is what is known of that already. Only root gets the warning: other
/// users have not much to lose.
fn confine_to(bounds: &Bounds<'_>, views: Option<&str>, observer: &dyn Observer) {
    let got = confine(bounds);
    if !machine::is_root() {
        return;
    }
    let walls = [
        (got.landlock, NO_LANDLOCK),
        (got.capabilities, NO_CAPABILITIES),
    ];
    let missing = walls.iter().filter(|(stands, _)| !stands);
    let missing = missing.map(|(_, wall)| *wall).chain(views);
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        observer.notice(&Event::Warning(&format!(
            "this command reads what others wrote with more rights than it needs: this kernel gives no {}",
            missing.join("; no ")
        )));
    }
}
