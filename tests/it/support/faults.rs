//! Commands that the shim of `src/sys/fault.rs` runs in the middle of an `apply`.

use super::{Out, Planned, unify_with};

/// Applies with something happening at a call, such as `exchange#1`.
pub fn apply_while(plan: &Planned, faults: &[(&str, String)]) -> Out {
    let faults: Vec<String> = faults
        .iter()
        .map(|(at, command)| format!("{at}=run:{command}"))
        .collect();
    let faults = faults.join("\n");
    unify_with(
        &[("UNIFY_FAULT", &faults)],
        &["apply", "--yes", plan.path.to_str().unwrap()],
    )
}
