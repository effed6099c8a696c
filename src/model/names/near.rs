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

/// Letters to add, drop, change or swap with the next; `None` where there are more than `most`. What is longer than a
/// name can be is near to nothing.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most * 4 || a.len().max(b.len()) > 1_024 {
        return None;
    }
    let [a, b]: [Vec<char>; 2] = [a, b].map(|text| text.chars().collect());
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&last, j) + usize::from(x != y);
            let mut best = changed.min(at(&row, j) + 1).min(at(&last, j + 1) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        (before, last) = (last, row);
    }
    last.last().copied().filter(|away| *away <= most)
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
        assert_eq!(nearest_of("prel", all, 1), ["perl"]);
        assert!(nearest_of("zzzz", all, 3).is_empty());
        assert_eq!(nearest_of("web2", ["web1", "db1"], 3), ["web1"]);
        assert!(nearest_of("x", ["y"], 3).len() <= 1);
    }
}
