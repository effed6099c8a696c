//! Tables of a few columns, as aligned text and as markdown.
//!
//! A cell may hold anything: a control character in it is escaped here once more, so that no caller can forget
//! it, and in markdown a name from a guest becomes a code span, in which no link, mention or HTML comes to life.
//! Columns are as wide as their widest cell; nothing is truncated. A text table that is wider than the screen has its
//! first column on lines of its own.

use std::io::{self, Write};

use crate::model::harmless as clean;

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A number or size: set to the right.
    Number,
    /// Words of our own: set to the left.
    Words,
    /// Something that a guest or a plan named: set to the left, a code span in markdown.
    Name,
}

/// Rows of cells under a heading.
#[derive(Debug)]
pub struct TextTable {
    columns: Vec<Column>,
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A table below its title; nothing at all where it has no row.
pub fn section(title: &str, table: &TextTable, out: &mut dyn Write) -> io::Result<()> {
    section_within(usize::MAX, title, table, out)
}

/// The same within so many columns.
pub fn section_within(
    columns: usize,
    title: &str,
    table: &TextTable,
    out: &mut dyn Write,
) -> io::Result<()> {
    if table.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    table.text_within(columns, out)
}

impl TextTable {
    /// An empty table; each column is its heading and what stands in it. A text table without any heading has no
    /// heading line.
    pub fn new(columns: &[(&str, Column)]) -> TextTable {
        TextTable {
            columns: columns.iter().map(|(_, column)| *column).collect(),
            heading: columns.iter().map(|(text, _)| (*text).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Cells beyond the last column are dropped, missing ones are empty.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.cells(cells.into());
    }

    /// The same for a table of which it is decided later how many columns it has.
    pub fn cells(&mut self, cells: Vec<String>) {
        let mut cells: Vec<String> = cells.into_iter().map(|cell| clean(&cell)).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Two spaces, then the cells, two spaces apart; no space at the end of a line.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let headed = self.heading.iter().any(|text| !text.is_empty());
        let heading = headed.then_some(&self.heading);
        let widths = self.widths();
        for row in heading.into_iter().chain(&self.rows) {
            let cells = row.iter().zip(&self.columns).zip(&widths);
            let line: String = cells.map(|((c, column), w)| pad(c, *column, *w)).collect();
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// The same within so many columns: where these do not do, the first cell of a row has a line of its own.
    pub fn text_within(&self, columns: usize, out: &mut dyn Write) -> io::Result<()> {
        let widths = self.widths();
        let all: usize = widths.iter().map(|width| width + 2).sum();
        if all <= columns || self.columns.len() < 3 {
            return self.text(out);
        }
        for row in std::iter::once(&self.heading).chain(&self.rows) {
            let cells = row.iter().zip(&self.columns).zip(&widths);
            let rest = cells.skip(1).map(|((c, column), w)| pad(c, *column, *w));
            let rest: String = rest.collect();
            writeln!(out, "  {}", row.first().map_or("", String::as_str))?;
            writeln!(out, "{}", format!("  {rest}").trim_end())?;
        }
        Ok(())
    }

    /// A table of GitHub's markdown.
    pub fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let heading: Vec<String> = self.heading.iter().map(|text| escape(text)).collect();
        writeln!(out, "| {} |", heading.join(" | "))?;
        let rules = self.columns.iter().map(|column| match column {
            Column::Number => "---:",
            Column::Words | Column::Name => "---",
        });
        writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "))?;
        for row in &self.rows {
            let cells = row.iter().zip(&self.columns);
            let cells: Vec<String> = cells
                .map(|(cell, column)| cell_markdown(cell, *column))
                .collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        Ok(())
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heading.iter().map(|text| width(text)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        widths
    }
}

fn pad(cell: &str, column: Column, to: usize) -> String {
    let gap = " ".repeat(to.saturating_sub(width(cell)));
    match column {
        Column::Number => format!("  {gap}{cell}"),
        Column::Words | Column::Name => format!("  {cell}{gap}"),
    }
}

fn cell_markdown(cell: &str, column: Column) -> String {
    match column {
        _ if cell.is_empty() => String::new(),
        Column::Name => code(cell).replace('|', "\\|"),
        Column::Number | Column::Words => escape(cell),
    }
}

/// A code span of `text`, fenced by more backticks than `text` has in a row (CommonMark 0.31, 6.1).
pub fn code(text: &str) -> String {
    let text = clean(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let edge = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{edge}{text}{edge}{fence}")
}

/// Words in which no character means anything to markdown (CommonMark 0.31, 2.4).
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in clean(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '&' | '~' | '#'
        ) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// Columns on a terminal: East Asian and emoji blocks take two, combining accents none.
pub(super) fn width(text: &str) -> usize {
    let wide = |c| match c {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    };
    text.chars().map(wide).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> TextTable {
        let mut table = TextTable::new(&[
            ("name", Column::Name),
            ("files", Column::Number),
            ("why", Column::Words),
        ]);
        table.row(["web1".into(), "1,204".into(), "cache".into()]);
        table.row(["日本".into(), "3".into(), "a|b *c*".into()]);
        table.row(["a`b|c\n".into(), String::new(), String::new()]);
        table
    }

    fn written(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_aligned_with_wide_names_and_has_no_trailing_space() {
        let want = "  name        files  why
  web1        1,204  cache
  日本            3  a|b *c*
  a`b|c\\u{a}
";
        assert_eq!(written(|out| sample().text(out)), want);
    }

    #[test]
    fn a_table_that_is_too_wide_has_two_lines_a_row() {
        let want = "  name
    files  why
  web1
    1,204  cache
  日本
        3  a|b *c*
  a`b|c\\u{a}

";
        assert_eq!(written(|out| sample().text_within(24, out)), want);
        assert_eq!(
            written(|out| sample().text_within(29, out)),
            written(|out| sample().text(out))
        );
    }

    #[test]
    fn markdown_cells_mean_nothing_to_markdown() {
        let want = "| name | files | why |
| --- | ---: | --- |
| `web1` | 1,204 | cache |
| `日本` | 3 | a\\|b \\*c\\* |
| ``a`b\\|c\\u{a}`` |  |  |
";
        assert_eq!(written(|out| sample().markdown(out)), want);
    }

    #[test]
    fn code_spans_outnumber_the_backticks_within() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b`"), "``` a``b` ```");
    }

    #[test]
    fn a_table_without_headings_has_no_heading_line() {
        let mut table = TextTable::new(&[("", Column::Words), ("", Column::Number)]);
        assert!(table.is_empty());
        table.row(["link".into(), "5".into()]);
        assert_eq!(written(|out| table.text(out)), "  link  5\n");
    }
}
