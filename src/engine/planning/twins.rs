//! A plan for files of which it is known already which objects they equal: those of a guest that was just cloned.
//! Nothing is scanned and nothing compared, for `apply` proves each line anew, as it proves all lines.

use std::io::Write;

use super::header;
use super::options::PlanOptions;
use super::seen_base::{look_at_base, open_base};
use super::survey::OpenedGuest;
use crate::engine::guest::base_path;
use crate::engine::{EngineError, Guest, guest};
use crate::ledger::{Encoded, Form, PlanWriter};
use crate::model::{Action, Before, GuestPath, Link, LinkReason, ObjectId, Observer, PlannedGuest};
use crate::rules::totals::SummaryBuilder;
use crate::sys::SysError;
use crate::sys::guest::{GuestFiles, Sharing};

/// Lines that are made and written at once.
const STRETCH: usize = 256;

/// A file, and the object that it equals.
pub(in crate::engine) struct Twin {
    /// All its names.
    pub names: Vec<GuestPath>,
    pub object: ObjectId,
}

/// Writes a plan for the one guest of `options`. Files that are gone have no line.
pub(in crate::engine) fn plan_of_twins(
    options: &PlanOptions,
    mut twins: Vec<Twin>,
    out: &mut dyn Write,
    observer: &dyn Observer,
) -> Result<(), EngineError> {
    let base_path = options.base.as_deref().map(base_path).transpose()?;
    let guests = guest::open_all(&options.guests, base_path.as_deref())?;
    let base = open_base(base_path.as_deref(), observer)?;
    let seen = look_at_base(options, base_path.as_deref(), base.as_ref(), &guests)?;
    let files: Vec<Box<dyn GuestFiles>> = guests
        .iter()
        .map(Guest::files)
        .collect::<Result<_, SysError>>()?;
    let (opened, _) = OpenedGuest::all(guests, base.as_ref())?;
    let planned: Vec<PlannedGuest> = opened.iter().map(|one| planned(one, &twins)).collect();
    let (Some(files), Some(guest)) = (files.first(), planned.first()) else {
        return Ok(());
    };
    twins.iter_mut().for_each(|twin| twin.names.sort_unstable());
    twins.sort_unstable_by(|one, other| one.names.cmp(&other.names));
    let header = header(options, seen.target);
    let failed = EngineError::Output;
    let mut writer = PlanWriter::new(out, Form::Document, &header, &planned).map_err(failed)?;
    let (mut sum, sharing) = (
        SummaryBuilder::new(vec![guest.name.clone()]),
        Sharing::default(),
    );
    for some in twins.chunks(STRETCH) {
        let lines = some
            .iter()
            .map(|twin| line(guest, &**files, twin, &sharing));
        let lines: Vec<Option<Action>> = lines.collect::<Result<_, _>>()?;
        let lines: Vec<Action> = lines.into_iter().flatten().collect();
        lines.iter().for_each(|line| sum.action(line));
        let encoded = Encoded::new(Form::Document, &lines).map_err(failed)?;
        writer.actions(encoded).map_err(failed)?;
    }
    writer.finish(&sum.finish()).map_err(failed)?;
    Ok(())
}

fn planned(opened: &OpenedGuest, twins: &[Twin]) -> PlannedGuest {
    PlannedGuest {
        image: None,
        name: opened.guest.name.clone(),
        root: opened.guest.path.clone(),
        dev: opened.guest.id.dev,
        ino: opened.guest.id.ino,
        files: twins.len() as u64,
        bytes: 0,
        unread: 0,
        running: opened.condition.running.is_some(),
        running_unknown: opened.condition.unsure(),
        uses_unknown: opened.condition.uses_unknown(),
        flag_clearing: None,
        databases: Vec::new(),
        databases_ignored: true,
        left_out: None,
        noticed: Vec::new(),
    }
}

fn line(
    guest: &PlannedGuest,
    files: &dyn GuestFiles,
    twin: &Twin,
    sharing: &Sharing,
) -> Result<Option<Action>, EngineError> {
    let mut names = twin.names.iter().cloned();
    let Some(path) = names.next() else {
        return Ok(None);
    };
    let Some(file) = files.open_regular(path.relative())? else {
        return Ok(None);
    };
    let state = file.state()?;
    Ok(Some(Action::Link(Link {
        guest: guest.name.clone(),
        path,
        also: names.collect(),
        object: twin.object,
        makes: None,
        size: state.size,
        saves: file.room(state.allocated(), sharing).own,
        reason: LinkReason::IdenticalObject,
        owner: None,
        before: Some(Before::from(&state)),
        note: None,
    })))
}
