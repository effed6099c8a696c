//! The runs of a base: where their papers are, and what goes with them.

use std::path::PathBuf;

use super::{Base, places};
use crate::model::RunId;
use crate::sys::host::machine;
use crate::sys::own::papers;
use crate::sys::{Dir, SysError, SysResult};

/// The directories of one run.
#[derive(Debug)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// `staging/RUN`: what is in flight.
    pub staging: Dir,
    /// `runs/RUN`: plan, journal, receipt.
    pub papers: PathBuf,
}

impl Base {
    /// Makes the directories of a new run, the next of this base. The caller holds the lock.
    pub fn begin_run(&self) -> SysResult<Run> {
        // Two that begin at once would have one name.
        let _turn = self.turn()?;
        let last = self.runs()?.iter().map(RunId::count).max().unwrap_or(0);
        let id = RunId::new(&machine::stamp(), last.saturating_add(1));
        let id = id.map_err(|error| {
            SysError::new("name a run of", self.path(), std::io::Error::other(error))
        })?;
        let name = id.to_string();
        let papers = self.path().join("runs").join(&name);
        self.end_inheritance()?;
        papers::ensure_dir(&papers)?;
        self.staging().make_dir(name.as_bytes())?;
        Ok(Run {
            staging: self.staging().open_dir(name.as_bytes())?,
            id,
            papers,
        })
    }

    /// Makes the directory of what is in flight anew for a run that is over, which goes on by that. `None` where it is
    /// not over. The caller has the turn.
    pub fn resume_run(&self, run: &RunId) -> SysResult<Option<Run>> {
        let name = run.to_string();
        if SysError::absent(self.staging().look(name.as_bytes()))?.is_some() {
            return Ok(None);
        }
        self.staging().make_dir(name.as_bytes())?;
        Ok(Some(Run {
            staging: self.staging().open_dir(name.as_bytes())?,
            papers: self.path().join("runs").join(&name),
            id: run.clone(),
        }))
    }

    /// Removes the empty staging directory of a run that is over.
    pub fn end_run(&self, run: &Run) -> SysResult<()> {
        self.staging().remove_dir(run.id.to_string().as_bytes())
    }

    /// Removes all that a run left, where it was called off before it touched anything.
    pub fn forget_run(&self, run: &Run) -> SysResult<()> {
        self.end_run(run)?;
        for name in papers::entries(&run.papers)? {
            papers::remove(&run.papers.join(name))?;
        }
        papers::remove_empty_dir(&run.papers)
    }

    /// Names of all runs that left papers, in their order.
    pub fn runs(&self) -> SysResult<Vec<RunId>> {
        let names = papers::entries(&self.path().join("runs"))?;
        let mut runs: Vec<RunId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        runs.sort();
        Ok(runs)
    }

    /// The papers of a run.
    pub fn run_paper(&self, run: &RunId, name: &str) -> PathBuf {
        self.path().join("runs").join(run.to_string()).join(name)
    }

    /// The papers that a run left, and their allocated bytes; of a run that `is_needed` the journal alone.
    pub fn run_papers(&self, run: &RunId, is_needed: bool) -> SysResult<(Vec<PathBuf>, u64)> {
        let dir = self.path().join("runs").join(run.to_string());
        let (mut files, mut bytes) = (Vec::new(), 0);
        for name in papers::entries(&dir)? {
            if is_needed && name != places::JOURNAL {
                continue;
            }
            bytes += papers::allocated(&dir.join(&name))?;
            files.push(dir.join(name));
        }
        Ok((files, bytes))
    }

    /// Removes these of them, and their directory when that is empty. The caller holds the lock.
    pub fn remove_papers(&self, run: &RunId, files: &[PathBuf]) -> SysResult<()> {
        files.iter().try_for_each(|file| papers::remove(file))?;
        let dir = self.path().join("runs").join(run.to_string());
        match papers::entries(&dir)?.is_empty() {
            true => papers::remove_empty_dir(&dir),
            false => Ok(()),
        }
    }
}
