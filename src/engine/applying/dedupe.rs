//! One reflink line against the world as it is: may it be done, and what came of it?
//!
//! Every fact of the plan is derived anew, as for a link line, and of the source as well. What makes the two the same
//! is nothing that is read here: the kernel compares them under its locks when it lets one have the blocks of the
//! other. So no guest has to stand still, no lease is taken, no name is exchanged, and nothing that is seen in either
//! guest changes, whoever writes meanwhile. From the moment they are open, files are known by their handles alone.

use crate::engine::Guest;
use crate::engine::exchange::job::Fate;
use crate::link::{ShareOutcome, WhyNotShared, share_blocks};
use crate::model::{
    Before, Digest, FileId, FileState, GuestName, GuestPath, Moved, Outcome, Reflink, Refusal,
};
use crate::rules::precondition::moved;
use crate::sys::guest::{Overlap, Sharing};
use crate::sys::{Meaning, Regular, SysError};

/// A reflink line that may be done.
pub(super) struct PreparedBlocks {
    file: Regular,
    state: FileState,
    source: Regular,
    before: Overlap,
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

/// Compares a line with the disk; what it comes to where nothing is left to do, or it cannot be done.
pub(super) fn prepare(
    line: &Reflink,
    guests: &[Guest],
    sharing: &Sharing,
) -> Result<Box<PreparedBlocks>, Landed> {
    let done = |shared| Err(Landed::not_done(Outcome::AlreadyDone, shared));
    match looked_at(line, guests, sharing) {
        Ok(LineNow::Ready(prepared)) => Ok(prepared),
        Ok(LineNow::AlreadyDone(shared)) => done(shared),
        Err(fate) => match fate.bad_outcome() {
            Some(outcome) => Err(Landed::not_done(outcome, 0)),
            None => done(0),
        },
    }
}

enum LineNow {
    Ready(Box<PreparedBlocks>),
    /// So many bytes are shared.
    AlreadyDone(u64),
}

fn looked_at(line: &Reflink, guests: &[Guest], sharing: &Sharing) -> Result<LineNow, Fate> {
    let guest = named(guests, &line.guest)?;
    let (file, state) = opened(guest, &line.path)?;
    let changed = |fields| Refusal::Changed { fields };
    unchanged(line.before.as_ref(), &state, changed)?;
    same_file(guest, &line.also, state.id)?;
    let guest = named(guests, &line.source.guest)?;
    let (source, of) = opened(guest, &line.source.path).map_err(of_source)?;
    if state.id == of.id {
        return Ok(LineNow::AlreadyDone(state.allocated()));
    }
    let before = file.overlap(&source).map_err(failed)?;
    if before.is_whole() && before.together > 0 {
        // Whatever became of the source: a hard link of the same plan may have made it an object since.
        return Ok(LineNow::AlreadyDone(before.together));
    }
    let changed = |fields| Refusal::SourceChanged { fields };
    unchanged(line.source_before.as_ref(), &of, changed)?;
    if state.size != line.size || of.size != line.size {
        return Err(Fate::Refused(Refusal::DiffersFromSource {}));
    }
    can_be_shared(&file, &source, sharing)?;
    if before.is_whole() {
        return Ok(LineNow::AlreadyDone(before.together));
    }
    let own = sharing.room(&file, state.allocated()).own;
    Ok(LineNow::Ready(Box::new(PreparedBlocks {
        file,
        state,
        source,
        before,
        own,
    })))
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
fn can_be_shared(file: &Regular, source: &Regular, sharing: &Sharing) -> Result<(), Fate> {
    let flags = [file, source].map(Regular::flags);
    let [flags, source_flags] = flags;
    let (flags, source_flags) = (flags.map_err(failed)?, source_flags.map_err(failed)?);
    if Regular::means_immutable(flags) {
        return Err(Fate::Refused(Refusal::Unchangeable {}));
    }
    let written_in_place = |flags| Regular::means_no_copy_on_write(flags);
    if written_in_place(flags) || written_in_place(source_flags) || !sharing.is_possible(file) {
        return Err(Fate::Refused(Refusal::NoCopyOnWrite {}));
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(error: SysError) -> Fate {
    Fate::Failed(error.to_string())
}

impl PreparedBlocks {
    /// Lets the file have the blocks of its source, and judges by the extent maps what it has then.
    pub fn land(&self, sharing: &Sharing) -> Landed {
        let shared = share_blocks(&self.source, &self.file, self.state.size);
        let now = match self.file.overlap(&self.source) {
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
            Ok(ShareOutcome::Same) if now.together <= self.before.together => {
                refused(Refusal::NothingShareable {})
            }
            Ok(ShareOutcome::Same) => Landed {
                outcome: done(self.own.saturating_sub(self.own_now(sharing))),
                shared: now.together,
                is_partial: !now.is_whole(),
            },
            Err(error) => match WhyNotShared::of(&error) {
                Some(why) => refused(why_not(why)),
                None => Landed::not_done(Outcome::Failed(error.to_string()), now.together),
            },
        }
    }

    /// The same without a change: proves by reading that the kernel would find them the same.
    pub fn rehearse(&self) -> Landed {
        let outcome = match self.file.same_content(&self.source, self.state.size) {
            Ok(true) => done(self.own),
            Ok(false) => Outcome::Refused(Refusal::DiffersFromSource {}),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        Landed::not_done(outcome, self.before.together)
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

    fn own_now(&self, sharing: &Sharing) -> u64 {
        let allocated = self.file.state().map(|state| state.allocated());
        let allocated = allocated.unwrap_or(self.state.allocated());
        sharing.room(&self.file, allocated).own
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
