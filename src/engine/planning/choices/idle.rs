//! Which choices change nothing, and why: asked when all files are judged, and only about those that came to nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::uses::Uses;
use crate::engine::paths::near::near_of;
use crate::engine::planning::classify::{Classified, Decision};
use crate::engine::planning::survey::Survey;
use crate::model::{
    Asked, ChoiceKind, IdleChoice, IdleReason, Pattern, PatternKind, Policy, SkipReason,
};
use crate::packages::may_have_database;

/// The choices that change nothing, and how many more there are than are listed.
pub fn idle_choices(
    policy: &Policy,
    surveys: &[Survey],
    classified: &[Classified],
) -> (Vec<IdleChoice>, u64) {
    // What a guest that is left out would have said is not known.
    if surveys.iter().any(|survey| survey.left_out.is_some()) {
        return (Vec::new(), 0);
    }
    let guests = surveys.iter().zip(classified);
    let guests = guests.filter_map(|(survey, judged)| {
        Some(Judged {
            survey,
            judged,
            uses: judged.uses.as_ref()?,
        })
    });
    let guests: Vec<Judged<'_>> = guests.collect();
    let mut all = idle_patterns(policy, &guests);
    all.extend(idle_rules(policy, &guests));
    all.extend(idle_databases(policy, surveys));
    let more = all.len().saturating_sub(IdleChoice::MOST);
    all.truncate(IdleChoice::MOST);
    let unmatched = |one: &&mut IdleChoice| one.why == IdleReason::MatchesNothing;
    for one in all.iter_mut().filter(unmatched) {
        let given = |pattern: &&Pattern| pattern.from == one.from && pattern.text() == one.value;
        if let Some(pattern) = policy.patterns.iter().find(given) {
            one.near = near_names(pattern, &guests);
        }
    }
    (all, more as u64)
}

/// A guest whose files were judged.
struct Judged<'a> {
    survey: &'a Survey,
    judged: &'a Classified,
    uses: &'a Uses,
}

/// What became of the names that an idle choice is about.
#[derive(Default)]
struct MatchedNames {
    names: u64,
    left_alone: BTreeMap<String, u64>,
    /// Patterns that decided for one of its names.
    decided_by: BTreeSet<usize>,
    /// Names for which no other pattern decided.
    undecided: u64,
}

impl Judged<'_> {
    /// Why a name is left alone; `None` if it is not.
    fn reason(&self, name: usize, path: &[u8]) -> Option<SkipReason> {
        match self
            .judged
            .decisions
            .get(self.survey.scan.tree.file_of(name))?
        {
            Decision::Shared(_) => Some(SkipReason::AlreadyShared),
            Decision::Counted(reason) => Some(*reason),
            Decision::Listed => {
                let line = self.judged.lines.get(&name).map(|skip| skip.reason);
                line.or_else(|| self.uses.care.name(path).map(|verdict| verdict.reason))
            }
            Decision::Candidate | Decision::Tied | Decision::Linked { .. } => None,
            Decision::Reflinked(_) | Decision::Source => None,
        }
    }

    /// All names, as paths.
    fn names(&self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let tree = &self.survey.scan.tree;
        (0..tree.names()).map(|name| (name, tree.path(name)))
    }
}

impl MatchedNames {
    fn add(&mut self, reason: Option<SkipReason>, decided_by: Option<usize>) {
        self.names += 1;
        if let Some(reason) = reason {
            *self.left_alone.entry(reason.code().to_owned()).or_default() += 1;
        }
        match decided_by {
            Some(pattern) => {
                self.decided_by.insert(pattern);
            }
            None => self.undecided += 1,
        }
    }
}

fn idle_patterns(policy: &Policy, guests: &[Judged<'_>]) -> Vec<IdleChoice> {
    let sum = |number: usize, which: fn(&Uses, usize) -> u64| -> u64 {
        guests.iter().map(|guest| which(guest.uses, number)).sum()
    };
    let kept = |number| sum(number, |uses, number| uses.of(number).kept);
    let freed = |number| sum(number, |uses, number| uses.of(number).freed);
    let shared = |number| sum(number, |uses, number| uses.of(number).shared);
    let patterns = || policy.patterns.iter().enumerate();
    let idle = patterns().filter(|(number, pattern)| match pattern.kind {
        PatternKind::Exclude => kept(*number) == 0 && shared(*number) == 0,
        PatternKind::Include => freed(*number) == 0,
    });
    let idle: BTreeMap<usize, MatchedNames> = idle
        .map(|(number, _)| (number, MatchedNames::default()))
        .collect();
    let idle = look_at(idle, guests);
    let tell = |(number, pattern): (usize, &Pattern)| match (idle.get(&number), shared(number)) {
        (Some(about), _) => Some(idle_pattern(policy, pattern, about)),
        (None, 0) => None,
        (None, _) if pattern.kind == PatternKind::Include => None,
        (None, names) => Some(IdleChoice {
            names,
            ..choice(pattern, IdleReason::SharedAlready)
        }),
    };
    patterns().filter_map(tell).collect()
}

/// What becomes of the names that idle patterns match.
fn look_at(
    mut idle: BTreeMap<usize, MatchedNames>,
    guests: &[Judged<'_>],
) -> BTreeMap<usize, MatchedNames> {
    if idle.is_empty() {
        return idle;
    }
    for guest in guests {
        let patterns = guest.uses.care.patterns();
        for (name, path) in guest.names() {
            let covering = patterns.all_that_cover(&path);
            let decides = covering.first().copied();
            for number in covering {
                if let Some(about) = idle.get_mut(&number) {
                    let other = decides.filter(|first| *first != number);
                    about.add(guest.reason(name, &path), other);
                }
            }
        }
    }
    idle
}

fn choice(pattern: &Pattern, why: IdleReason) -> IdleChoice {
    IdleChoice {
        choice: match pattern.kind {
            PatternKind::Exclude => ChoiceKind::Exclude,
            PatternKind::Include => ChoiceKind::Include,
        },
        value: pattern.text(),
        from: pattern.from.clone(),
        why,
        names: 0,
        left_alone: BTreeMap::new(),
        decided_by: None,
        near: Vec::new(),
    }
}

fn idle_pattern(policy: &Policy, pattern: &Pattern, about: &MatchedNames) -> IdleChoice {
    let why = if about.names == 0 {
        IdleReason::MatchesNothing
    } else if about.undecided == 0 {
        IdleReason::DecidedBefore
    } else if about.left_alone.is_empty() {
        IdleReason::NothingToOverrule
    } else {
        IdleReason::LeftAloneAnyway
    };
    let before = about
        .decided_by
        .first()
        .and_then(|at| policy.patterns.get(*at));
    let before = before.filter(|_| why == IdleReason::DecidedBefore);
    IdleChoice {
        names: about.names,
        left_alone: about.left_alone.clone(),
        decided_by: before.map(|other| format!("{} '{}'", other.from, other.text())),
        ..choice(pattern, why)
    }
}

/// Names in the first guest that has some near what the pattern spells out.
fn near_names(pattern: &Pattern, guests: &[Judged<'_>]) -> Vec<String> {
    let meant = guests
        .iter()
        .filter(|guest| pattern.is_for(&guest.survey.guest.name));
    let near = meant.map(|guest| {
        let name = &guest.survey.guest.name;
        let paths = near_of(&*guest.survey.files, &pattern.glob);
        paths.iter().map(|path| format!("{name}:{path}")).collect()
    });
    let mut near = near.filter(|names: &Vec<String>| !names.is_empty());
    near.next().unwrap_or_default()
}

/// Rules that were switched off, and of which no file has need. Of capabilities the scan knows nothing.
fn idle_rules(policy: &Policy, guests: &[Judged<'_>]) -> Vec<IdleChoice> {
    let needed = |reason: SkipReason| guests.iter().any(|guest| guest.uses.needs(reason));
    let off = policy.allow.iter().copied();
    let idle = off.filter(|reason| *reason != SkipReason::Privileged && !needed(*reason));
    let mut idle: BTreeMap<SkipReason, MatchedNames> = idle
        .map(|reason| (reason, MatchedNames::default()))
        .collect();
    if !idle.is_empty() {
        guests
            .iter()
            .for_each(|guest| look_at_rules(&mut idle, guest));
    }
    let tell = |(reason, about): (SkipReason, MatchedNames)| IdleChoice {
        choice: ChoiceKind::Allow,
        value: reason.code().to_owned(),
        from: "--allow".into(),
        why: match about.names {
            0 => IdleReason::MatchesNothing,
            _ => IdleReason::LeftAloneAnyway,
        },
        names: about.names,
        left_alone: about.left_alone,
        decided_by: None,
        near: Vec::new(),
    };
    idle.into_iter().map(tell).collect()
}

fn look_at_rules(idle: &mut BTreeMap<SkipReason, MatchedNames>, guest: &Judged<'_>) {
    let tree = &guest.survey.scan.tree;
    for (name, path) in guest.names() {
        let state = tree.state(tree.file_of(name));
        for verdict in guest.uses.care.switched_off(&path, Some(&state)) {
            if let Some(about) = idle.get_mut(&verdict.reason) {
                about.add(guest.reason(name, &path), None);
            }
        }
    }
}

/// Guests without package databases, of which it was chosen that these are not asked.
fn idle_databases(policy: &Policy, surveys: &[Survey]) -> Vec<IdleChoice> {
    let chosen = &policy.package_databases;
    let has = |survey: &&Survey| may_have_database(&*survey.files);
    let idle = |value: String| IdleChoice {
        choice: ChoiceKind::PackageDatabases,
        value,
        from: "--package-databases".into(),
        why: IdleReason::NoDatabase,
        names: 0,
        left_alone: BTreeMap::new(),
        decided_by: None,
        near: Vec::new(),
    };
    let mut all = Vec::new();
    for survey in surveys {
        let name = &survey.guest.name;
        if chosen.guests.get(name) == Some(&Asked::Ignore) && !has(&survey) {
            all.push(idle(format!("{name}:ignore")));
        }
    }
    if chosen.all == Asked::Ignore && !surveys.iter().any(|survey| has(&survey)) {
        all.push(idle("ignore".into()));
    }
    all
}
