//! Is a guest quiet? It is if it is known that no process is inside, that no other namespace has it mounted, and that
//! nothing else uses it; a frozen process does not count. And which of its names are mount points, which of its files
//! are locked, watched or open? Those a frozen process uses, too: it goes on.
//!
//! Whoever wants to know who is inside asks here.

pub(super) mod base;
pub(super) mod budget;
pub(super) mod clearing;
pub(super) mod freeze;
mod guard;

use super::Guest;
use crate::model::{FileId, GuestPath};
use crate::sys::host::machine;
use crate::sys::host::presence::{Unknown, sees_all_processes};
use crate::sys::{Cgroup, Dir, FilesInUse, Inside, Patience, Presence, SysResult};

/// What was seen of one guest.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity {
    /// What runs in it, as a sentence.
    pub running: Option<String>,
    /// Why it cannot be told whether it runs, without process ids: `running` says so too, unless it is seen to run.
    pub unknown: Option<String>,
    /// Is it seen to run, or to be in use?
    is_seen: bool,
    /// Its processes.
    pub inside: Vec<Inside>,
    /// Is it in use whoever stands still?
    pub stays_in_use: bool,
    /// Does it run, can it be frozen for a moment, and is that allowed?
    pub can_freeze: bool,
    /// Names that something is mounted on, in any namespace; sorted.
    pub covered: Vec<GuestPath>,
    /// What processes and mounts do with its files, where that was looked at ([`Sight::look_at_uses`]).
    pub uses: FilesInUse,
}

impl Activity {
    /// Is the name, or a directory on the way to it, covered by a mount?
    pub fn covers(&self, path: &GuestPath) -> bool {
        self.covered.iter().any(|mount| path.is_within(mount))
    }

    /// Why it cannot be told whether it runs, if it is not seen to run.
    pub fn unsure(&self) -> Option<String> {
        let is_seen = self.is_seen;
        self.unknown.clone().filter(|_| !is_seen)
    }

    /// Why it cannot be told which of its files are in use: then that none is seen says little.
    pub fn uses_unknown(&self) -> Option<String> {
        let some = self.uses.unknown().map(str::to_owned);
        self.unknown.clone().or(some)
    }

    /// What keeps its names from being changed.
    pub fn in_the_way(&self) -> Option<&String> {
        self.running.as_ref().filter(|_| !self.can_freeze)
    }
}

/// A look at guests, and at one more directory of ours.
pub(super) struct Sight {
    guests: Vec<FileId>,
    presence: Presence,
    /// Why there may be processes that are not seen at all.
    hidden: Option<&'static str>,
}

impl Sight {
    /// Looks at all guests at once, and at `other` last; `children` are processes of ours.
    pub fn take(
        guests: &[&Guest],
        other: Option<&Dir>,
        children: &[u32],
        patience: Patience,
    ) -> SysResult<Sight> {
        let all = guests.iter().map(|guest| &guest.root).chain(other);
        Ok(Sight {
            guests: guests.iter().map(|guest| guest.id).collect(),
            presence: Presence::look(&all.collect::<Vec<_>>(), children, patience)?,
            hidden: match () {
                () if !machine::is_root() => Some("only root sees what processes hold"),
                () if !sees_all_processes() => Some("this PID namespace hides processes"),
                () => None,
            },
        })
    }

    /// Is it about these?
    fn is_of(&self, guests: &[&Guest]) -> bool {
        self.guests.iter().eq(guests.iter().map(|guest| &guest.id))
    }

    /// What was seen of each guest. The cgroups in `still` are frozen.
    pub fn conditions(&self, still: &[Cgroup]) -> Vec<Activity> {
        let unknown = self.hidden.map(|why| Unknown {
            why: why.to_owned(),
            process: None,
        });
        let unknown = unknown.or_else(|| self.presence.unknown());
        let all = 0..self.guests.len();
        all.map(|at| self.condition(at, still, unknown.as_ref()))
            .collect()
    }

    /// Adds what is done with their files. Guests that stand still would wait for it for seconds.
    pub fn look_at_uses(&self, conditions: &mut [Activity]) {
        let uses = self.presence.files_in_use();
        for (condition, uses) in conditions.iter_mut().zip(uses) {
            condition.uses = uses;
        }
    }

    fn condition(&self, at: usize, still: &[Cgroup], unknown: Option<&Unknown>) -> Activity {
        let inside = self.presence.inside(at, still);
        let in_use = self.presence.in_use(at);
        let stays_in_use = in_use.is_some();
        let process = inside.first().map(ToString::to_string);
        let known = in_use.or(process);
        let known = known.or_else(|| self.presence.mounted_elsewhere(at, still));
        let unsure = || {
            let (why, process) = (&unknown?.why, unknown?.process);
            let process = process.map(|pid| format!(" (process {pid})"));
            Some(format!(
                "it cannot be told whether it runs: {why}{}",
                process.unwrap_or_default()
            ))
        };
        Activity {
            is_seen: known.is_some(),
            running: known.or_else(unsure),
            unknown: unknown.map(|unknown| unknown.why.clone()),
            inside,
            stays_in_use,
            can_freeze: false,
            covered: self.presence.covered(at),
            uses: FilesInUse::default(),
        }
    }
}
