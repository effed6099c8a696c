//! What a policy lets in although a rule keeps such files private. A reviewer sees it on the line: the note says which
//! choice let the file in, and why it would have stayed private.

use crate::model::{FileState, PatternKind, SkipReason};
use crate::rules::care::{Care, CareVerdict};

/// The note for a file with these names, where there is something to say; of several names the first that was let in.
pub fn note<P: AsRef<[u8]>>(
    care: &Care,
    mut names: impl Iterator<Item = P>,
    state: &FileState,
) -> Option<String> {
    if care.is_whole() && care.patterns().is_empty() {
        return None;
    }
    names.find_map(|name| allowed(care, name.as_ref(), state))
}

fn allowed(care: &Care, name: &[u8], state: &FileState) -> Option<String> {
    if let Some(off) = care.switched_off(name, Some(state)).next() {
        let by = format!("--allow {}", off.reason);
        return Some(let_in(&by, &off));
    }
    let included = care.patterns().decide(name);
    let included = included.filter(|pattern| pattern.kind == PatternKind::Include)?;
    let else_kept = care.path_rule(name)?;
    Some(let_in(
        &format!("--include {}", included.pattern),
        &else_kept,
    ))
}

/// The note for a file that is in use so, by whom.
pub fn used(reason: SkipReason, who: &str) -> String {
    format!("let in by --allow {reason}, else private: {reason} ({who})")
}

fn let_in(by: &str, rule: &CareVerdict<'_, '_>) -> String {
    format!(
        "let in by {by}, else private: {} ({})",
        rule.reason, rule.rule
    )
}
