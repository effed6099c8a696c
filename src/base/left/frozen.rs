//! Which cgroups a run may have frozen: written before it does, so that the run that heals it knows what to thaw.

use std::time::Duration;

use crate::base::Base;
use crate::sys::host::machine;
use crate::sys::own::papers;
use crate::sys::{Cgroup, Freezer, SysResult};

/// The paper's name.
const PAPER: &str = "frozen";

/// How often, and how far apart, it is looked whether something stands still for good.
const LOOKS: u32 = 8;
const BETWEEN: Duration = Duration::from_millis(50);

/// The paper; one cgroup a line.
pub struct FrozenPaper;

impl FrozenPaper {
    /// What it says; nothing where it is not there. Lines that are no cgroup are left out.
    pub fn read(base: &Base) -> SysResult<Vec<Cgroup>> {
        let text = papers::read_small(&base.paper(PAPER))?.unwrap_or_default();
        let lines = text.split(|&byte| byte == b'\n');
        Ok(lines.filter_map(Cgroup::from_bytes).collect())
    }

    /// What is on the paper and stands still, and goes on standing still: a run that is at work lets it go in between.
    pub fn left_standing(base: &Base) -> SysResult<Vec<Cgroup>> {
        let mut left = FrozenPaper::read(base)?;
        let freezer = if left.is_empty() {
            None
        } else {
            Freezer::find()?
        };
        let Some(freezer) = freezer else {
            return Ok(Vec::new());
        };
        for look in 0..LOOKS {
            left.retain(|cgroup| freezer.stands_still(cgroup).unwrap_or(false));
            if left.is_empty() {
                break;
            }
            if look + 1 < LOOKS {
                machine::pause(BETWEEN);
            }
        }
        Ok(left)
    }

    /// Makes it durable before it returns.
    pub fn write(base: &Base, cgroups: &[Cgroup]) -> SysResult<()> {
        let lines = cgroups.iter().flat_map(|cgroup| [cgroup.as_bytes(), b"\n"]);
        papers::write_whole(&base.paper(PAPER), &lines.collect::<Vec<_>>().concat())
    }

    /// Removes the paper: nothing is frozen.
    pub fn remove(base: &Base) -> SysResult<()> {
        papers::remove(&base.paper(PAPER))
    }
}
