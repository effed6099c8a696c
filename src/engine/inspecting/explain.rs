//! `explain`: what is known about one name, which source says so, and what it was compared with. It reads the
//! plan and the disk, with the plan's own policy, and writes nothing.

use std::collections::BTreeMap;

use super::compare::compare;
use crate::base::{Base, Index};
use crate::engine::error::BadUse;
use crate::engine::{EngineError, Guest, PlanFile, WholePlan};
use crate::model::{
    Action, Asked, Explanation, FileState, GuestName, GuestPath, Left, ObjectId, Owner,
    PatternKind, PlannedGuest, Policy, SkipReason, Voice,
};
use crate::packages::{Answer, ask_all};
use crate::rules::care::{Care, CareVerdict, source_of};

/// Explains `path` of `guest`, a guest of the plan.
pub fn explain(
    plan: &mut PlanFile,
    guest: &GuestName,
    path: &GuestPath,
) -> Result<Explanation, EngineError> {
    let mut line = None;
    let whole = plan.read(&mut |action| {
        if is_nearer(action, line.as_ref(), guest, path) {
            line = Some(action.clone());
        }
        Ok(())
    })?;
    let planned = planned_guest(&whole, guest)?;
    let mut told = Explanation {
        guest: guest.clone(),
        path: path.clone(),
        line,
        left_out: planned.left_out.clone(),
        voices: Vec::new(),
        owner: None,
        now: None,
        object: None,
        twins: Vec::new(),
        more_twins: 0,
        compared: Vec::new(),
    };
    look(&mut told, planned, &whole)?;
    find_twins(&mut told, plan)?;
    if told.twins.is_empty() && told.is_file() {
        told.compared = compare(&whole, guest, path)?;
    }
    Ok(told)
}

fn planned_guest<'p>(
    whole: &'p WholePlan,
    name: &GuestName,
) -> Result<&'p PlannedGuest, EngineError> {
    let found = whole.guests.iter().find(|guest| guest.name == *name);
    found.ok_or_else(|| {
        let names: Vec<&str> = whole
            .guests
            .iter()
            .map(|guest| guest.name.as_str())
            .collect();
        BadUse::NotInPlan {
            name: name.clone(),
            known: names.iter().map(ToString::to_string).collect(),
        }
        .into()
    })
}

/// A line about the name itself beats one about a directory, and a deeper directory a higher one.
fn is_nearer(action: &Action, than: Option<&Action>, guest: &GuestName, path: &GuestPath) -> bool {
    let weight = |action: &Action| match action {
        Action::Link(link) if link.guest == *guest => {
            let names = link.names();
            names
                .into_iter()
                .any(|name| name == path)
                .then_some(usize::MAX)
        }
        Action::Skip(skip) if skip.guest() == Some(guest) => match &skip.left {
            Left::Name { path: at, .. } => (at == path).then_some(usize::MAX),
            Left::Beneath { top, .. } => path.is_within(top).then(|| top.as_bytes().len()),
            Left::Flag { .. } => None,
        },
        _ => None,
    };
    weight(action) > than.and_then(weight)
}

/// What the disk and the guest's own database say now.
fn look(
    told: &mut Explanation,
    planned: &PlannedGuest,
    whole: &WholePlan,
) -> Result<(), EngineError> {
    let policy = &whole.header.policy;
    let guest = Guest::open(planned.name.clone(), &planned.root)?;
    let files = guest.files()?;
    let asked = policy.package_databases.of(&planned.name) == Asked::Use;
    let answer = if asked {
        ask_all(&*files, policy.on_damaged_database, &|_| false)
    } else {
        Answer::default()
    };
    told.now = files.look(told.path.relative())?;
    told.owner = answer.owners.of(told.path.as_bytes()).map(|package| Owner {
        package: package.name.to_string(),
        version: package.version.as_deref().map(str::to_owned),
    });
    told.voices = voices(&told.path, told.now.as_ref(), &answer, policy)?;
    told.object = object(whole, told.now.as_ref());
    Ok(())
}

fn voices(
    path: &GuestPath,
    now: Option<&FileState>,
    answer: &Answer,
    policy: &Policy,
) -> Result<Vec<Voice>, EngineError> {
    let care = Care::new(policy)?;
    let of_database = answer.protected.iter().filter(|protected| {
        protected.path == *path || now.is_some_and(|now| now.id == protected.id)
    });
    let mut voices: Vec<Voice> = of_database
        .map(|protected| Voice::Database {
            per: protected.per.to_owned(),
            package: protected.package.clone(),
            why: protected.why,
        })
        .collect();
    voices.extend(
        care.name(path.as_bytes())
            .map(|verdict| voice(&verdict, policy)),
    );
    voices.extend(include(path, policy)?);
    let by_file = now.and_then(|now| care.inode(path.as_bytes(), now));
    voices.extend(by_file.map(|verdict| voice(&verdict, policy)));
    Ok(voices)
}

fn voice(verdict: &CareVerdict<'_, '_>, policy: &Policy) -> Voice {
    let excluded = verdict.reason == SkipReason::Excluded;
    let pattern = excluded.then(|| pattern(PatternKind::Exclude, verdict.rule, policy));
    pattern.flatten().unwrap_or_else(|| Voice::Rule {
        reason: verdict.reason,
        rule: verdict.rule.to_owned(),
        source: source_of(verdict.reason, verdict.rule),
    })
}

/// The first pattern of this kind and text, with the place where it was given.
fn pattern(kind: PatternKind, glob: &str, policy: &Policy) -> Option<Voice> {
    let mut patterns = policy.patterns.iter();
    let found = patterns.find(|pattern| pattern.kind == kind && pattern.glob == glob)?;
    Some(Voice::Pattern {
        kind,
        glob: found.glob.clone(),
        from: found.from.clone(),
    })
}

/// An include that overrules the rules on paths: those are not asked then.
fn include(path: &GuestPath, policy: &Policy) -> Result<Option<Voice>, EngineError> {
    let patterns = crate::rules::pattern::Patterns::new(&policy.patterns)?;
    let decision = patterns.decide(path.as_bytes());
    let included = decision.filter(|decision| decision.kind == PatternKind::Include);
    Ok(included.and_then(|decision| pattern(decision.kind, decision.pattern, policy)))
}

/// Which object the name refers to; a base that is not there or closed to this user has none.
fn object(whole: &WholePlan, now: Option<&FileState>) -> Option<ObjectId> {
    let base = Base::open(&whole.header.base.path).ok()??;
    let index = Index::read(&base).ok()?;
    Some(index.of_inode(now?.id)?.id)
}

/// Other names that shall refer, or refer already, to the same object.
fn find_twins(told: &mut Explanation, plan: &mut PlanFile) -> Result<(), EngineError> {
    let object = match &told.line {
        Some(Action::Link(link)) => Some(link.object),
        Some(Action::Skip(skip)) => skip.object().copied(),
        _ => None,
    };
    let Some(object) = object.or(told.object) else {
        return Ok(());
    };
    let same = |id: &ObjectId| id.content == object.content && id.metadata == object.metadata;
    let mut twins: BTreeMap<(GuestName, GuestPath), ()> = BTreeMap::new();
    let mut more = 0;
    let own = (told.guest.clone(), told.path.clone());
    let mut take = |guest: &GuestName, path: &GuestPath| {
        let name = (guest.clone(), path.clone());
        if name == own {
        } else if twins.len() < Explanation::MOST_TWINS {
            twins.insert(name, ());
        } else {
            more += 1;
        }
    };
    plan.read(&mut |action| {
        match action {
            Action::Link(link) if same(&link.object) => {
                let names = link.names();
                names.into_iter().for_each(|name| take(&link.guest, name));
            }
            Action::Skip(skip) if skip.object().is_some_and(same) => {
                if let Left::Name { guest, path, .. } = &skip.left {
                    take(guest, path);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    (told.twins, told.more_twins) = (twins.into_keys().collect(), more);
    Ok(())
}
