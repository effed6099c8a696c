//! Names in a sentence: a line for a person names some of many.

use std::io::{self, Write};

use crate::report::layout::size::count;

/// So many lines of a long list are shown.
pub const MOST: usize = 20;

/// How much of long lists is shown, and how wide the screen is.
#[derive(Debug, Clone, Copy)]
pub struct ListLimits {
    /// Lines of one list.
    pub most: usize,
    /// Columns of the screen.
    pub columns: usize,
}

impl ListLimits {
    /// What a screen of so many columns has room for.
    pub fn on(columns: usize, all: bool) -> ListLimits {
        ListLimits {
            most: if all { usize::MAX } else { MOST },
            columns,
        }
    }

    /// `  and 17 more: --all or --json lists all`; nothing where all were shown.
    pub fn more(self, all: usize, out: &mut dyn Write) -> io::Result<()> {
        match all.saturating_sub(self.most) as u64 {
            0 => Ok(()),
            more => writeln!(out, "  and {} more: --all or --json lists all", count(more)),
        }
    }
}

/// `a, b, c and 17 more`: the first `most` are named.
pub fn some(names: &[String], most: usize) -> String {
    let named = names[..names.len().min(most)].join(", ");
    match names.len().saturating_sub(most) as u64 {
        0 => named,
        more => format!("{named} and {} more", count(more)),
    }
}
