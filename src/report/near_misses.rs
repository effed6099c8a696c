//! Near misses: what one `chown`, `chmod` or build setting would bring, in one line, one table, or one by one.

use crate::model::{NearMiss, NearMisses, Shift};

use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable};
use super::plan_view::PlanView;
use super::words::sentence::safe;

/// For the report of `plan`: one line, if there is anything to say.
pub(super) fn line(plan: &PlanView<'_>, sizes: Sizes) -> Option<String> {
    let near = &plan.summary.near_misses;
    (near.all.files > 0).then(|| {
        let (files, bytes) = (counted(near.all.files, "file"), sizes.of(near.all.bytes));
        format!("near misses: {files}, up to {bytes} more if owner, mode, time and xattrs were equal; see unify show --near-misses")
    })
}

/// How much is at stake, by what differs.
pub(super) fn by(near: &NearMisses, sizes: Sizes) -> TextTable {
    let mut table = TextTable::new(&[
        ("differs", Column::Name),
        ("files", Column::Number),
        ("bytes", Column::Number),
    ]);
    let mut rows: Vec<_> = near.by.iter().collect();
    rows.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.bytes, sum.files)));
    for (differs, sum) in rows {
        table.row([safe(differs), count(sum.files), sizes.of(sum.bytes)]);
    }
    table
}

/// One by one, the largest first.
pub(super) fn listed(near: &NearMisses, sizes: Sizes) -> TextTable {
    let mut table = TextTable::new(&[
        ("bytes", Column::Number),
        ("differs", Column::Name),
        ("file", Column::Name),
        ("could share with", Column::Words),
    ]);
    for NearMiss {
        files: (with, of),
        differs,
        bytes,
    } in &near.listed
    {
        let words: Vec<String> = differs.iter().map(ToString::to_string).collect();
        table.row([sizes.of(*bytes), words.join(", "), safe(of), safe(with)]);
    }
    table
}

/// Shifted guests, and how many single files the plan does not list.
pub(super) fn remarks(near: &NearMisses, sizes: Sizes) -> Vec<String> {
    let mut lines: Vec<String> = near
        .shifted
        .iter()
        .map(|shift| shifted(shift, sizes))
        .collect();
    let in_shifts = near.shifted.iter().map(|shift| shift.count.files);
    let told = in_shifts.fold(near.listed.len() as u64, u64::saturating_add);
    match near.all.files.saturating_sub(told) {
        0 => {}
        more => lines.push(format!(
            "{} more: the plan lists the {} largest",
            counted(more, "file"),
            near.listed.len()
        )),
    }
    lines
}

fn shifted(shift: &Shift, sizes: Sizes) -> String {
    let (a, b) = &shift.guests;
    let (files, bytes) = (
        counted(shift.count.files, "file"),
        sizes.of(shift.count.bytes),
    );
    format!(
        "the owners of {b} are those of {a} plus {} (users) and {} (groups): {files}, {bytes}; a user namespace does this, not a mistake in single files",
        shift.uid, shift.gid
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Count, Moved};
    use crate::report::samples::guest;

    #[test]
    fn what_is_not_listed_is_counted() {
        let count = |files| Count { files, bytes: 4096 };
        let near = NearMisses {
            all: count(10),
            listed: vec![NearMiss {
                files: ("a:/f".into(), "b:/f\u{1b}".into()),
                differs: vec![Moved::Uid, Moved::Gid],
                bytes: 4096,
            }],
            shifted: vec![Shift {
                guests: (guest("a"), guest("b")),
                uid: 100_000,
                gid: -5,
                count: count(7),
            }],
            ..NearMisses::default()
        };
        let lines = remarks(&near, Sizes::default());
        assert!(lines[0].starts_with("the owners of b are those of a plus 100000 (users) and -5"));
        assert!(lines[1].starts_with("2 files more"), "{}", lines[1]);
        let mut text = Vec::new();
        listed(&near, Sizes::default()).text(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("uid, gid") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}
