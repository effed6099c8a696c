//! What patterns and path rules say about one name, and which of the user's patterns had a part in it.

use super::{Classifying, Kept};
use crate::engine::paths::links::Alias;
use crate::model::{GuestPath, Skip, SkipDetail, SkipReason};
use crate::rules::care::{CareVerdict, NameVerdict};

impl Classifying<'_> {
    /// The rule for the path as the walk saw it, or for the name that it has through a link of the guest.
    pub(super) fn path_rule(&self, path: &[u8]) -> Option<Kept> {
        let NameVerdict { kept, pattern } = self.care.ask(path);
        if let Some(verdict) = kept {
            let under = verdict.under.map(<[u8]>::to_vec);
            return Some(self.kept_by(path, &verdict, pattern, under));
        }
        let Some(include) = pattern else {
            return self.path_rule_by_alias(path);
        };
        let mut names = self.aliases_of(path).map(|(_, known)| known);
        let is_kept = |name: &[u8]| self.care.path_rule(name).is_some();
        if is_kept(path) || names.any(|known| is_kept(&known)) {
            self.uses.borrow_mut().overrules(include);
        }
        None
    }

    fn path_rule_by_alias(&self, path: &[u8]) -> Option<Kept> {
        self.aliases_of(path).find_map(|(alias, known)| {
            let NameVerdict { kept, pattern } = self.care.ask(&known);
            if let (None, Some(include)) = (&kept, pattern) {
                self.care.path_rule(&known)?;
                self.uses.borrow_mut().overrules(include);
            }
            let verdict = kept?;
            let under = verdict.under.map(|under| translate(under, alias));
            Some(self.kept_by(path, &verdict, pattern, under))
        })
    }

    /// The names that a care rule would know this one by.
    fn aliases_of(&self, path: &[u8]) -> impl Iterator<Item = (&Alias, Vec<u8>)> {
        let aliases = self.survey.aliases.iter();
        aliases.filter_map(move |alias| Some((alias, alias.known_name(path)?)))
    }

    fn kept_by(
        &self,
        path: &[u8],
        verdict: &CareVerdict<'_, '_>,
        pattern: Option<usize>,
        under: Option<Vec<u8>>,
    ) -> Kept {
        let mut kept = self.kept(path, verdict.reason, under);
        kept.skip.rule = Some(verdict.rule.to_owned()).filter(|rule| !rule.is_empty());
        let given =
            pattern.and_then(|number| Some((number, self.judge.policy.patterns.get(number)?)));
        if let Some((number, pattern)) = given {
            kept.skip.rule = Some(pattern.text());
            kept.skip.per = Some(pattern.from.clone());
            self.uses.borrow_mut().keeps(number);
        }
        kept
    }

    pub(super) fn kept(&self, path: &[u8], reason: SkipReason, under: Option<Vec<u8>>) -> Kept {
        let path = GuestPath::new(path).unwrap_or_else(|_| GuestPath::root());
        Kept {
            skip: Skip::new(self.survey.guest.name.clone(), path, reason),
            under: under.filter(|_| self.judge.policy.skips == SkipDetail::Summary),
        }
    }
}

/// A directory below the known name of an alias, as the walk sees it.
fn translate(under: &[u8], alias: &Alias) -> Vec<u8> {
    match under.strip_prefix(alias.known.as_slice()) {
        Some(rest) => [&alias.real, rest].concat(),
        None => alias.real.clone(),
    }
}
