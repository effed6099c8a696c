//! `explain`: what is known about one name, which source says so, and what it was compared with. It reads the
//! plan and the disk, with the plan's own policy, and writes nothing.
//!
//! The path is followed inside the guest first, as the guest itself would follow it. What is said of the file is what
//! the disk and the guest's databases say now; where the plan's line says something else, that is told.

mod change;
mod lines;
mod voices;

use super::compare::{Sameness, compare};
use crate::base::{Base, Index};
use crate::engine::error::BadUse;
use crate::engine::paths::near::near;
use crate::engine::sources::open_planned;
use crate::engine::{EngineError, PlanFile, WholePlan};
use crate::model::{
    Action, Change, Explanation, FileKind, FileState, FoundNow, GuestName, GuestPath, Link, Method,
    NoLine, ObjectId, PlanMethods, PlannedGuest, Reflink, SkipReason, Stale, Time, Turn, Voice,
};
use crate::rules::precondition::moved;
use crate::sys::guest::{GuestError, GuestFiles, Trail, TrailEnd};
use crate::sys::host::machine;
use change::smallest;
use lines::{InCommon, LinesAbout, read_lines};
use voices::{SaidOfName, hear};

/// Explains the path `asked` of `guest`, a guest of the plan.
pub fn explain(
    plan: &mut PlanFile,
    guest: &GuestName,
    asked: &[u8],
) -> Result<Explanation, EngineError> {
    let planned = plan.guest(guest)?;
    let files = open_planned(&planned)?;
    let mut told = begin(&planned, &*files, asked)?;
    let (whole, mut lines) = read_lines(plan, guest, &told.path, &told.found)?;
    told.line = lines.line.take();
    told.beneath = lines.beneath.take();
    told.object = object(&whole, told.file());
    let method = method_of(&told, whole.header.mode());
    told.content_alone = method == Method::Reflink;
    let SaidOfName { voices, owner } = hear(&told, (&whole.header.policy, method), &*files)?;
    (told.voices, told.owner) = (voices, owner);
    let common = in_common(&told, &lines);
    let found = lines::twins(plan, common.as_ref(), guest, &told.path)?;
    (told.twins, told.more_twins) = (found.names, found.more);
    if told.twins.is_empty() && told.file().is_some() {
        let by = match method {
            Method::Hardlink => Sameness::OfInode(&whole.header.policy.ignore),
            Method::Reflink => Sameness::OfContent,
        };
        told.compared = compare(&whole, guest, &told.path, by)?;
    }
    told.stale = stale(&told);
    told.no_line = no_line(&told, &whole, &lines, plan.written());
    told.change = smallest(&told, &whole, &lines, &found.sharing);
    Ok(told)
}

/// Follows the path, and looks at what is there.
fn begin(
    planned: &PlannedGuest,
    files: &dyn GuestFiles,
    asked: &[u8],
) -> Result<Explanation, EngineError> {
    let (links, path, found) = match files.trace(asked) {
        Ok(Trail { links, end }) => {
            let (path, found) = look(files, end)?;
            (links, path, found)
        }
        Err(GuestError::BadPath { path }) => return Err(BadUse::NoPath(path).into()),
        Err(error) => {
            let path = GuestPath::new(asked).unwrap_or_else(|_| GuestPath::root());
            (Vec::new(), path, FoundNow::Unknown(error.to_string()))
        }
    };
    Ok(Explanation {
        guest: planned.name.clone(),
        asked: asked.to_vec(),
        links,
        path,
        found,
        line: None,
        no_line: None,
        stale: Vec::new(),
        left_out: planned.left_out.clone(),
        voices: Vec::new(),
        owner: None,
        object: None,
        twins: Vec::new(),
        more_twins: 0,
        compared: Vec::new(),
        content_alone: false,
        beneath: None,
        change: Change {
            to: Turn::None,
            steps: Vec::new(),
            effect: None,
            at_most: false,
        },
    })
}

fn look(files: &dyn GuestFiles, end: TrailEnd) -> Result<(GuestPath, FoundNow), EngineError> {
    let place = match end {
        TrailEnd::Missing(name) => {
            let near = near(files, &name);
            return Ok((name, FoundNow::Missing { near }));
        }
        TrailEnd::NoDirectory(name) => return Ok((name.clone(), FoundNow::NoDirectory(name))),
        TrailEnd::Found(place) => place,
    };
    let found = match place.kind {
        FileKind::Directory => FoundNow::Directory,
        FileKind::Symlink | FileKind::Special => FoundNow::Special,
        FileKind::Regular => match files.look(place.path.relative())? {
            Some(state) if state.kind == FileKind::Regular => FoundNow::File(state),
            _ => FoundNow::Unknown("it changed while it was looked at".into()),
        },
    };
    Ok((place.path, found))
}

/// By which method it is judged: that of its line, or of what it is already.
fn method_of(told: &Explanation, methods: PlanMethods) -> Method {
    match &told.line {
        Some(Action::Link(_)) => Method::Hardlink,
        Some(Action::Reflink(_)) => Method::Reflink,
        _ if told.object.is_some() && methods.has(Method::Hardlink) => Method::Hardlink,
        _ => methods.widest(),
    }
}

/// Which object the name refers to; a base that is not there or closed to this user has none.
fn object(whole: &WholePlan, now: Option<&FileState>) -> Option<ObjectId> {
    let base = Base::open(&whole.header.target.as_ref()?.base.path).ok()??;
    let index = Index::read(&base).ok()?;
    Some(index.of_inode(now?.id)?.id)
}

/// What the file has in common with others, or would have.
fn in_common(told: &Explanation, lines: &LinesAbout) -> Option<InCommon> {
    let object = told.object.or_else(|| object_of(told.line.as_ref()));
    let blocks = match &told.line {
        Some(Action::Reflink(line)) => Some(&line.source),
        _ => lines.source.as_ref(),
    };
    object
        .map(InCommon::Object)
        .or_else(|| blocks.cloned().map(InCommon::Blocks))
}

fn object_of(line: Option<&Action>) -> Option<ObjectId> {
    match line? {
        Action::Link(link) => Some(link.object),
        Action::Skip(skip) => skip.object().copied(),
        Action::Reflink(_) | Action::Flag(_) => None,
    }
}

/// What of the plan's line is not so any more. A link that was made since is as the plan wants it.
fn stale(told: &Explanation) -> Vec<Stale> {
    let unknown = matches!(told.found, FoundNow::Unknown(_));
    match (&told.line, told.file()) {
        (None | Some(Action::Flag(_)), _) => Vec::new(),
        (Some(Action::Link(_) | Action::Reflink(_)), None) if !unknown => vec![Stale::Gone],
        (Some(Action::Link(link)), Some(_)) if told.object == Some(link.object) => Vec::new(),
        (
            Some(Action::Link(Link { before, .. }) | Action::Reflink(Reflink { before, .. })),
            Some(now),
        ) => {
            let fields = before.iter();
            let fields = fields.flat_map(|before| moved(before, now));
            let mut stale: Vec<Stale> = fields.map(Stale::Field).collect();
            let against = told.voices.iter().find(|voice| voice.is_against());
            stale.extend(against.map(|voice| Stale::Reason(voice.reason())));
            stale
        }
        (Some(Action::Skip(skip)), now) => voices::stale_skip(told, skip, now),
        (Some(Action::Link(_) | Action::Reflink(_)), None) => Vec::new(),
    }
}

/// Why the plan has no line about it.
fn no_line(
    told: &Explanation,
    whole: &WholePlan,
    lines: &LinesAbout,
    written: Option<Time>,
) -> Option<NoLine> {
    if told.line.is_some() || told.left_out.is_some() {
        return None;
    }
    let state = match &told.found {
        FoundNow::File(state) => state,
        FoundNow::Directory => return Some(NoLine::Directory),
        FoundNow::Special => return Some(NoLine::NoRegularFile),
        FoundNow::Missing { .. } | FoundNow::NoDirectory(_) => return Some(NoLine::NotThere),
        FoundNow::Unknown(_) => return Some(NoLine::Unknown),
    };
    if is_newer(state.ctime, whole, written) {
        return Some(NoLine::NewerThanPlan);
    }
    if lines.source.is_some() {
        return Some(NoLine::Source);
    }
    let against = told.voices.iter().find(|voice| voice.is_against());
    Some(match against.and_then(Voice::reason) {
        Some(SkipReason::Empty) => NoLine::Empty,
        Some(SkipReason::TooSmall) => NoLine::TooSmall,
        _ if lines.is_cut(whole) => NoLine::EditedPlan,
        Some(_) => NoLine::OtherVerdict,
        None if told.compared.iter().any(|other| other.differs.is_empty()) => NoLine::EqualNow,
        None => NoLine::Unique,
    })
}

/// Did it change after the plan was made? The plan says when, in whole seconds; within that second its file says more.
fn is_newer(changed: Time, whole: &WholePlan, written: Option<Time>) -> bool {
    let Some(created) = machine::moment(&whole.header.created) else {
        return true;
    };
    let moment = |time: Time| (time.sec, time.nsec);
    changed.sec > created
        || changed.sec == created && written.is_none_or(|end| moment(changed) > moment(end))
}
