//! What is said where a base does not know any more who holds its objects, and how that is found again.

use std::io::{self, Write};

use crate::model::{DamagedLine, Status};
use crate::report::layout::shell::shell_word;
use crate::report::layout::size::counted;
use crate::report::words::list::ListLimits;
use crate::report::words::sentence::safe;

/// Damaged receipts, and names that nobody accounts for.
pub fn text(status: &Status, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    damaged(&status.damaged, listing, out)?;
    let names = counted(status.unknown_names, "name");
    if status.unknown_names > 0 {
        writeln!(
            out,
            "UNKNOWN: {names} of objects in no guest that the base knows and finds"
        )?;
    }
    if status.damaged.is_empty() && status.unknown_names == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "  names are found on the disk: run `unify recover --restored --base {}`, with NAME=PATH for each guest that the base does not know",
        shell_word(&status.base)
    )
}

fn damaged(damaged: &[DamagedLine], listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    if damaged.is_empty() {
        return Ok(());
    }
    let all = counted(damaged.len() as u64, "line");
    writeln!(
        out,
        "DAMAGED: {all} of receipts are not what was written, and count for nothing:"
    )?;
    let shown = damaged.iter().take(listing.most);
    for DamagedLine {
        paper, line, why, ..
    } in shown
    {
        writeln!(out, "  {}, line {line}: {}", safe(paper), safe(why))?;
    }
    listing.more(damaged.len(), out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectCount, Sign};
    use crate::report::samples::{HOSTILE, assert_tame, written};

    fn line(line: u64) -> DamagedLine {
        DamagedLine {
            run: "20260102T030405Z-0a1b2c3d".parse().unwrap(),
            paper: format!("runs/{HOSTILE}"),
            line,
            why: HOSTILE.into(),
        }
    }

    #[test]
    fn many_lines_are_counted_and_nothing_hostile_comes_through() {
        let mut status = Status {
            maintained: Vec::new(),
            base: "/b".into(),
            sign: Sign::default(),
            frozen: Vec::new(),
            objects: ObjectCount::default(),
            guests: Vec::new(),
            runs: Vec::new(),
            damaged: Vec::new(),
            unknown_names: 0,
            at_work: false,
            written: crate::model::Broken::default(),
            guard: None,
        };
        assert_eq!(
            written(|out| text(&status, ListLimits::on(80, false), out)),
            ""
        );
        status.damaged = (1..=25).map(line).collect();
        status.unknown_names = 1;
        let said = written(|out| text(&status, ListLimits::on(80, false), out));
        assert_tame(&said);
        assert!(
            said.contains(", line 20: ") && !said.contains(", line 21: "),
            "{said}"
        );
        assert!(
            said.contains("and 5 more") && said.contains("UNKNOWN: 1 name of"),
            "{said}"
        );
        assert!(
            said.contains("`unify recover --restored --base /b`"),
            "{said}"
        );
    }
}
