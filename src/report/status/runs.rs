//! The runs of a base, as a table.

use crate::model::{RunEnd, RunKind, Status};
use crate::report::layout::size::{Sizes, count};
use crate::report::layout::table::{Column, TextTable};
use crate::report::words::list::ListLimits;

/// A row for each of the last runs, oldest first. A run's name says when it began.
pub fn table(status: &Status, sizes: Sizes, listing: ListLimits) -> TextTable {
    let mut table = TextTable::new(&[
        ("run", Column::Words),
        ("what", Column::Words),
        ("end", Column::Words),
        ("done", Column::Number),
        ("refused", Column::Number),
        ("failed", Column::Number),
        ("bytes", Column::Number),
    ]);
    let older = status.runs.len().saturating_sub(listing.most);
    for run in status.runs.iter().skip(older) {
        let totals = run.totals.as_ref();
        let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), count);
        table.row([
            run.run.to_string(),
            kind(run.what).to_owned(),
            end(run.end).to_owned(),
            number(totals.map(|totals| totals.done)),
            number(totals.map(|totals| totals.refused)),
            number(totals.map(|totals| totals.failed)),
            totals.map_or_else(|| "?".to_owned(), |totals| sizes.of(totals.bytes)),
        ]);
    }
    table
}

fn kind(what: RunKind) -> &'static str {
    match what {
        RunKind::Apply => "apply",
        RunKind::Undo => "undo",
        RunKind::Forget => "forget",
        RunKind::Break => "break",
    }
}

fn end(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Whole => "whole",
        RunEnd::Signal => "by a signal",
        RunEnd::Limit => "by a limit",
        RunEnd::Recovered => "cut, recovered",
        RunEnd::Unfinished => "unfinished",
    }
}
