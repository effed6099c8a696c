//! What databases, patterns and care rules say of a name now, and which choice of the user silences whom.

use crate::engine::EngineError;
use crate::engine::paths::links::{GuestLinks, aliases};
use crate::model::{
    Asked, Explanation, FileState, FoundNow, GuestPath, Left, Method, Moved, OnDamaged, Overruled,
    Owner, Pattern, PatternKind, Policy, Says, Skip, SkipReason, Stale, Voice, Xattr,
};
use crate::packages::{Answer, ask_all};
use crate::rules::care::{Care, CareVerdict, NameVerdict, source_of};
use crate::sys::guest::GuestFiles;

/// What was said.
pub struct SaidOfName {
    pub voices: Vec<Voice>,
    pub owner: Option<Owner>,
}

/// Asks all sources about what was found. Databases are asked even if the policy says not to: then it is told what they
/// would have said.
pub fn hear(
    told: &Explanation,
    (policy, method): (&Policy, Method),
    files: &dyn GuestFiles,
) -> Result<SaidOfName, EngineError> {
    let path = &told.path;
    if matches!(
        told.found,
        FoundNow::Missing { .. } | FoundNow::NoDirectory(_)
    ) {
        let (voices, owner) = (Vec::new(), None);
        return Ok(SaidOfName { voices, owner });
    }
    let answer = ask_all(files, OnDamaged::CareRulesOnly, &|_| false);
    let care = Care::new(policy, method)?.of_guest(&told.guest, &GuestLinks::of(files));
    let mut voices = of_databases(told, &answer, policy);
    voices.retain(|voice| voice.reason().is_none_or(|reason| !care.falls(reason)));
    // The names by which rules may know it: its own, and those through a link that a rule spells out.
    let mut names = vec![path.as_bytes().to_vec()];
    let known = aliases(files).into_iter();
    names.extend(known.filter_map(|alias| alias.known_name(path.as_bytes())));
    let by_path = names.iter().map(|name| of_path(name, &care, policy));
    voices.extend(
        by_path
            .into_iter()
            .find(|heard| !heard.is_empty())
            .unwrap_or_default(),
    );
    if let Some(state) = told.file() {
        voices.extend(of_file(
            path,
            state,
            &attributes(files, path),
            (policy, method),
        )?);
    }
    voices.extend(allowed(&names, told.file(), &care, &voices));
    let owner = answer.owners.of(path.as_bytes()).map(|package| Owner {
        package: package.name.to_string(),
        version: package.version.as_deref().map(str::to_owned),
    });
    Ok(SaidOfName { voices, owner })
}

fn of_databases(told: &Explanation, answer: &Answer, policy: &Policy) -> Vec<Voice> {
    let chosen = &policy.package_databases;
    let overruled = || {
        let ignored = chosen.of(&told.guest) == Asked::Ignore;
        ignored.then(|| match chosen.guests.contains_key(&told.guest) {
            true => Overruled::Databases(format!("{}:ignore", told.guest)),
            false => Overruled::Databases("ignore".into()),
        })
    };
    let now = told.file().map(|state| state.id);
    let about_it = answer
        .protected
        .iter()
        .filter(|protected| protected.path == told.path || now == Some(protected.id));
    let voice = about_it.map(|protected| Voice {
        says: Says::Database {
            per: protected.per.to_owned(),
            package: protected.package.clone(),
            why: protected.why,
        },
        overruled: overruled(),
    });
    voice.collect()
}

/// What patterns and the rules on paths say.
fn of_path(name: &[u8], care: &Care, policy: &Policy) -> Vec<Voice> {
    let NameVerdict { kept, pattern } = care.ask(name);
    let Some(given) = pattern.and_then(|number| policy.patterns.get(number)) else {
        return kept
            .map(|verdict| rule(&verdict, false))
            .into_iter()
            .collect();
    };
    let mut voices = vec![Voice {
        says: Says::Pattern {
            kind: given.kind,
            glob: given.text(),
            from: given.from.clone(),
        },
        overruled: None,
    }];
    let silenced = care
        .path_rule(name)
        .filter(|_| given.kind == PatternKind::Include);
    voices.extend(silenced.map(|verdict| Voice {
        overruled: Some(include(given)),
        ..rule(&verdict, false)
    }));
    voices
}

fn include(given: &Pattern) -> Overruled {
    Overruled::Include(given.text(), given.from.clone())
}

/// What all rules on files say, one after the other: each that is switched off lets the next one speak.
fn of_file(
    path: &GuestPath,
    state: &FileState,
    attributes: &[Xattr],
    (policy, method): (&Policy, Method),
) -> Result<Vec<Voice>, EngineError> {
    let mut policy = Policy {
        patterns: Vec::new(),
        ..policy.clone()
    };
    let mut voices = Vec::new();
    loop {
        let care = Care::new(&policy, method)?;
        let verdict = care.inode(path.as_bytes(), state);
        let Some(verdict) = verdict.or_else(|| care.xattrs(attributes)) else {
            return Ok(voices);
        };
        voices.push(rule(&verdict, true));
        match verdict.reason {
            SkipReason::TooSmall => return Ok(voices),
            reason => policy.allow.push(reason),
        }
    }
}

/// The extended attributes of a file; none where they cannot be read.
fn attributes(files: &dyn GuestFiles, path: &GuestPath) -> Vec<Xattr> {
    let open = files.open_regular(path.relative()).ok().flatten();
    let metadata = open.and_then(|file| file.metadata(&[]).ok());
    metadata.map(|all| all.xattrs).unwrap_or_default()
}

/// Rules that were switched off and would keep it otherwise.
fn allowed(
    names: &[Vec<u8>],
    state: Option<&FileState>,
    care: &Care,
    heard: &[Voice],
) -> Vec<Voice> {
    let off = names.iter().flat_map(|name| {
        let by_name = care
            .switched_off(name, None)
            .map(|verdict| (verdict, false));
        let by_file = care
            .switched_off(name, state)
            .map(|verdict| (verdict, true));
        by_name.chain(by_file)
    });
    let mut voices: Vec<Voice> = Vec::new();
    for (verdict, by_file) in off {
        let is_new = |voice: &Voice| voice.reason() != Some(verdict.reason);
        if voices.iter().chain(heard).all(is_new) {
            voices.push(Voice {
                overruled: Some(Overruled::Allow(verdict.reason)),
                ..rule(&verdict, by_file)
            });
        }
    }
    voices
}

fn rule(verdict: &CareVerdict<'_, '_>, by_file: bool) -> Voice {
    Voice {
        says: Says::Rule {
            reason: verdict.reason,
            rule: verdict.rule.to_owned(),
            source: source_of(verdict.reason, verdict.rule),
            by_file,
        },
        overruled: None,
    }
}

/// What of a skip line is not so any more.
pub fn stale_skip(told: &Explanation, skip: &Skip, now: Option<&FileState>) -> Vec<Stale> {
    let Left::Name { object, size, .. } = &skip.left else {
        return Vec::new();
    };
    let Some(now) = now else {
        let unknown = matches!(told.found, FoundNow::Unknown(_));
        return if unknown {
            Vec::new()
        } else {
            vec![Stale::Gone]
        };
    };
    let mut stale = Vec::new();
    if size.is_some_and(|size| size != now.size) {
        stale.push(Stale::Field(Moved::Size));
    }
    if object.is_some_and(|object| told.object != Some(object)) {
        stale.push(Stale::Object);
    }
    let against = || told.voices.iter().filter(|voice| voice.is_against());
    let holds = against().any(|voice| voice.reason() == Some(skip.reason));
    if is_of_a_source(skip.reason) && !holds && told.object.is_none() {
        stale.push(Stale::Reason(against().next().and_then(Voice::reason)));
    }
    stale
}

/// Is it a reason that a database, a pattern or a care rule gives for a name? Others come from the whole guest or from
/// the machine.
fn is_of_a_source(reason: SkipReason) -> bool {
    let of_rule = crate::rules::care::table()
        .iter()
        .any(|row| row.reason == reason);
    let named = [SkipReason::Excluded, SkipReason::TooSmall];
    of_rule || named.contains(&reason) || super::lines::is_of_database(reason)
}
