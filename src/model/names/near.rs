//! The names that a person probably meant.

use std::cmp::Reverse;

use crate::model::{GuestName, GuestPath};

/// A glob that chose nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoseNothing {
    /// As it was given.
    pub glob: String,
    /// Does it name a guest that is none of these?
    pub no_guest: bool,
    /// A name of a guest that it spells out and that is there.
    pub there: Option<(GuestName, GuestPath)>,
    /// Names that are there and that were probably meant.
    pub near: Vec<(GuestName, GuestPath)>,
}

/// Letters that a slip gets wrong.
const MOST_SLIPS: usize = 2;

/// Of `all`, at most `most` that differ from `word` by few letters, or of which one begins with the other: the nearest
/// first. Empty where none is near.
pub fn nearest_of<'a>(
    word: &str,
    all: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let letters = word.chars().count();
    let rank = |known: &'a str| {
        let same = known.bytes().zip(word.bytes());
        let same = same.take_while(|(a, b)| a == b).count();
        let begins = letters > 2 && (known.starts_with(word) || word.starts_with(known));
        // A word of three letters is two letters away from half of all words.
        let slip = distance(word, known, letters.div_ceil(4).min(MOST_SLIPS));
        let away = slip.or((begins && !known.is_empty()).then_some(MOST_SLIPS + 1))?;
        Some((away, Reverse(same), known))
    };
    let mut near: Vec<_> = all.into_iter().filter_map(rank).collect();
    near.sort();
    near.dedup();
    near.truncate(most);
    near.into_iter().map(|(_, _, known)| known).collect()
}

/// Letters to add, drop or change (Levenshtein); `None` where there are more than `most`. What is longer than a name
/// can be is compared by nobody.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most * 4 || a.len().max(b.len()) > 1_024 {
        return None;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let (left, above) = (row.get(j).copied(), row.get(j + 1).copied());
            let (left, above) = (left.unwrap_or(0), above.unwrap_or(0));
            let best = (diagonal + usize::from(x != *y))
                .min(left + 1)
                .min(above + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = best;
            }
        }
    }
    row.last().copied().filter(|away| *away <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_slip_away_is_near() {
        let all = ["doc", "doc-base", "dict", "man", "perl", "perl5"];
        assert_eq!(nearest_of("dok", all, 3), ["doc"]);
        assert_eq!(nearest_of("pearl", all, 1), ["perl"]);
        assert_eq!(nearest_of("perl", all, 3), ["perl", "perl5"]);
        assert!(nearest_of("zzzz", all, 3).is_empty());
        assert_eq!(nearest_of("web2", ["web1", "db1"], 3), ["web1"]);
        assert!(nearest_of("x", ["y"], 3).len() <= 1);
    }
}
