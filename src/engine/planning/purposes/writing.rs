//! A plan is written.

use std::io;
use std::path::Path;

use super::{Decided, Purpose};
use crate::engine::EngineError;
use crate::engine::planning::evidence::Evidence;
use crate::engine::planning::lines::{Emitter, Lines, Stretch};
use crate::engine::planning::output::{Output, OutputFile};
use crate::engine::planning::survey::Survey;
use crate::ledger::{Encoded, Form, PlanWriter};
use crate::model::{Action, Database, DatabaseState, Header, PlanDigest, PlannedGuest, Summary};

/// A plan that was written.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its header.
    pub header: Header,
    /// Its guests.
    pub guests: Vec<PlannedGuest>,
    /// Its counts.
    pub summary: Summary,
    /// Its digests.
    pub digest: PlanDigest,
}

impl Planned {
    /// Was not all of the guests read, or was one of them left out?
    pub fn is_partial(&self) -> bool {
        let damaged = |database: &Database| database.state == DatabaseState::Damaged;
        self.guests.iter().any(|guest| {
            guest.unread > 0 || guest.left_out.is_some() || guest.databases.iter().any(damaged)
        })
    }
}

/// Where a plan goes, and who sees each action as it is written.
pub struct WritePlan<'e> {
    output: Option<Output>,
    file: Option<OutputFile>,
    each: &'e mut dyn FnMut(&Action),
}

impl<'e> WritePlan<'e> {
    /// Nothing is opened yet.
    pub fn to(output: Output, each: &'e mut dyn FnMut(&Action)) -> WritePlan<'e> {
        WritePlan {
            output: Some(output),
            file: None,
            each,
        }
    }
}

impl Purpose for WritePlan<'_> {
    const KEEPS_MISSES: bool = false;
    type Made = Planned;

    fn prepare(&mut self, places: &[&Path]) -> Result<(), EngineError> {
        if let Some(output) = self.output.take() {
            self.file = Some(OutputFile::create(output, places)?);
        }
        Ok(())
    }

    fn renames_in(&self) -> Vec<&Path> {
        let directory = self.file.as_ref().and_then(OutputFile::directory);
        directory.into_iter().collect()
    }

    fn finish(
        self,
        found: &Evidence<'_>,
        header: Header,
        decided: Decided<'_>,
    ) -> Result<Planned, EngineError> {
        let file = match self.file {
            Some(file) => file,
            None => OutputFile::create(Output::Stream(Box::new(io::sink())), &[])?,
        };
        write(found, file, header, decided, self.each)
    }
}

fn write(
    found: &Evidence<'_>,
    file: OutputFile,
    header: Header,
    decided: Decided<'_>,
    each: &mut dyn FnMut(&Action),
) -> Result<Planned, EngineError> {
    let guests: Vec<PlannedGuest> = found.surveys.iter().map(Survey::planned).collect();
    let Decided {
        classified,
        choices,
        mut sum,
        misses: _,
    } = decided;
    let (mut out, form) = file.writer().map_err(EngineError::Output)?;
    let mut writer =
        PlanWriter::new(&mut out, form, &header, &guests).map_err(EngineError::Output)?;
    let emitters = (0u32..).zip(found.surveys).zip(&classified);
    let emitters = emitters.map(|((guest, survey), judged)| Emitter {
        guest,
        survey,
        judged,
        choices: &choices,
        detail: found.policy().skips,
        sharing: found.sharing,
        kind: header.kind(),
    });
    let taking_part = emitters.filter(|emitter| emitter.survey.left_out.is_none());
    let stretches = taking_part.flat_map(Emitter::stretches);
    let make = |stretch: Stretch<'_>| encoded(&stretch, form);
    found.threads.make_ahead(stretches, make, |made| {
        let (lines, encoded) = made.map_err(EngineError::Output)?;
        for action in &lines.actions {
            sum.action(action);
            each(action);
        }
        sum.caveats(lines.caveats);
        writer.actions(encoded).map_err(EngineError::Output)
    })?;
    let summary = sum.finish();
    let digest = writer.finish(&summary).map_err(EngineError::Output)?;
    out.publish()?;
    Ok(Planned {
        header,
        guests,
        summary,
        digest,
    })
}

fn encoded(stretch: &Stretch<'_>, form: Form) -> io::Result<(Lines, Encoded)> {
    let lines = stretch.lines();
    let encoded = Encoded::new(form, &lines.actions)?;
    Ok((lines, encoded))
}
