//! Names in a sentence: a line for a person names some of many.

use crate::report::layout::size::count;

/// `a, b, c and 17 more`: the first `most` are named.
pub fn some(names: &[String], most: usize) -> String {
    let named = names[..names.len().min(most)].join(", ");
    match names.len().saturating_sub(most) as u64 {
        0 => named,
        more => format!("{named} and {} more", count(more)),
    }
}
