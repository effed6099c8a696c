//! Who has written to shared files, and what those meet who write now: what `status` tells of both.

use crate::base::Base;
use crate::engine::protection;
use crate::engine::records::writers::writes_met::summed_up;
use crate::model::{Broken, Sign, WritersMeet};
use crate::rules::selectors::Selection;
use crate::sys::SysResult;
use crate::sys::guard::Heart;

/// What the selected guests wrote to shared files.
pub(super) fn written(base: &Base, selection: &Selection) -> SysResult<Broken> {
    let mut written = summed_up(base)?;
    written.guests.retain(|one| selection.has_guest(&one.guest));
    written.used.retain(|one| selection.has_guest(&one.guest));
    Ok(written)
}

/// Who may not read it is told nothing.
pub(super) fn met_by_writers(base: &Base) -> SysResult<Option<WritersMeet>> {
    match protection::sign(base) {
        Sign::Mark => Heart::open()?.map(|heart| heart.met()).transpose(),
        _ => Ok(None),
    }
}
