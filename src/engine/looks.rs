//! What a batch looks at again in its course: whether everybody is quiet, whether anything moved, whether leases stand.
//! What is not as it should be is taken back.

use super::batch::{Batch, Flagged, Job, Order};
use super::flight::{Fate, Flights};
use super::parents::Parents;
use super::quiet;
use crate::model::Refusal;
use crate::sys::{Leased, Meaning, SysResult};

impl Batch<'_, '_> {
    /// A guest may have been started since the jobs were prepared: then they are taken back. Is everybody quiet?
    pub(super) fn stop_if_running(&self, jobs: &[Job], flights: &mut [Flights]) -> SysResult<bool> {
        let Some((guest, who)) = quiet::anybody(self.concerned, &self.still.now()?)? else {
            return Ok(true);
        };
        for (job, flight) in jobs.iter().zip(flights) {
            let (guest, who) = (guest.clone(), who.clone());
            let why = if self.guests[job.guest].name == guest {
                Refusal::GuestRunning { who }
            } else {
                Refusal::HolderRunning { guest, who }
            };
            flight.take_back(job, self.run, self.base, Fate::Refused(why))?;
        }
        Ok(false)
    }

    /// Directories may have been moved, and files changed, before everything stood still: each is looked at again.
    pub(super) fn stop_if_moved(
        &self,
        jobs: &[Job],
        flights: &mut [Flights],
        parents: &Parents,
    ) -> SysResult<()> {
        let moved = parents.moved(self.guests);
        for (job, flight) in jobs.iter().zip(flights) {
            if flight
                .names
                .iter()
                .any(|name| moved.contains(&name.parent.id))
            {
                let fate = Fate::Refused(Refusal::PathChanged {});
                flight.take_back(job, self.run, self.base, fate)?;
            }
            if self.order == Order::FlagThenDrop {
                flight.check_unchanged(job, self.run, self.base)?;
            }
        }
        Ok(())
    }

    /// Leases on the objects whose flags come off: whoever opens one for writing meanwhile is seen. An object that
    /// somebody has open for writing keeps its flag, and its jobs are over.
    pub(super) fn guard(
        &self,
        flags: &[Flagged],
        jobs: &[Job],
        flights: &mut [Flights],
    ) -> SysResult<Vec<Leased>> {
        let mut guards = Vec::new();
        for flag in flags {
            let opened = match flag.file.duplicate_handle() {
                // Somebody holds a lease of its own on the object.
                Err(error) if error.meaning() == Meaning::Busy => None,
                other => Leased::take(other?)?.ok(),
            };
            match opened {
                Some(guard) => guards.push(guard),
                None => self.take_back_all(
                    &flag.id,
                    jobs,
                    flights,
                    &Fate::Refused(Refusal::OpenForWriting {}),
                )?,
            }
        }
        Ok(guards)
    }

    /// Before the commit: leases on files and objects still stand, nothing was mounted on a file, nobody has come in.
    pub(super) fn last_look(
        &self,
        jobs: &[Job],
        guards: &[Leased],
        flights: &mut [Flights],
    ) -> SysResult<()> {
        let covered = quiet::covered_in(&self.run.staging, &self.still.now()?)?;
        for (job, flight) in jobs.iter().zip(flights.iter_mut()) {
            flight.check_lease(job, self.run, self.base)?;
            flight.check_mounts(job, self.run, self.base, &covered)?;
        }
        for guard in guards {
            if guard.stands()? {
                continue;
            }
            let inode = guard.file().state()?.id;
            for (job, flight) in jobs.iter().zip(flights.iter_mut()) {
                if flight.is_about(inode) {
                    flight.take_back(
                        job,
                        self.run,
                        self.base,
                        Fate::Refused(Refusal::OpenForWriting {}),
                    )?;
                }
            }
        }
        // Whoever has come in by now sees the names as they are: taking them back would lift flags under him.
        Ok(())
    }
}
