//! The lines of two texts. What a guest may make it cost is bounded: in bytes, in lines and in time.

use std::time::Instant;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices_deadline, group_diff_ops};

use crate::model::{HunkLine, LineFrom, NoText, TextHunk};

/// Larger files are not shown line by line.
pub(super) const LONGEST_TEXT: u64 = 1 << 20;

/// Nor are those of more lines.
const MOST_LINES: usize = 50_000;

/// Where a zero byte makes a file binary, as other programs have it.
const BEGINNING: usize = 8 << 10;

/// Lines that are shown around those that differ.
const AROUND: usize = 3;

/// What differs between two texts of at most [`LONGEST_TEXT`] bytes, and whether nothing shorter would say it: after
/// `until` the lines that were not compared yet are told as different ones, which is true, and longer.
pub(super) fn hunks(
    old: &[u8],
    new: &[u8],
    until: Instant,
) -> Result<(Vec<TextHunk>, bool), NoText> {
    let is_binary = |text: &[u8]| text.iter().take(BEGINNING).any(|byte| *byte == 0);
    if is_binary(old) || is_binary(new) {
        return Err(NoText::Binary);
    }
    let (old, new) = (lines(old)?, lines(new)?);
    let operations = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(until));
    let fewest = Instant::now() < until;
    let groups = group_diff_ops(operations, AROUND);
    let hunk = |group: Vec<DiffOp>| hunk(&group, &old, &new);
    Ok((groups.into_iter().map(hunk).collect(), fewest))
}

/// Lines with their line feeds.
fn lines(text: &[u8]) -> Result<Vec<&[u8]>, NoText> {
    let mut lines = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if lines.len() == MOST_LINES {
            return Err(NoText::TooLarge);
        }
        lines.push(line);
    }
    Ok(lines)
}

fn hunk(group: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) -> TextHunk {
    let mut lines = Vec::new();
    for operation in group {
        let (tag, in_old, in_new) = operation.as_tag_tuple();
        let old = old.get(in_old).unwrap_or_default();
        let new = new.get(in_new).unwrap_or_default();
        match tag {
            DiffTag::Equal => take(old, LineFrom::Both, &mut lines),
            DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                take(old, LineFrom::Old, &mut lines);
                take(new, LineFrom::New, &mut lines);
            }
        }
    }
    let span = |range: &dyn Fn(&DiffOp) -> std::ops::Range<usize>| {
        let from = group.first().map_or(0, |first| range(first).start);
        let to = group.last().map_or(0, |last| range(last).end);
        let first = from + usize::from(to > from);
        (first as u64, (to - from) as u64)
    };
    TextHunk {
        old: span(&DiffOp::old_range),
        new: span(&DiffOp::new_range),
        lines,
    }
}

fn take(lines: &[&[u8]], from: LineFrom, into: &mut Vec<HunkLine>) {
    into.extend(lines.iter().map(|line| {
        let text = line.strip_suffix(b"\n");
        HunkLine {
            from,
            text: text.unwrap_or(line).to_vec(),
            ended: text.is_some(),
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    fn shown(old: &str, new: &str) -> String {
        let (hunks, fewest) = hunks(old.as_bytes(), new.as_bytes(), after(3600)).unwrap();
        assert!(fewest);
        let line = |line: &HunkLine| {
            let sign = match line.from {
                LineFrom::Both => ' ',
                LineFrom::Old => '-',
                LineFrom::New => '+',
            };
            let end = if line.ended { "" } else { "$" };
            format!("{sign}{}{end}\n", String::from_utf8_lossy(&line.text))
        };
        let hunk = |hunk: &TextHunk| {
            let lines: String = hunk.lines.iter().map(line).collect();
            format!("{:?} {:?}\n{lines}", hunk.old, hunk.new)
        };
        hunks.iter().map(hunk).collect()
    }

    #[test]
    fn lines_are_told_with_three_around_them() {
        assert_eq!(shown("a\nb\n", "a\nb\n"), "");
        assert_eq!(shown("", "a\n"), "(0, 0) (1, 1)\n+a\n");
        assert_eq!(shown("a\n", ""), "(1, 1) (0, 0)\n-a\n");
        assert_eq!(shown("a", "a\n"), "(1, 1) (1, 1)\n-a$\n+a\n");
        let old: String = (0..20).map(|n| format!("{n}\n")).collect();
        let new = old.replace("10\n", "ten\n");
        let want = "(8, 7) (8, 7)\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n";
        assert_eq!(shown(&old, &new), want);
    }

    #[test]
    fn no_text_costs_more_than_is_meant() {
        assert_eq!(hunks(b"a\0b", b"a", after(3600)), Err(NoText::Binary));
        let many = b"\n".repeat(MOST_LINES + 1);
        assert_eq!(hunks(b"a", &many, after(3600)), Err(NoText::TooLarge));
        // Nothing in common, and much of it: it is told, however long that is.
        let text = |begin: u32| {
            (0..40_000)
                .map(|n| format!("{}\n", begin + n * 7))
                .collect::<String>()
        };
        let (hunks, _) = hunks(text(0).as_bytes(), text(3).as_bytes(), after(2)).unwrap();
        let lines = hunks.iter().flat_map(|hunk| &hunk.lines);
        assert_eq!(
            lines.filter(|line| line.from != LineFrom::Both).count(),
            80_000
        );
    }
}
