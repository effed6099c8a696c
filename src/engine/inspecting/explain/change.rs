//! The smallest change that would turn a verdict: the narrowest steps, and all that it takes.

use std::path::Path;

use super::lines::{LinesAbout, ObjectLines, is_of_database};
use crate::engine::WholePlan;
use crate::model::{
    Action, Asked, Change, ChangeStep, Compared, Count, Explanation, FileState, FoundNow,
    GuestName, Ignored, Left, Moved, NoLine, Says, SkipReason, Stale, Turn, Voice,
};
use crate::rules::pattern::of_path::glob_of;

/// What would turn the verdict about this name.
pub fn smallest(
    told: &Explanation,
    whole: &WholePlan,
    lines: &LinesAbout,
    sharing: &ObjectLines,
) -> Change {
    let against: Vec<&Voice> = told
        .voices
        .iter()
        .filter(|voice| voice.is_against())
        .collect();
    if told.left_out.is_some() {
        return nothing();
    }
    match (&told.found, &told.line) {
        (FoundNow::Directory, _) => of_directory(told, &against),
        (FoundNow::File(state), line) => match line {
            _ if told.object.is_some() => to_undo(told, whole, state),
            _ if told.stale.contains(&Stale::Object) => plan_again(None),
            Some(Action::Link(_)) if told.stale.is_empty() => to_keep(sharing, state),
            Some(Action::Reflink(line)) if told.stale.is_empty() => Change {
                steps: vec![ChangeStep::Edit],
                to: Turn::Private,
                effect: one(line.saves),
                at_most: false,
            },
            None if told.no_line == Some(NoLine::Source) => nothing(),
            _ if !against.is_empty() => to_share(told, whole, lines, &against, state),
            Some(Action::Link(_) | Action::Reflink(_)) => plan_again(None),
            Some(Action::Skip(skip)) if !told.stale.contains(&Stale::Reason(None)) => Change {
                steps: vec![ChangeStep::Reason(skip.reason)],
                to: Turn::Allowed,
                ..nothing()
            },
            _ => to_match(told, whole, state),
        },
        _ => nothing(),
    }
}

fn nothing() -> Change {
    Change {
        to: Turn::None,
        steps: Vec::new(),
        effect: None,
        at_most: false,
    }
}

fn plan_again(effect: Option<Count>) -> Change {
    Change {
        to: Turn::Shared,
        steps: vec![ChangeStep::NewPlan],
        effect,
        at_most: false,
    }
}

fn one(bytes: u64) -> Option<Count> {
    Some(Count { files: 1, bytes })
}

/// It is shared: only an undo makes it the guest's own again.
fn to_undo(told: &Explanation, whole: &WholePlan, state: &FileState) -> Change {
    let target = whole.header.target.as_ref();
    let base = target.map_or(Path::new(""), |target| &target.base.path);
    let base = base.to_string_lossy().into_owned();
    let (guest, path) = (told.guest.to_string(), glob_of(&told.path));
    let words = ["unify", "undo", "--base", &base, "--run", "all"];
    let which = ["--guest", &guest, "--path", &path];
    let words = words.into_iter().chain(which).map(str::to_owned);
    Change {
        to: Turn::Private,
        steps: vec![ChangeStep::Command(words.collect())],
        effect: one(state.allocated()),
        at_most: false,
    }
}

/// It would be linked. Of two names of an object each gives up what both share.
fn to_keep(sharing: &ObjectLines, state: &FileState) -> Change {
    let bytes = match sharing.lines {
        0..=2 => sharing.saves,
        _ => state.allocated().min(sharing.saves),
    };
    Change {
        to: Turn::Private,
        steps: vec![ChangeStep::Edit],
        effect: one(bytes),
        at_most: false,
    }
}

/// Everything that speaks against sharing must be answered, and only together do the steps suffice.
fn to_share(
    told: &Explanation,
    whole: &WholePlan,
    lines: &LinesAbout,
    against: &[&Voice],
    state: &FileState,
) -> Change {
    let equal: Vec<&GuestName> = equal_guests(&told.compared);
    let near = nearest(&told.compared).filter(|_| equal.is_empty());
    if let Some(near) = near.filter(|near| ends_rules(near, against, lines)) {
        return make_equal(near, state);
    }
    let mut steps: Vec<ChangeStep> = Vec::new();
    let mut wide: Option<Count> = None;
    let mut by_path = false;
    for voice in against {
        match &voice.says {
            Says::Database { .. } => {
                let (asked, count) = databases(told, whole, lines, &equal);
                steps.extend(asked);
                widen(&mut wide, count);
            }
            Says::Pattern { .. } | Says::Rule { by_file: false, .. } => by_path = true,
            Says::Rule { reason, .. } if *reason == SkipReason::TooSmall => {
                steps.push(ChangeStep::PlanOption("--min-size", state.size.to_string()));
                widen(&mut wide, skipped(whole, *reason));
            }
            Says::Rule { reason, .. } => {
                steps.push(ChangeStep::PlanOption("--allow", reason.code().to_owned()));
                widen(&mut wide, skipped(whole, *reason));
            }
        }
    }
    if by_path {
        steps.insert(0, ChangeStep::PlanOption("--include", glob_of(&told.path)));
    }
    steps.extend(near.map(|near| ChangeStep::Equal(near.differs.clone(), near.guest.clone())));
    let alone = Count {
        files: 1 + equal.len() as u64,
        bytes: state.allocated().saturating_mul(equal.len() as u64),
    };
    Change {
        to: match equal.is_empty() && near.is_none() {
            true => Turn::Allowed,
            false => Turn::Shared,
        },
        steps,
        effect: Some(wide.unwrap_or(alone)),
        at_most: wide.is_some(),
    }
}

fn widen(wide: &mut Option<Count>, more: Count) {
    wide.get_or_insert_default().add(more.files, more.bytes);
}

fn equal_guests(compared: &[Compared]) -> Vec<&GuestName> {
    let equal = compared.iter().filter(|other| other.differs.is_empty());
    equal.map(|other| &other.guest).collect()
}

/// The databases of all guests that would share the file and say no, and how many files they protect.
fn databases(
    told: &Explanation,
    whole: &WholePlan,
    lines: &LinesAbout,
    equal: &[&GuestName],
) -> (Vec<ChangeStep>, Count) {
    let mut count = Count::default();
    let mut steps = Vec::new();
    let chosen = &whole.header.policy.package_databases;
    let protected = |name: &GuestName| {
        let reason = lines.elsewhere.get(name).copied();
        chosen.of(name) == Asked::Use && reason.is_some_and(is_of_database)
    };
    for guest in &whole.guests {
        let own = guest.name == told.guest;
        if own || (equal.contains(&&guest.name) && protected(&guest.name)) {
            let option = format!("{}:ignore", guest.name);
            steps.push(ChangeStep::PlanOption("--package-databases", option));
            let files = lines
                .protected
                .get(&guest.name)
                .copied()
                .unwrap_or_default();
            count.add(files.files, files.bytes);
        }
    }
    (steps, count)
}

fn skipped(whole: &WholePlan, reason: SkipReason) -> Count {
    let skipped = &whole.closing.summary.skipped;
    skipped.get(reason.code()).copied().unwrap_or_default()
}

/// Nothing speaks against it, and it has no twin: what would make one?
fn to_match(told: &Explanation, whole: &WholePlan, state: &FileState) -> Change {
    let equal = equal_guests(&told.compared).len() as u64;
    if equal > 0 {
        return plan_again(Some(Count {
            files: 1 + equal,
            bytes: state.allocated().saturating_mul(equal),
        }));
    }
    let Some(nearest) = nearest(&told.compared) else {
        return nothing();
    };
    let only_time = nearest.differs.as_slice() == [Moved::Mtime];
    if only_time && !whole.header.policy.ignore.contains(&Ignored::Mtime) {
        let by = &whole.closing.summary.near_misses.by;
        let all = by.get("mtime").copied();
        return Change {
            to: Turn::Shared,
            steps: vec![ChangeStep::PlanOption("--ignore", "mtime".into())],
            effect: all.or(one(state.allocated())),
            at_most: all.is_some(),
        };
    }
    make_equal(nearest, state)
}

/// The file of the same content whose metadata differ least.
fn nearest(compared: &[Compared]) -> Option<&Compared> {
    let is_near = |other: &&Compared| {
        let content = [Moved::Content, Moved::Size];
        !other.differs.is_empty() && !other.differs.iter().any(|field| content.contains(field))
    };
    compared
        .iter()
        .filter(is_near)
        .min_by_key(|other| other.differs.len())
}

/// Would nothing speak against the file if it had the mode of that other one, of which the plan says nothing?
fn ends_rules(near: &Compared, against: &[&Voice], lines: &LinesAbout) -> bool {
    use SkipReason as R;
    let by_mode = |voice: &&Voice| {
        let of_file = matches!(voice.says, Says::Rule { by_file: true, .. });
        let reasons = [R::NotWorldReadable, R::WorldWritable, R::Privileged];
        of_file
            && voice
                .reason()
                .is_some_and(|reason| reasons.contains(&reason))
    };
    near.differs.contains(&Moved::Mode)
        && against.iter().all(by_mode)
        && !lines.elsewhere.contains_key(&near.guest)
}

fn make_equal(near: &Compared, state: &FileState) -> Change {
    Change {
        to: Turn::Shared,
        steps: vec![ChangeStep::Equal(near.differs.clone(), near.guest.clone())],
        effect: Some(Count {
            files: 2,
            bytes: state.allocated(),
        }),
        at_most: false,
    }
}

/// What keeps a whole directory; what keeps single files in it is said of these.
fn of_directory(told: &Explanation, against: &[&Voice]) -> Change {
    let by_path = |voice: &&&Voice| match &voice.says {
        Says::Rule { by_file, .. } => !by_file,
        Says::Pattern { .. } => true,
        Says::Database { .. } => false,
    };
    let Some(reason) = against
        .iter()
        .find(by_path)
        .and_then(|voice| voice.reason())
    else {
        return nothing();
    };
    let inside = told.beneath.as_ref().and_then(|sum| sum.skips.get(&reason));
    let whole = match &told.line {
        Some(Action::Skip(skip)) if skip.reason == reason => match &skip.left {
            Left::Beneath {
                files, bytes, top, ..
            } if *top == told.path => Some(Count {
                files: *files,
                bytes: *bytes,
            }),
            _ => None,
        },
        _ => None,
    };
    Change {
        to: Turn::Allowed,
        steps: vec![ChangeStep::PlanOption("--include", glob_of(&told.path))],
        effect: inside.copied().or(whole),
        at_most: true,
    }
}
