//! What a batch looks at again in its course: whether everybody is quiet, whether anything moved, whether leases stand.
//! What is not as it should be is taken back.

use super::affected::{Concerned, Moving};
use super::directories::Parents;
use super::job::Fate;
use super::job::{Flagged, Job};
use super::names::{Flights, still_the_same};
use super::{Batch, Order};
use crate::engine::{activity, in_parallel};
use crate::model::{ObjectId, Refusal};
use crate::sys::{Leased, SysResult};

impl Batch<'_, '_> {
    /// A guest may have been started since the jobs were prepared, or does not stand still: its own jobs are over, and
    /// those of others about an object that it holds. Returns the flags that may come off: while a holder runs, its
    /// object's does not, not even for a moment.
    pub(super) fn stop_if_running<'f>(
        &self,
        concerned: &Concerned,
        jobs: &[Job],
        flags: &'f [Flagged],
        flights: &mut [Flights],
    ) -> SysResult<Vec<&'f Flagged>> {
        let moving = self.moving(&concerned.guests)?;
        let in_motion = |object: &ObjectId| concerned.moving_holder(object, jobs, &moving);
        for (job, flight) in jobs.iter().zip(flights) {
            if let Some(why) = self.in_the_way(job, &moving, in_motion(&job.object)) {
                flight.take_back(job, self.run, self.base, Fate::Refused(why))?;
            }
        }
        let still = |flag: &&Flagged| in_motion(&flag.id).is_none();
        Ok(flags.iter().filter(still).collect())
    }

    /// Who of these guests is not quiet.
    fn moving(&self, concerned: &[usize]) -> SysResult<Moving> {
        let conditions = self.still.look(&self.guests_at(concerned))?;
        let moving = concerned.iter().zip(conditions);
        Ok(moving
            .filter_map(|(at, condition)| Some((*at, condition.running?)))
            .collect())
    }

    fn in_the_way(
        &self,
        job: &Job,
        moving: &Moving,
        holder: Option<(usize, String)>,
    ) -> Option<Refusal> {
        if let Some(who) = moving.get(&job.guest) {
            return Some(Refusal::GuestRunning { who: who.clone() });
        }
        let (at, who) = holder?;
        let guest = self.holding.guests().get(at)?.name.clone();
        Some(Refusal::HolderRunning { guest, who })
    }

    /// Directories may have been moved, and files changed, before everything stood still: each is looked at again.
    pub(super) fn stop_if_moved(
        &self,
        jobs: &[Job],
        flights: &mut [Flights],
        parents: &Parents,
    ) -> SysResult<()> {
        let moved = parents.moved(self.guests);
        let states = in_parallel::each(jobs, |job| job.old.file().state());
        for ((job, flight), now) in jobs.iter().zip(flights).zip(states) {
            if flight
                .names
                .iter()
                .any(|name| moved.contains(&name.parent.id))
            {
                let fate = Fate::Refused(Refusal::PathChanged {});
                flight.take_back(job, self.run, self.base, fate)?;
            }
            if self.order == Order::FlagThenDrop {
                flight.check_unchanged(job, now, self.run, self.base)?;
            }
        }
        Ok(())
    }

    /// Right after the exchanges: what is not what it was goes back.
    pub(super) fn look_again(&self, jobs: &[Job], flights: &mut [Flights]) -> SysResult<()> {
        let same = in_parallel::each(jobs, still_the_same);
        for ((job, flight), same) in jobs.iter().zip(flights).zip(same) {
            if let (Err(fate), Fate::Done) = (same, &flight.fate) {
                flight.take_back(job, self.run, self.base, fate)?;
            }
        }
        Ok(())
    }

    /// Leases on the objects whose flags come off: whoever opens one for writing meanwhile is seen. An object that
    /// somebody has open for writing keeps its flag, and its jobs are over.
    pub fn guard(
        &self,
        flags: &[&Flagged],
        jobs: &[Job],
        flights: &mut [Flights],
    ) -> SysResult<Vec<Leased>> {
        let mut guards = Vec::new();
        // An inode that becomes an object is guarded by the lease of its own job, and its flag was never on.
        let others = flags.iter().copied().filter(|flag| !flag.adopted);
        let others: Vec<&Flagged> = others.collect();
        let taken = in_parallel::each(&others, |flag| {
            SysResult::Ok(Leased::take(flag.file.duplicate()?)?.ok())
        });
        for (flag, guard) in others.into_iter().zip(taken) {
            match guard? {
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
        let covered = activity::covered_in(&self.run.staging, &self.still.now()?)?;
        let stand = in_parallel::each(jobs, |job| job.old.stands());
        for ((job, flight), stands) in jobs.iter().zip(flights.iter_mut()).zip(stand) {
            flight.check_lease(job, stands, self.run, self.base)?;
            flight.check_mounts(job, self.run, self.base, &covered)?;
        }
        let stand = in_parallel::each(guards, Leased::stands);
        for (guard, stands) in guards.iter().zip(stand) {
            if stands? {
                continue;
            }
            let inode = guard.file().state()?.id;
            let written = Fate::Refused(Refusal::OpenForWriting {});
            self.take_back_where(&|_, flight| flight.is_about(inode), jobs, flights, &written)?;
        }
        // Whoever has come in by now sees the names as they are: taking them back would lift flags under him.
        Ok(())
    }
}
