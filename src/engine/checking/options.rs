//! What a check is made of.

use std::collections::BTreeSet;

use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::model::{CheckOutcome, CheckPolicy};
use crate::rules::findings::judge::{FoundAll, Judging};
use crate::sys::hash::sha256;
use crate::sys::host::machine;

/// By what findings are judged.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Levels, bounds and exceptions.
    pub policy: CheckPolicy,
    /// The policy file, as it was named.
    pub file: Option<String>,
    /// The day, as `YYYY-MM-DD`; today where none is given.
    pub today: Option<String>,
    /// Do exceptions count for nothing?
    pub no_ignores: bool,
    /// Is an exception an error that is of no use?
    pub strict_ignores: bool,
    /// What was known before.
    pub baseline: BaselineUse,
}

/// Findings that were known before, by their keys.
#[derive(Debug, Clone, Default)]
pub enum BaselineUse {
    /// There is no baseline.
    #[default]
    None,
    /// These.
    Known(BTreeSet<String>),
}

impl CheckOptions {
    /// What counts of what was found.
    pub(super) fn judge(&self, found: FoundAll) -> Result<CheckOutcome, EngineError> {
        let now: String = machine::now().chars().take("2026-11-21".len()).collect();
        let judging = Judging {
            policy: &self.policy,
            file: self.file.as_deref(),
            today: self.today.as_deref().unwrap_or(&now),
            ignores: !self.no_ignores,
            strict: self.strict_ignores,
            baseline: match &self.baseline {
                BaselineUse::None => None,
                BaselineUse::Known(keys) => Some(keys),
            },
            digest: sha256,
        };
        judging.judge(found).map_err(|bad| {
            let file = self.file.as_deref().unwrap_or("policy");
            BadUse::Policy(format!("{file}:{}: {}", bad.line, bad.why)).into()
        })
    }
}
