//! Names in a sentence: a line for a person names some of many.

use crate::report::layout::size::count;

/// So many are named.
const NAMED: usize = 20;

/// `a, b, c and 17 more`.
pub fn some(names: &[String]) -> String {
    let named = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) as u64 {
        0 => named,
        more => format!("{named} and {} more", count(more)),
    }
}
