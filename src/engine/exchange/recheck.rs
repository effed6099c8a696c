//! What a batch looks at again in its course: whether all guests are quiet, whether anything changed, whether
//! leases stand. What is not as it should be is rolled back.

use super::affected::{Affected, RunningGuests};
use super::directories::Parents;
use super::job::Fate;
use super::job::{Flagged, Job, LeaseBy};
use super::names::{FileChange, still_the_same};
use super::{Batch, FlagOrder};
use crate::engine::in_parallel;
use crate::model::{GuestPath, ObjectId, Refusal};
use crate::sys::{Leased, SysResult};

impl Batch<'_, '_> {
    /// A guest may have been started since the jobs were prepared, or may not have frozen: its own jobs are over,
    /// and those of others about an object that it holds. Returns the flags that may come off: while a holder
    /// runs, its object's does not, not even for a moment. A spoiled object is taken from whoever runs as well: he has
    /// what is not his.
    pub(super) fn stop_if_running<'f>(
        &self,
        affected: &Affected,
        jobs: &[Job],
        flags: &'f [Flagged],
        changes: &mut [FileChange],
    ) -> SysResult<Vec<&'f Flagged>> {
        let running = self.running(&affected.guests)?;
        let running_holder_of = |object: &ObjectId| affected.running_holder(object, jobs, &running);
        let whole = |job: &Job| !job.old.is_spoiled();
        for (job, change) in jobs.iter().zip(changes).filter(|(job, _)| whole(job)) {
            if let Some(why) = self.in_the_way(job, &running, running_holder_of(&job.object)) {
                change.roll_back(job, &self.ground(), Fate::Refused(why))?;
            }
        }
        let still = |flag: &&Flagged| {
            flag.lease == LeaseBy::Nobody || running_holder_of(&flag.id).is_none()
        };
        Ok(flags.iter().filter(still).collect())
    }

    /// Which of these guests are not quiet.
    fn running(&self, affected: &[usize]) -> SysResult<RunningGuests> {
        let conditions = self.still.look(&self.guests_at(affected))?;
        let running = affected.iter().zip(conditions);
        Ok(running
            .filter_map(|(at, condition)| Some((*at, condition.running?)))
            .collect())
    }

    fn in_the_way(
        &self,
        job: &Job,
        running: &RunningGuests,
        holder: Option<(usize, String)>,
    ) -> Option<Refusal> {
        if let Some(who) = running.get(&job.guest) {
            return Some(Refusal::GuestRunning { who: who.clone() });
        }
        let (at, who) = holder?;
        let guest = self.holding.guests().get(at)?.name.clone();
        Some(Refusal::HolderRunning { guest, who })
    }

    /// Directories may have been moved, and files changed, before all guests were quiet: each is looked at again.
    pub(super) fn stop_if_moved(
        &self,
        jobs: &[Job],
        changes: &mut [FileChange],
        parents: &Parents,
    ) -> SysResult<()> {
        let moved = parents.moved(self.guests);
        let states = in_parallel::each(jobs, |job| job.old.file().state());
        for ((job, change), now) in jobs.iter().zip(changes).zip(states) {
            if change
                .names
                .iter()
                .any(|name| moved.contains(&name.parent.id))
            {
                let fate = Fate::Refused(Refusal::PathChanged {});
                change.roll_back(job, &self.ground(), fate)?;
            }
            if self.order == FlagOrder::FlagThenDrop {
                change.check_unchanged(job, now, &self.ground())?;
            }
        }
        Ok(())
    }

    /// Right after the exchanges: a file that is not what it was is rolled back.
    pub(super) fn look_again(&self, jobs: &[Job], changes: &mut [FileChange]) -> SysResult<()> {
        let same = in_parallel::each(jobs, still_the_same);
        for ((job, change), same) in jobs.iter().zip(changes).zip(same) {
            if let (Err(fate), Fate::Done) = (same, &change.fate) {
                change.roll_back(job, &self.ground(), fate)?;
            }
        }
        Ok(())
    }

    /// Takes leases on the objects whose flags come off: a process that opens one for writing meanwhile is seen.
    /// An object that a process has open for writing keeps its flag, and its jobs are over.
    pub fn lease_objects<'f>(
        &self,
        flags: &[&'f Flagged],
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<(Vec<&'f Flagged>, Vec<Leased>)> {
        let (mut leased, mut leases) = (Vec::new(), Vec::new());
        // An inode that becomes an object is leased by the lease of its own job, and its flag was never on.
        let by = |lease| move |flag: &&Flagged| flag.lease == lease;
        leased.extend(flags.iter().copied().filter(by(LeaseBy::Nobody)));
        let others: Vec<&Flagged> = flags.iter().copied().filter(by(LeaseBy::Batch)).collect();
        let taken = in_parallel::each(&others, |flag| {
            SysResult::Ok(Leased::take(flag.file.duplicate()?)?.ok())
        });
        for (flag, lease) in others.into_iter().zip(taken) {
            match lease? {
                Some(lease) => {
                    leased.push(flag);
                    leases.push(lease);
                }
                None => self.roll_back_all(
                    &flag.id,
                    jobs,
                    changes,
                    &Fate::Refused(Refusal::OpenForWriting {}),
                )?,
            }
        }
        Ok((leased, leases))
    }

    /// Before the commit: leases on files and objects still stand, nothing was mounted on a file, no process has
    /// come in.
    pub(super) fn last_look(
        &self,
        affected: &Affected,
        jobs: &[Job],
        leases: &[Leased],
        changes: &mut [FileChange],
    ) -> SysResult<()> {
        let covered = self.covered_in_staging(affected)?;
        let stand = in_parallel::each(jobs, |job| job.old.stands());
        for ((job, change), stands) in jobs.iter().zip(changes.iter_mut()).zip(stand) {
            change.check_lease(job, stands, &self.ground())?;
            change.check_mounts(job, &self.ground(), &covered)?;
        }
        let stand = in_parallel::each(leases, Leased::stands);
        for (lease, stands) in leases.iter().zip(stand) {
            if stands? {
                continue;
            }
            let inode = lease.file().state()?.id;
            let written = Fate::Refused(Refusal::OpenForWriting {});
            self.roll_back_where(&|_, change| change.is_about(inode), jobs, changes, &written)?;
        }
        // A process that has come in meanwhile sees the names as they are: a roll back would lift flags under it.
        Ok(())
    }

    /// Names in the staging directory of this run that something is mounted on, in any namespace.
    fn covered_in_staging(&self, affected: &Affected) -> SysResult<Vec<GuestPath>> {
        let all = self
            .still
            .covered_in_base(&self.guests_at(&affected.guests))?;
        let staging = self.run.staging.path().strip_prefix(self.base.path());
        let staging = staging.map_or(&b""[..], |path| path.as_os_str().as_encoded_bytes());
        let beneath = all.iter().filter_map(|name| {
            let rest = name.as_bytes().strip_prefix(b"/")?.strip_prefix(staging)?;
            GuestPath::new(rest).ok()
        });
        Ok(beneath.collect())
    }
}
