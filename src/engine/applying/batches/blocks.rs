//! Batches of reflinks: what is about to be shared is in the journal before it is, and in the receipt when it is on the
//! disk. A crash in between leaves every file with its content; the journal says then which maps to look at.
//!
//! The files of a batch get their blocks in parallel, which nothing else that changes files does: each is changed by
//! calls of its own that say nothing of the others, nobody sees in which order, and a batch is one record for healing.

use super::{AfterProof, ApplyLoop};
use crate::engine::applying::dedupe::{Landed, PreparedBlocks, PreparedLine, prepare};
use crate::engine::applying::plan_lines::PlanLines;
use crate::engine::receipt_file::{common_blocks, reflink_line};
use crate::engine::{EngineError, in_parallel};
use crate::ledger::journal::Record;
use crate::model::{Action, Event, Observer, Outcome, Reflink, Refusal};
use crate::sys::SysResult;
use crate::sys::host::signals::Stop;

impl ApplyLoop<'_, '_> {
    /// Takes the next line of this kind. A full batch is done first.
    pub fn take_blocks(
        &mut self,
        line: Reflink,
        stop: &Stop,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        if self.maintained.contains(&line.guest) {
            let refused = Outcome::Refused(Refusal::BeingMaintained {});
            self.receipt.add(&reflink_line(&line, 0, refused))?;
            return Ok(());
        }
        let lines = self.pace.actions_left(&self.receipt.result);
        let names = self.pace.names_a_batch(usize::MAX);
        if !self.blocks.has_room_for(&line, lines, names) {
            self.land_blocks(observer)?;
            self.keep_pace(stop);
        }
        self.blocks.gather(line);
        Ok(())
    }

    /// Does all lines of this kind before any other: their sources are what the plan saw, and hard links change that.
    pub fn take_blocks_first(
        &mut self,
        plan: &mut dyn PlanLines,
        stop: &Stop,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        let mut lines = plan.lines()?;
        while let Some(action) = lines.next_line()? {
            if let Action::Reflink(line) = action {
                self.take_blocks(line, stop, observer)?;
                if self.is_over(stop) {
                    return Ok(());
                }
            }
        }
        self.land_blocks(observer)?;
        self.blocks.end();
        Ok(())
    }

    /// After a batch of either kind.
    pub fn keep_pace(&mut self, stop: &Stop) {
        let names = self.receipt.result.totals.names;
        self.pace.keep(names - self.paced, stop);
        self.paced = names;
    }

    /// Does what is left, and tells of what could not be shared whole.
    pub fn end_blocks(&mut self, stop: &Stop, observer: &dyn Observer) -> Result<(), EngineError> {
        self.land_blocks(observer)?;
        // What was done may be all that was allowed.
        self.is_over(stop);
        let partial = self.blocks.partial();
        if partial > 0 {
            observer.notice(&Event::Warning(&format!(
                "files that share only some of their blocks with their source, by what the file system tells: {partial}"
            )));
        }
        Ok(())
    }

    fn land_blocks(&mut self, observer: &dyn Observer) -> Result<(), EngineError> {
        let lines = self.blocks.take();
        if lines.is_empty() {
            return Ok(());
        }
        let landed = self.landed(&lines);
        landed.map_err(|error| EngineError::halted(self.base, error))?;
        observer.notice(&Event::Advance(lines.len() as u64));
        Ok(())
    }

    fn landed(&mut self, lines: &[Reflink]) -> SysResult<()> {
        let (guests, sharing) = (self.guests, self.sharing);
        let is_edited = self.is_edited;
        let held = |(line, prepared): (&Reflink, PreparedLine)| {
            let prepared = prepared?;
            // The kernel compares the two, and nobody what the plan says of them: that would be in the receipt.
            match is_edited.then(|| prepared.holds(&line.content)).flatten() {
                Some(not) => Err(not),
                None => Ok(prepared),
            }
        };
        let prepared = prepare(lines, guests, sharing);
        let prepared: Vec<_> = lines.iter().zip(prepared).map(held).collect();
        let all = || lines.iter().zip(&prepared);
        let ready = all().filter_map(|(line, one)| Some((line, &**one.as_ref().ok()?)));
        let mut landed = self.land_ready(&ready.collect::<Vec<_>>())?.into_iter();
        for (line, prepared) in all() {
            let landed = match prepared {
                Ok(_) => landed.next(),
                Err(not_done) => Some(not_done.clone()),
            };
            if let Some(landed) = landed {
                self.blocks.tell_of(landed.is_partial);
                let told = reflink_line(line, landed.shared, landed.outcome);
                self.receipt.add(&told)?;
            }
        }
        self.receipt.sync()?;
        match &mut self.landing {
            AfterProof::Execute { journal, .. } => journal.write_done(),
            AfterProof::Rehearse(_) => Ok(()),
        }
    }

    /// What becomes of the lines that may be done: it is on the disk when this returns.
    fn land_ready(&mut self, ready: &[(&Reflink, &PreparedBlocks)]) -> SysResult<Vec<Landed>> {
        let AfterProof::Execute { journal, .. } = &mut self.landing else {
            return Ok(in_parallel::each(ready, |(_, one)| one.rehearse()));
        };
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let announced = ready.iter().map(|(line, _)| Record::Blocks {
            seq: journal.number(),
            blocks: common_blocks(line, 0),
        });
        let announced: Vec<Record> = announced.collect();
        journal.write_durably(&announced)?;
        let sharing = self.sharing;
        let landed = in_parallel::each(ready, |(_, one)| one.land(sharing));
        self.base.dir().sync_filesystem()?;
        Ok(landed)
    }
}
