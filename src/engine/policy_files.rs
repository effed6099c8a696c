//! Lists of patterns and policies, read from files.

use std::path::Path;

use super::EngineError;
use crate::engine::error::BadUse;
use crate::ledger::check_policy;
use crate::ledger::policy_file::{self, PolicyFile};
use crate::model::{CheckPolicy, Digest, Pattern};
use crate::rules::care::table;
use crate::rules::pattern::parse_list;
use crate::sys::hash::sha256;
use crate::sys::host::machine;
use crate::sys::own::papers;

/// Most bytes of a list or policy: a person wrote it.
const LONGEST: u64 = 1 << 20;

/// The patterns of a list in the original's syntax. A list that cannot be read is an error: an empty one would
/// share more.
pub fn read_patterns(path: &Path) -> Result<Vec<Pattern>, EngineError> {
    let text = papers::read_text(path, LONGEST)?;
    Ok(parse_list(&text, &path.to_string_lossy())?)
}

/// The policy of a check.
pub fn read_check_policy(path: &Path) -> Result<CheckPolicy, EngineError> {
    let bytes = papers::read_text(path, LONGEST)?;
    let name = path.to_string_lossy();
    let text = std::str::from_utf8(&bytes).map_err(|_| BadUse::PolicyNotText(name.to_string()))?;
    let policy = check_policy::parse(text, &name);
    policy.map_err(|bad| BadUse::Policy(bad.to_string()).into())
}

/// A policy file and the digest of its content.
pub fn read_policy(path: &Path) -> Result<(PolicyFile, Digest), EngineError> {
    let bytes = papers::read_text(path, LONGEST)?;
    let name = path.to_string_lossy();
    let text = std::str::from_utf8(&bytes).map_err(|_| BadUse::PolicyNotText(name.to_string()))?;
    let care = |code: &str| {
        let rows = table().iter().map(|rule| rule.reason);
        rows.into_iter().find(|reason| reason.code() == code)
    };
    let today: String = machine::now().chars().take("2026-11-21".len()).collect();
    let policy = policy_file::parse(text, &name, &today, care);
    let policy = policy.map_err(|bad| BadUse::Policy(bad.to_string()))?;
    Ok((policy, sha256(&bytes)))
}
