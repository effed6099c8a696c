//! What is said of receipts of which lines are damaged.

use std::io::{self, Write};
use std::path::Path;

use crate::model::DamagedLine;
use crate::report::layout::shell::shell_word;
use crate::report::layout::size::{count, counted};
use crate::report::words::sentence::safe;

/// So many are shown; `--json` has all.
const SHOWN: usize = 20;

/// Which lines, and how what they said is found again.
pub fn text(damaged: &[DamagedLine], base: &Path, out: &mut dyn Write) -> io::Result<()> {
    if damaged.is_empty() {
        return Ok(());
    }
    let all = counted(damaged.len() as u64, "line");
    writeln!(
        out,
        "DAMAGED: {all} of receipts are not what was written, and count for nothing:"
    )?;
    for DamagedLine {
        paper, line, why, ..
    } in damaged.iter().take(SHOWN)
    {
        writeln!(out, "  {}, line {line}: {}", safe(paper), safe(why))?;
    }
    let more = damaged.len().saturating_sub(SHOWN) as u64;
    if more > 0 {
        writeln!(out, "  and {} more: see --json", count(more))?;
    }
    writeln!(
        out,
        "  what they said of names is found on the disk: run `unify recover --restored --base {}`",
        shell_word(base)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let said = |damaged: &[DamagedLine]| written(|out| text(damaged, Path::new("/b"), out));
        assert_eq!(said(&[]), "");
        let many: Vec<DamagedLine> = (1..=25).map(line).collect();
        let said = said(&many);
        assert_tame(&said);
        assert!(
            said.contains(", line 20: ") && !said.contains(", line 21: "),
            "{said}"
        );
        assert!(said.contains("and 5 more"), "{said}");
        assert!(
            said.ends_with("`unify recover --restored --base /b`\n"),
            "{said}"
        );
    }
}
