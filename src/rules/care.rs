//! Classify, first half: may this name be shared at all, as far as its path and inode tell?
//!
//! The answer comes from the user's patterns and the care rules ([`table`]), in this order:
//!
//! 1. the user's patterns: an exclude settles it, an include overrules the rules on paths;
//! 2. the rules on paths ([`Care::name`]);
//! 3. the rules on inodes ([`Care::inode`], [`Care::xattrs`]), which no pattern overrules.
//!
//! What package databases say comes before all of these and is not decided here.
//!
//! **How skips become one line.** The walk asks about every single name, because below a directory
//! that one rule covers another rule, a pattern or a package may say something else. When a rule
//! covers a whole directory, the verdict says which ([`CareVerdict::under`]); names with equal
//! `(reason, rule, under)` are then counted on one line for that directory. So the line for `/var`
//! stands for the names below it that no other line stands for.
//!
//! Paths are taken as the walk sees them, with no link in them. A guest that keeps `/var` elsewhere
//! behind a link must be asked about under the name `/var`.

use std::sync::Arc;

use crate::model::{FileState, GuestName, Method, PatternKind, Policy, SkipReason, Xattr};

use super::care_table::world_readable;
use super::pattern::links::Links;
use super::pattern::path_index::PathIndex;
use super::pattern::{BadPattern, Patterns};
use super::reflink::falls;

pub use super::care_rule::{CareRule, Covers, Test};
#[cfg(test)]
pub use super::care_table::is_overridable;
pub use super::care_table::{source_of, table};
use super::care_uses::UseRules;

/// The care rules that are switched on and the user's patterns, compiled.
#[derive(Debug, Clone)]
pub struct Care {
    patterns: Patterns,
    rules: Arc<AllRules>,
}

#[derive(Debug)]
struct AllRules {
    on: RuleSet,
    uses: UseRules,
    /// What was switched off, by its code.
    off: Vec<(SkipReason, RuleSet)>,
    min_size: u64,
    min_size_rule: String,
    method: Method,
    with_config: bool,
}

/// Rows of the table, compiled.
#[derive(Debug, Default)]
struct RuleSet {
    names: NameRules,
    unreadable_names: NameRules,
    tests: Vec<(SkipReason, Test)>,
}

/// Why a name is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CareVerdict<'care, 'path> {
    /// The code in the plan.
    pub reason: SkipReason,
    /// The pattern or the test that decided.
    pub rule: &'care str,
    /// The directory, if the rule covers all of it: skips under it are summed up on one line.
    pub under: Option<&'path [u8]>,
}

/// Rows on names, first match first.
#[derive(Debug, Default)]
struct NameRules {
    index: PathIndex,
    /// What each pattern of the index belongs to.
    rows: Vec<(SkipReason, &'static str)>,
}

/// What patterns and rules on paths say about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameVerdict<'care, 'path> {
    /// Why it is left alone, if it is.
    pub kept: Option<CareVerdict<'care, 'path>>,
    /// The number of the pattern that decided, if one did.
    pub pattern: Option<usize>,
}

impl Care {
    /// Compiles the rules as they are for files that are shared by this method. `Policy::allow` switches rows off;
    /// codes in it that no row has do nothing.
    pub fn new(policy: &Policy, method: Method) -> Result<Care, BadPattern> {
        let mut rules = AllRules {
            on: RuleSet::default(),
            uses: UseRules::new(policy, method),
            off: policy
                .allow
                .iter()
                .map(|reason| (*reason, RuleSet::default()))
                .collect(),
            min_size: policy.min_size,
            min_size_rule: format!("--min-size {}", policy.min_size),
            method,
            with_config: policy.reflink_config,
        };
        let asked = |rule: &&CareRule| !falls(rule.reason, method, policy.reflink_config);
        for rule in table().iter().filter(asked) {
            let off = rules
                .off
                .iter_mut()
                .find(|(reason, _)| *reason == rule.reason);
            let set = off.map_or(&mut rules.on, |(_, set)| set);
            set.add(rule)?;
        }
        Ok(Care {
            patterns: Patterns::new(&policy.patterns)?,
            rules: Arc::new(rules),
        })
    }

    /// The same for one guest: with the patterns that are for it, followed through its links.
    pub fn of_guest(&self, guest: &GuestName, links: &dyn Links) -> Care {
        Care {
            patterns: self.patterns.of_guest(guest, links),
            rules: Arc::clone(&self.rules),
        }
    }

    /// How files are shared that no rule keeps.
    pub fn method(&self) -> Method {
        self.rules.method
    }

    /// Does what keeps files for this reason say nothing of files that are shared by this method?
    pub fn falls(&self, reason: SkipReason) -> bool {
        falls(reason, self.rules.method, self.rules.with_config)
    }

    /// The user's patterns.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// What the patterns and the rules on paths say about a name; `path` is absolute.
    pub fn name<'p>(&self, path: &'p [u8]) -> Option<CareVerdict<'_, 'p>> {
        self.ask(path).kept
    }

    /// The same, and which pattern decided.
    pub fn ask<'p>(&self, path: &'p [u8]) -> NameVerdict<'_, 'p> {
        let Some(decision) = self.patterns.decide(path) else {
            return NameVerdict {
                kept: self.path_rule(path),
                pattern: None,
            };
        };
        let excluded = CareVerdict {
            reason: SkipReason::Excluded,
            rule: decision.pattern,
            under: decision.under,
        };
        NameVerdict {
            kept: (decision.kind == PatternKind::Exclude).then_some(excluded),
            pattern: Some(decision.number),
        }
    }

    /// What the rules on paths say, whatever patterns do.
    pub fn path_rule<'p>(&self, path: &'p [u8]) -> Option<CareVerdict<'_, 'p>> {
        self.rules.on.names.first(path)
    }

    /// What the rules on inodes say about a regular file. The path matters only to tell a private
    /// key from other files that not everybody may read.
    pub fn inode<'p>(&self, path: &'p [u8], state: &FileState) -> Option<CareVerdict<'_, 'p>> {
        let verdict = self.rules.on.inode(path, state);
        verdict.or_else(|| self.too_small(state))
    }

    /// The rules on what is done with a file now.
    pub fn uses(&self) -> &UseRules {
        &self.rules.uses
    }

    /// Rules that were switched off and cover this name, or the file if its state is given.
    pub fn switched_off<'p>(
        &self,
        path: &'p [u8],
        state: Option<&FileState>,
    ) -> impl Iterator<Item = CareVerdict<'_, 'p>> {
        self.rules.off.iter().filter_map(move |(_, set)| {
            let by_name = set.names.first(path);
            by_name.or_else(|| set.inode(path, state?))
        })
    }

    /// Is no rule switched off?
    pub fn is_whole(&self) -> bool {
        self.rules.off.is_empty()
    }

    /// What the rules on inodes say about extended attributes: capabilities are a privilege.
    pub fn xattrs(&self, xattrs: &[Xattr]) -> Option<CareVerdict<'_, 'static>> {
        let capable = xattrs.iter().any(|x| x.name == b"security.capability");
        let mut tests = self.rules.on.tests.iter().filter(|_| capable);
        let (reason, test) = tests.find(|(reason, _)| *reason == SkipReason::Privileged)?;
        Some(CareVerdict::of_inode(*reason, test.words))
    }

    fn too_small(&self, state: &FileState) -> Option<CareVerdict<'_, 'static>> {
        let small = state.size < self.rules.min_size;
        small.then(|| CareVerdict::of_inode(SkipReason::TooSmall, &self.rules.min_size_rule))
    }
}

impl RuleSet {
    fn add(&mut self, rule: &CareRule) -> Result<(), BadPattern> {
        match rule.covers {
            Covers::Names(patterns) => self.names.add(rule.reason, patterns),
            Covers::UnreadableNames(p) => self.unreadable_names.add(rule.reason, p),
            Covers::Files(test) => {
                self.tests.push((rule.reason, test));
                Ok(())
            }
            // `UseRules` has them.
            Covers::Used(..) => Ok(()),
        }
    }

    fn inode<'p>(&self, path: &'p [u8], state: &FileState) -> Option<CareVerdict<'_, 'p>> {
        let private = (!world_readable(state)).then(|| self.unreadable_names.first(path));
        private.flatten().or_else(|| self.failed_test(state))
    }

    fn failed_test(&self, state: &FileState) -> Option<CareVerdict<'_, 'static>> {
        let (reason, test) = self.tests.iter().find(|(_, test)| (test.holds)(state))?;
        Some(CareVerdict::of_inode(*reason, test.words))
    }
}

impl<'care> CareVerdict<'care, 'static> {
    fn of_inode(reason: SkipReason, rule: &'care str) -> Self {
        CareVerdict {
            reason,
            rule,
            under: None,
        }
    }
}

impl NameRules {
    fn add(
        &mut self,
        reason: SkipReason,
        patterns: &'static [&'static str],
    ) -> Result<(), BadPattern> {
        for pattern in patterns {
            self.index.push(pattern).map_err(|why| BadPattern {
                from: format!("care rule {reason}"),
                pattern: (*pattern).to_owned(),
                why: why.to_owned(),
            })?;
            self.rows.push((reason, pattern));
        }
        Ok(())
    }

    fn first<'p>(&self, path: &'p [u8]) -> Option<CareVerdict<'_, 'p>> {
        let hit = self.index.first(path)?;
        let (reason, rule) = *self.rows.get(hit.rank)?;
        Some(CareVerdict {
            reason,
            rule,
            under: (hit.covered.len() < path.len()).then_some(hit.covered),
        })
    }
}

#[cfg(test)]
#[path = "care_tests.rs"]
mod tests;
