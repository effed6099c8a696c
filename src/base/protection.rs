//! What protects the objects of a base, where that does not stand in the objects themselves: marks of a kernel are gone
//! with it, and then this paper says that there were some.
//!
//! It is durable before the first object is marked, and stays as long as the base. One base has one protection.

use std::io;

use super::Base;
use super::places::PROTECTION;
use crate::model::Protect;
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};

/// The paper; the word of a mode, alone.
pub struct ProtectionPaper;

impl ProtectionPaper {
    /// What it says; `None` where there is no such paper.
    pub fn read(base: &Base) -> SysResult<Option<Protect>> {
        let path = base.paper(PROTECTION);
        let Some(text) = papers::read_small(&path)? else {
            return Ok(None);
        };
        let word = String::from_utf8_lossy(&text);
        let known = Protect::from_code(word.trim_end());
        let unknown = || io::Error::other("it names a protection that this version does not know");
        known
            .map(Some)
            .ok_or_else(|| SysError::new("read", path, unknown()))
    }

    /// Durable before it returns.
    pub fn write(base: &Base, mode: Protect) -> SysResult<()> {
        papers::write_whole(
            &base.paper(PROTECTION),
            format!("{}\n", mode.code()).as_bytes(),
        )
    }

    /// The objects say themselves what protects them.
    pub fn remove(base: &Base) -> SysResult<()> {
        papers::remove(&base.paper(PROTECTION))
    }
}
