//! Compares the files of one path in several guests: what keeps them apart?

use crate::engine::sources::open_planned;
use crate::engine::{EngineError, WholePlan};
use crate::model::{Compared, GuestName, GuestPath, Ignored, Moved, PlannedGuest};
use crate::rules::precondition::metadata_differs;
use crate::sys::SysResult;
use crate::sys::guest::GuestFile;

/// What keeps files apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sameness<'a> {
    /// They shall be one inode: content and metadata, but for what the policy ignores.
    OfInode(&'a [Ignored]),
    /// They shall have blocks in common, and each keeps its metadata.
    OfContent,
}

/// The file of `path` in all other guests that have a regular file there and can be reached, compared as the plan
/// does.
pub(super) fn compare(
    whole: &WholePlan,
    own: &GuestName,
    path: &GuestPath,
    by: Sameness<'_>,
) -> Result<Vec<Compared>, EngineError> {
    let guests = &whole.guests;
    let mine = guests.iter().find(|guest| guest.name == *own);
    let Some(mine) = mine.and_then(|guest| open(guest, path)) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for guest in guests.iter().filter(|guest| guest.name != *own) {
        let Some(other) = open(guest, path) else {
            continue;
        };
        all.push(Compared {
            guest: guest.name.clone(),
            differs: by.differs(&mine, &other)?,
        });
    }
    Ok(all)
}

impl Sameness<'_> {
    /// Content is read only where the lengths are equal.
    fn differs(self, a: &GuestFile, b: &GuestFile) -> SysResult<Vec<Moved>> {
        let (size, other) = (a.state()?.size, b.state()?.size);
        let mut fields = match self {
            Sameness::OfInode(ignore) => {
                metadata_differs(&a.metadata(ignore)?, &b.metadata(ignore)?, ignore)
            }
            Sameness::OfContent => Vec::new(),
        };
        if size != other {
            fields.push(Moved::Size);
        } else if !a.same_content(b, size)? {
            fields.push(Moved::Content);
        }
        fields.sort();
        Ok(fields)
    }
}

/// `None` where there is no such regular file, or none that can be read.
fn open(planned: &PlannedGuest, path: &GuestPath) -> Option<GuestFile> {
    let files = open_planned(planned).ok()?;
    files.open_regular(path.relative()).ok()?
}
