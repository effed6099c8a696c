//! Reflink lines against the world as it is: may they be done, and what came of them?
//!
//! Every fact of the plan is derived anew, as for a link line, and of the source as well. What makes the two the same
//! is nothing that is read here: the kernel compares them under its locks when it lets one have the blocks of the
//! other. So no guest has to stand still, no lease is taken, no name is exchanged, and nothing that is seen in either
//! guest changes, whoever writes meanwhile. From the moment they are open, files are known by their handles alone.
//!
//! A file whose blocks several others get is opened once for all of them, and asked once where it lies.

use std::cell::LazyCell;
use std::sync::Arc;

use crate::engine::exchange::job::Fate;
use crate::engine::{Guest, in_parallel};
use crate::link::{ShareOutcome, WhyNotShared, share_blocks};
use crate::model::{
    Before, BlockSource, Digest, FileId, FileState, GuestName, GuestPath, Moved, Outcome, Reflink,
    Refusal,
};
use crate::rules::precondition::moved;
use crate::sys::guest::{HeldMap, Overlap, Sharing};
use crate::sys::{Meaning, Regular, SysError, SysResult};

/// A reflink line that may be done.
pub(super) struct PreparedBlocks {
    file: Regular,
    state: FileState,
    source: Arc<OpenSource>,
    before: Lies,
}

/// The file whose blocks others get.
struct OpenSource {
    file: Regular,
    state: FileState,
    flags: u32,
    map: Option<HeldMap>,
}

/// How a file lies beside its source.
struct Lies {
    overlap: Overlap,
    /// Bytes that nothing else has.
    own: u64,
}

/// What became of a line.
#[derive(Debug, Clone)]
pub(super) struct Landed {
    pub outcome: Outcome,
    /// Bytes that it has in common with its source.
    pub shared: u64,
    /// Data of it that could not be shared, though the line was done.
    pub is_partial: bool,
}

impl Landed {
    fn not_done(outcome: Outcome, shared: u64) -> Landed {
        Landed {
            outcome,
            shared,
            is_partial: false,
        }
    }
}

/// A line that may be done, or what it comes to where nothing is left to do, or it cannot be done.
pub(super) type PreparedLine = Result<Box<PreparedBlocks>, Landed>;

/// Compares each line with the disk. Those of one source are looked at together where they stand beside each other.
pub(super) fn prepare(lines: &[Reflink], guests: &[Guest], sharing: &Sharing) -> Vec<PreparedLine> {
    let of_one: Vec<_> = lines.chunk_by(|a, b| a.source == b.source).collect();
    let prepared = in_parallel::each(&of_one, |lines| prepare_some(lines, guests, sharing));
    prepared.into_iter().flatten().collect()
}

/// Lines of one source.
fn prepare_some(lines: &[Reflink], guests: &[Guest], sharing: &Sharing) -> Vec<PreparedLine> {
    let source = || opened_source(lines.first(), guests).map(Arc::new);
    let source = LazyCell::new(source);
    let looked = |line| looked_at(line, || source.clone(), guests, sharing);
    let done = |shared| Landed::not_done(Outcome::AlreadyDone, shared);
    let prepared = |line| match looked(line) {
        Ok(LineNow::Ready(prepared)) => Ok(prepared),
        Ok(LineNow::AlreadyDone(shared)) => Err(done(shared)),
        Err(fate) => Err(match fate.bad_outcome() {
            Some(outcome) => Landed::not_done(outcome, 0),
            None => done(0),
        }),
    };
    lines.iter().map(prepared).collect()
}

enum LineNow {
    Ready(Box<PreparedBlocks>),
    /// So many bytes are shared.
    AlreadyDone(u64),
}

fn looked_at(
    line: &Reflink,
    source: impl FnOnce() -> Result<Arc<OpenSource>, Fate>,
    guests: &[Guest],
    sharing: &Sharing,
) -> Result<LineNow, Fate> {
    let guest = named(guests, &line.guest)?;
    let (file, state) = opened(guest, &line.path)?;
    let changed = |fields| Refusal::Changed { fields };
    unchanged(line.before.as_ref(), &state, changed)?;
    same_file(guest, &line.also, state.id)?;
    let source = source()?;
    if state.id == source.state.id {
        return Ok(LineNow::AlreadyDone(state.allocated()));
    }
    let before = Lies::beside(&source, &file, &state, sharing).map_err(failed)?;
    let together = before.overlap.together;
    if before.overlap.is_whole() && together > 0 {
        // Whatever became of the source: a hard link of the same plan may have made it an object since.
        return Ok(LineNow::AlreadyDone(together));
    }
    let changed = |fields| Refusal::SourceChanged { fields };
    unchanged(line.source_before.as_ref(), &source.state, changed)?;
    if state.size != line.size || source.state.size != line.size {
        return Err(Fate::Refused(Refusal::DiffersFromSource {}));
    }
    can_be_shared(&file, &source, sharing)?;
    if before.overlap.is_whole() {
        return Ok(LineNow::AlreadyDone(together));
    }
    Ok(LineNow::Ready(Box::new(PreparedBlocks {
        file,
        state,
        source,
        before,
    })))
}

fn opened_source(line: Option<&Reflink>, guests: &[Guest]) -> Result<OpenSource, Fate> {
    let gone = || Fate::Refused(Refusal::SourceGone {});
    let BlockSource { guest, path } = &line.ok_or_else(gone)?.source;
    let guest = named(guests, guest)?;
    let (file, state) = opened(guest, path).map_err(of_source)?;
    Ok(OpenSource {
        flags: file.flags().map_err(failed)?,
        map: file.held_map(state.size).map_err(failed)?,
        file,
        state,
    })
}

fn named<'g>(guests: &'g [Guest], name: &GuestName) -> Result<&'g Guest, Fate> {
    let guest = guests.iter().find(|guest| guest.name == *name);
    guest.ok_or(Fate::Refused(Refusal::RootChanged {}))
}

fn opened(guest: &Guest, path: &GuestPath) -> Result<(Regular, FileState), Fate> {
    let opened = guest.root.open_regular_seen(path.relative());
    let opened = opened.map_err(|error| match error.meaning() {
        // A process of the guest holds a write lease, and must not be waited for.
        Meaning::Busy => Fate::Refused(Refusal::OpenForWriting {}),
        _ => Fate::from_path_error(&error),
    })?;
    let fields = vec![Moved::Type];
    opened.ok_or(Fate::Refused(Refusal::Changed { fields }))
}

/// What is wrong with the name of the source, told so that nobody takes it for the file's.
fn of_source(fate: Fate) -> Fate {
    Fate::Refused(match fate {
        Fate::Refused(Refusal::Gone {} | Refusal::PathChanged {}) => Refusal::SourceGone {},
        Fate::Refused(Refusal::Changed { fields }) => Refusal::SourceChanged { fields },
        other => return other,
    })
}

fn unchanged(
    before: Option<&Before>,
    now: &FileState,
    refusal: impl Fn(Vec<Moved>) -> Refusal,
) -> Result<(), Fate> {
    let before = before.ok_or_else(|| Fate::Failed("the line has no evidence".into()))?;
    let fields = moved(before, now);
    match fields.is_empty() {
        true => Ok(()),
        false => Err(Fate::Refused(refusal(fields))),
    }
}

/// Is every other name of the line a name of the same file?
fn same_file(guest: &Guest, also: &[GuestPath], file: FileId) -> Result<(), Fate> {
    for name in also {
        let seen = guest.root.look(name.relative());
        let seen = seen.map_err(|error| Fate::from_path_error(&error))?.id;
        if seen != file {
            let fields = vec![Moved::Ino];
            return Err(Fate::Refused(Refusal::Changed { fields }));
        }
    }
    Ok(())
}

/// Says early, and with its reason, what the kernel would refuse without one.
fn can_be_shared(file: &Regular, source: &OpenSource, sharing: &Sharing) -> Result<(), Fate> {
    let flags = file.flags().map_err(failed)?;
    if Regular::means_immutable(flags) {
        return Err(Fate::Refused(Refusal::Unchangeable {}));
    }
    let written_in_place = Regular::means_no_copy_on_write;
    if written_in_place(flags) || written_in_place(source.flags) || !sharing.is_possible(file) {
        return Err(Fate::Refused(Refusal::NoCopyOnWrite {}));
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(error: SysError) -> Fate {
    Fate::Failed(error.to_string())
}

impl Lies {
    /// By the map of the source as it was when it was opened, where it is short enough to be held.
    fn beside(
        source: &OpenSource,
        file: &Regular,
        state: &FileState,
        sharing: &Sharing,
    ) -> SysResult<Lies> {
        let allocated = state.allocated();
        if let (Some(map), Some(theirs)) = (file.held_map(state.size)?, &source.map) {
            return Ok(Lies {
                overlap: map.overlap(theirs),
                own: map.room(allocated).own,
            });
        }
        Ok(Lies {
            overlap: file.overlap(&source.file)?,
            own: sharing.room(file, allocated).own,
        })
    }
}

impl PreparedBlocks {
    /// Lets the file have the blocks of its source, and judges by the extent maps what it has then.
    pub fn land(&self, sharing: &Sharing) -> Landed {
        let shared = share_blocks(&self.source.file, &self.file, self.state.size);
        let Lies { overlap: now, own } = match self.lies_now(sharing) {
            Ok(now) => now,
            // What may be shared is remembered: undo asks the map again.
            Err(error) => {
                let size = self.state.size.max(1);
                return Landed::not_done(Outcome::Failed(error.to_string()), size);
            }
        };
        let refused = |why| Landed::not_done(Outcome::Refused(why), now.together);
        match shared {
            Ok(ShareOutcome::Differs { .. }) => refused(Refusal::DiffersFromSource {}),
            Ok(ShareOutcome::Same) if now.together <= self.before.overlap.together => {
                refused(Refusal::NothingShareable {})
            }
            Ok(ShareOutcome::Same) => Landed {
                outcome: done(self.before.own.saturating_sub(own)),
                shared: now.together,
                is_partial: !now.is_whole(),
            },
            Err(error) => match WhyNotShared::of(&error) {
                Some(why) => refused(why_not(why)),
                None => Landed::not_done(Outcome::Failed(error.to_string()), now.together),
            },
        }
    }

    /// The map of the source that is held is believed where it shows all data together: the file did not come to lie
    /// there by itself. Elsewhere both are asked, for the source may lie at another place by now.
    fn lies_now(&self, sharing: &Sharing) -> SysResult<Lies> {
        let mut now = Lies::beside(&self.source, &self.file, &self.state, sharing)?;
        if !now.overlap.is_whole() {
            now.overlap = self.file.overlap(&self.source.file)?;
        }
        Ok(now)
    }

    /// The same without a change: proves by reading that the kernel would find them the same.
    pub fn rehearse(&self) -> Landed {
        let outcome = match self.file.same_content(&self.source.file, self.state.size) {
            Ok(true) => done(self.before.own),
            Ok(false) => Outcome::Refused(Refusal::DiffersFromSource {}),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        Landed::not_done(outcome, self.before.overlap.together)
    }

    /// What the line comes to if this is not its content.
    pub fn holds(&self, content: &Digest) -> Option<Landed> {
        let fields = vec![Moved::Content];
        let outcome = match self.file.digest(self.state.size) {
            Ok(now) if now == *content => return None,
            Ok(_) => Outcome::Refused(Refusal::Changed { fields }),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        Some(Landed::not_done(outcome, 0))
    }
}

fn done(saved: u64) -> Outcome {
    Outcome::Done {
        made: None,
        saved,
        mtime: None,
    }
}

fn why_not(why: WhyNotShared) -> Refusal {
    match why {
        WhyNotShared::Immutable => Refusal::Unchangeable {},
        WhyNotShared::Unsupported => Refusal::NoCopyOnWrite {},
        WhyNotShared::NoRoom => Refusal::NoRoom {},
        WhyNotShared::OtherFilesystem => Refusal::OtherFilesystem {},
    }
}
