//! What the choices of a policy came to in one guest, noted while its files are judged.

use std::collections::BTreeSet;

use crate::model::{FileState, PatternKind, SkipReason};
use crate::rules::care::Care;

/// What one pattern came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PatternUse {
    /// Names that it keeps.
    pub kept: u64,
    /// Names that may be shared because it overrules a care rule.
    pub freed: u64,
    /// Names that it would keep, of files that are shared already.
    pub shared: u64,
}

/// What all choices came to.
#[derive(Debug)]
pub struct Uses {
    /// The rules and patterns of this guest.
    pub care: Care,
    patterns: Vec<PatternUse>,
    /// Rules that were switched off, and without which a file could not be shared.
    allowed: BTreeSet<SkipReason>,
    /// Includes that overruled a care rule for a name of the file that is judged.
    pending: Vec<usize>,
}

impl Uses {
    /// Of none of so many patterns yet.
    pub fn new(care: Care, patterns: usize) -> Uses {
        Uses {
            care,
            patterns: vec![PatternUse::default(); patterns],
            allowed: BTreeSet::new(),
            pending: Vec::new(),
        }
    }

    /// What this pattern came to.
    pub fn of(&self, pattern: usize) -> PatternUse {
        self.patterns.get(pattern).copied().unwrap_or_default()
    }

    /// Did a file need that this rule is switched off?
    pub fn needs(&self, allowed: SkipReason) -> bool {
        self.allowed.contains(&allowed)
    }

    /// The next file is judged.
    pub fn next_file(&mut self) {
        self.pending.clear();
    }

    /// A pattern keeps a name.
    pub fn keeps(&mut self, pattern: usize) {
        self.count(pattern, |one| &mut one.kept);
    }

    /// An include overrules a care rule on a name of the file.
    pub fn overrules(&mut self, pattern: usize) {
        self.pending.push(pattern);
    }

    /// The file may be shared, and has these names.
    pub fn may_be_shared<P: AsRef<[u8]>>(
        &mut self,
        names: impl Iterator<Item = P>,
        state: &FileState,
    ) {
        for pattern in std::mem::take(&mut self.pending) {
            self.count(pattern, |one| &mut one.freed);
        }
        if self.care.is_whole() {
            return;
        }
        for name in names {
            let off = self.care.switched_off(name.as_ref(), Some(state));
            self.allowed.extend(off.map(|verdict| verdict.reason));
        }
    }

    /// The file may be shared although it is in use, because this rule is switched off.
    pub fn lets_in(&mut self, allowed: SkipReason) {
        self.allowed.insert(allowed);
    }

    /// The file is shared already, and has this name.
    pub fn is_shared(&mut self, name: &[u8]) {
        let decision = self.care.patterns().decide(name);
        let excluded = decision.filter(|decision| decision.kind == PatternKind::Exclude);
        if let Some(number) = excluded.map(|decision| decision.number) {
            self.count(number, |one| &mut one.shared);
        }
    }

    fn count(&mut self, pattern: usize, which: impl Fn(&mut PatternUse) -> &mut u64) {
        if let Some(one) = self.patterns.get_mut(pattern) {
            *which(one) += 1;
        }
    }
}
