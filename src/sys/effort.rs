//! For unit tests: how much of a long series a test tries.

/// Every so many-th of a series: `often` on a commit, each one where `UNIFY_LONG=1`.
pub fn stride(often: usize) -> usize {
    match std::env::var_os("UNIFY_LONG").is_some_and(|value| value == "1") {
        true => 1,
        false => often,
    }
}
