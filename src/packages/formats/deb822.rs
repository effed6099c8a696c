//! The stanza format of dpkg's `status`, read as dpkg's own parser reads it (lib/dpkg/parse.c, 1.22).
//!
//! ```text
//! file   = { LF } { stanza { LF } }
//! stanza = field { field }                         ; ends at an empty line or the end of the file
//! field  = name [ws] ":" [ws] value LF { ws continuation LF }
//! name   = 1*(any byte but white space and ":")    ; does not begin with "-"; compared without case
//! ```
//!
//! Pure, and a stream: a stanza is never held as a whole, so a file of a million fields costs nothing.

use super::lines::{TextLines, is_blank, lines, trim_end, trim_start};
use crate::packages::read::fault::{Defect, Fault};

/// A piece of a file, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StanzaEvent<'a> {
    /// The first line of a field.
    Field {
        at: usize,
        name: &'a [u8],
        /// Without white space around it.
        value: &'a [u8],
    },
    /// A further line of the last field, as it stands, blanks in front included.
    More { at: usize, text: &'a [u8] },
    /// The stanza is over; `at` is where.
    End { at: usize },
}

/// The pieces of a file; the first fault is the last item.
pub struct Events<'a> {
    lines: TextLines<'a>,
    end: usize,
    in_stanza: bool,
    over: bool,
}

/// Reads a whole file.
pub fn events(data: &[u8]) -> Events<'_> {
    Events {
        lines: lines(data),
        end: data.len(),
        in_stanza: false,
        over: false,
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<StanzaEvent<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.lines.next().filter(|_| !self.over) {
                None => return self.end(self.end).map(Ok),
                Some(Ok((at, b""))) => {
                    if let Some(end) = self.end(at) {
                        return Some(Ok(end));
                    } // else one more of the empty lines between stanzas
                }
                Some(line) => {
                    let event = line.and_then(|(at, line)| self.line(at, line));
                    self.over = event.is_err();
                    self.in_stanza = event.is_ok();
                    return Some(event);
                }
            }
        }
    }
}

impl<'a> Events<'a> {
    fn end(&mut self, at: usize) -> Option<StanzaEvent<'a>> {
        std::mem::take(&mut self.in_stanza).then_some(StanzaEvent::End { at })
    }

    fn line(&self, at: usize, line: &'a [u8]) -> Result<StanzaEvent<'a>, Fault> {
        if line.contains(&0x1a) {
            return Err(Defect::ControlZ.at(at)); // dpkg takes it for a newline: refused, not guessed
        }
        if !line.first().is_some_and(|&b| is_blank(b)) {
            return field(at, line);
        }
        if !self.in_stanza {
            return Err(Defect::Orphan.at(at));
        }
        if trim_start(line).is_empty() {
            return Err(Defect::BlankContinuation.at(at));
        }
        Ok(StanzaEvent::More { at, text: line })
    }
}

fn field(at: usize, line: &[u8]) -> Result<StanzaEvent<'_>, Fault> {
    let length = line.iter().position(|&b| b == b':' || is_blank(b));
    let (name, rest) = line
        .split_at_checked(length.unwrap_or(line.len()))
        .unwrap_or((line, b""));
    if name.is_empty() || name.starts_with(b"-") {
        return Err(Defect::FieldName.at(at));
    }
    let Some(value) = trim_start(rest).strip_prefix(b":") else {
        return Err(Defect::NoColon.at(at));
    };
    let value = trim_end(trim_start(value));
    Ok(StanzaEvent::Field { at, name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &[u8]) -> Result<Vec<StanzaEvent<'_>>, Fault> {
        events(data).collect()
    }

    #[test]
    fn stanzas_fields_and_continuations() {
        let got = read(b"\n\nPackage : x \nConffiles:\n /a 1\n\tb\n\n\nP:\n").unwrap();
        let field = |at, name, value| StanzaEvent::Field { at, name, value };
        let want = [
            field(2, b"Package".as_slice(), b"x".as_slice()),
            field(15, b"Conffiles", b""),
            StanzaEvent::More {
                at: 26,
                text: b" /a 1",
            },
            StanzaEvent::More {
                at: 32,
                text: b"\tb",
            },
            StanzaEvent::End { at: 35 },
            field(37, b"P", b""),
            StanzaEvent::End { at: 40 },
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn grammar_violations() {
        let cases: [(&[u8], Fault); 9] = [
            (b"P: x", Defect::NoFinalNewline.at(0)),
            (b"P: x\n y", Defect::NoFinalNewline.at(5)),
            (b"P: x\n \t\n", Defect::BlankContinuation.at(5)),
            (b" x\n", Defect::Orphan.at(0)),
            (b"P: x\n\n x\n", Defect::Orphan.at(6)),
            (b"P: x\nfoo bar\n", Defect::NoColon.at(5)),
            (b": x\n", Defect::FieldName.at(0)),
            (b"-a: x\n", Defect::FieldName.at(0)),
            (b"P: x\x1a\n", Defect::ControlZ.at(0)),
        ];
        for (data, want) in cases {
            assert_eq!(read(data), Err(want), "{}", data.escape_ascii());
        }
    }

    #[test]
    fn nothing_follows_a_fault() {
        assert_eq!(events(b"P: x\n\0\nQ: y\n").count(), 2);
        assert_eq!(events(b"P: x\nbad\nQ: y\n").count(), 2);
    }
}
