//! Commands that the shim of `src/sys/fault.rs` runs in the middle of an `apply`.

use std::path::Path;

use super::{Out, Planned, id, unify_with};

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

/// A shell command that goes on until somebody who wants to write to this file, by whatever name, waits for the lease
/// on it, or this other file is there. It takes so long only where neither comes.
pub fn until_a_writer_waits(file: &Path, or: &Path) -> String {
    let (inode, or) = (id(file).1, or.display());
    format!(
        "for n in $(seq 6000); do grep -q 'BREAKING.*:{inode} ' /proc/locks && break; test -e '{or}' && break; \
         sleep 0.01; done"
    )
}
