//! Lines that fit a terminal: a long one is broken between words, and what follows is set in.
//!
//! A command within backticks or behind a colon (as far as a comma, where it is one of ours) is one word, because
//! somebody copies it, and so is a name: neither is ever cut, even where it is longer than the line.

use std::io::{self, Write};

use super::table::width;

/// How far what follows the first line is set in.
const INDENT: &str = "    ";

/// Breaks the lines that are written through it.
pub struct Fitted<'w> {
    out: &'w mut dyn Write,
    columns: usize,
    line: Vec<u8>,
}

impl<'w> Fitted<'w> {
    /// Lines of at most so many columns.
    pub fn new(out: &'w mut dyn Write, columns: usize) -> Fitted<'w> {
        Fitted {
            out,
            columns,
            line: Vec::new(),
        }
    }

    fn end_line(&mut self) -> io::Result<()> {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        if width(&line) <= self.columns {
            return writeln!(self.out, "{line}");
        }
        for piece in broken(&line, self.columns) {
            writeln!(self.out, "{piece}")?;
        }
        Ok(())
    }
}

impl Write for Fitted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.extend_from_slice(end);
                    self.end_line()?;
                }
                None => self.line.extend_from_slice(piece),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The pieces of a line. What stands at its beginning is kept, and all that follows is set in further.
fn broken(line: &str, columns: usize) -> Vec<String> {
    let start: String = line.chars().take_while(|c| *c == ' ').collect();
    let indent = format!("{start}{INDENT}");
    let mut pieces = Vec::new();
    let (mut piece, mut is_empty) = (start, true);
    for word in words(line) {
        let fits = width(&piece) + 1 + width(word) <= columns;
        if !is_empty && !fits && !looks_like_an_order(word) {
            pieces.push(std::mem::replace(&mut piece, indent.clone()));
            is_empty = true;
        }
        if !is_empty {
            piece.push(' ');
        }
        piece += word;
        is_empty = false;
    }
    pieces.push(piece);
    pieces
}

/// A line that begins so is an order to some machine that reads logs.
fn looks_like_an_order(word: &str) -> bool {
    word.starts_with([':', '#'])
}

/// Words between spaces; what stands within backticks is one, and so is a command behind a colon and two spaces, and
/// one of ours behind a colon, up to a comma.
fn words(line: &str) -> Vec<&str> {
    const OURS: &str = ": unify ";
    if let Some(at) = line.find(OURS).filter(|at| !line[..*at].contains('`')) {
        let (before, command) = (&line[..=at], &line[at + 2..]);
        let end = command.find(", ").map_or(command.len(), |comma| comma + 1);
        let mut all = words(before);
        all.push(&command[..end]);
        all.extend(words(&command[end..]));
        return all;
    }
    let (line, command) = match line.find(":  ") {
        Some(at) => (&line[..=at], line[at + 1..].trim_start()),
        None => (line, ""),
    };
    let (mut words, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in line.char_indices() {
        match c {
            '`' => quoted = !quoted,
            ' ' if !quoted => {
                words.push(&line[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    words.extend([&line[begin..], command]);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::written;

    fn fitted(text: &str, columns: usize) -> String {
        written(|out| Fitted::new(out, columns).write_all(text.as_bytes()))
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let text = "a\n\n  b   c\n";
        assert_eq!(fitted(text, 9), text);
    }

    #[test]
    fn long_lines_are_broken_between_words_and_commands_are_not() {
        let text = "MISSING: web1: it is not there; `unify forget web1` lets go of it\n";
        let want = "MISSING: web1: it is not
    there;
    `unify forget web1`
    lets go of it
";
        assert_eq!(fitted(text, 24), want);
        let text = "  to be rid of them:  unify undo --base /srv/.unify --run all\n";
        let want = "  to be rid of them:
      unify undo --base /srv/.unify --run all
";
        assert_eq!(fitted(text, 24), want);
        let text = "Next: unify status --base /srv/.unify, to see what is shared now\n";
        let want = "Next:
    unify status --base /srv/.unify,
    to see what is
    shared now
";
        assert_eq!(fitted(text, 20), want);
        let name = "/a/name/that/is/longer/than/the/line";
        let want = format!("  x:\n      {name}\n      is changed\n");
        assert_eq!(fitted(&format!("  x: {name} is changed\n"), 16), want);
    }

    #[test]
    fn no_line_begins_with_an_order() {
        let said = fitted("a name ::error::x and ##[error] b\n", 8);
        assert!(
            said.lines()
                .all(|line| !line.trim_start().starts_with([':', '#'])),
            "{said}"
        );
    }
}
