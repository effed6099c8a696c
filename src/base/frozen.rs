//! Which cgroups a run may have frozen: written before it does, so that the run that heals it knows what to thaw.

use super::Base;
use crate::sys::own::papers;
use crate::sys::{Cgroup, SysResult};

/// The paper's name.
const PAPER: &str = "frozen";

/// The paper; one cgroup a line.
pub struct FrozenPaper;

impl FrozenPaper {
    /// What it says; nothing where it is not there. Lines that are no cgroup are left out.
    pub fn read(base: &Base) -> SysResult<Vec<Cgroup>> {
        let text = papers::read_small(&base.paper(PAPER))?.unwrap_or_default();
        let lines = text.split(|&byte| byte == b'\n');
        Ok(lines.filter_map(Cgroup::from_bytes).collect())
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
