//! How untrusted text is shown, and the only place that decides it: which characters are escaped, and which text could
//! be taken for an order.
//!
//! A name must look like what it is. So everything is escaped that moves a cursor, turns or hides text, or takes no
//! room (Unicode's categories Cc, Cf, Zl, Zp, and all that is `Default_Ignorable_Code_Point`); blanks that are no
//! space; what has no meaning of its own, or none yet (private use, unassigned); and marks that would sit on what is
//! not the name's own, or pile up.
//!
//! Runners of CI jobs read the output for orders: `##[…]`, `##vso[…]` and `##teamcity[…]` wherever they stand in a
//! line, `::…::` where a line begins with it, blanks apart. None is ever written as it is.

use std::fmt::{self, Write};
use std::path::Path;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Untrusted bytes for people and terminals: what hides or commands is escaped, and so are bytes that are not UTF-8 and
/// blanks at the end. Nothing parses the result back.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl<'a> Escaped<'a> {
    /// A path of the host: it may come from a plan, or lead into a guest.
    pub fn of(path: &'a Path) -> Escaped<'a> {
        Escaped(path.as_os_str().as_encoded_bytes())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blanks = self.0.iter().rev().take_while(|byte| **byte == b' ');
        let (body, blanks) = self.0.split_at(self.0.len() - blanks.count());
        let mut line = Line::default();
        for chunk in body.utf8_chunks() {
            let mut chars = chunk.valid().chars().peekable();
            while let Some(c) = chars.next() {
                let plain = line.shows(c, chars.peek().copied());
                write_char(c, plain, f)?;
            }
            for byte in chunk.invalid() {
                line.hid();
                write!(f, "\\x{byte:02x}")?;
            }
        }
        blanks.iter().try_for_each(|_| f.write_str("\\x20"))
    }
}

fn write_char(c: char, plain: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        '\\' => f.write_str("\\\\"),
        c if plain => f.write_char(c),
        c if (c as u32) < 0x100 => write!(f, "\\x{:02x}", c as u32),
        c => write!(f, "\\u{{{:x}}}", c as u32),
    }
}

/// One line of text in which what hides or commands is written as `\u{…}`; harmless text stays as it is, so that this
/// may be done to a line that holds escaped names.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut line, mut chars) = (Line::default(), text.chars().peekable());
    while let Some(c) = chars.next() {
        if line.shows(c, chars.peek().copied()) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// Can the text be shown as it is?
pub fn is_harmless(text: &str) -> bool {
    let (mut line, mut chars) = (Line::default(), text.chars().peekable());
    std::iter::from_fn(|| Some((chars.next()?, chars.peek().copied())))
        .all(|(c, next)| line.shows(c, next))
}

/// Is the character written as `\uXXXX` where JSON would allow it as it is? Programs get it back unchanged, and whoever
/// prints the JSON is not led astray.
pub fn escaped_in_json(c: char, next: Option<char>) -> bool {
    needs_escape(c) || begins_order(c, next)
}

/// Is it a character that moves a cursor, turns or hides text, or means nothing?
pub fn needs_escape(c: char) -> bool {
    use GeneralCategory as Is;
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    is_ignorable(c)
        || matches!(
            c.general_category(),
            Is::Control
                | Is::Format
                | Is::LineSeparator
                | Is::ParagraphSeparator
                | Is::SpaceSeparator
                | Is::PrivateUse
                | Is::Surrogate
                | Is::Unassigned
        )
}

/// `Default_Ignorable_Code_Point` of Unicode's `DerivedCoreProperties.txt`, which is in no category of its own; and the
/// Braille pattern without dots, which looks like a space.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{2800}')
}

fn is_mark(c: char) -> bool {
    use GeneralCategory as Is;
    let mark = |c: char| {
        matches!(
            c.general_category(),
            Is::NonspacingMark | Is::SpacingMark | Is::EnclosingMark
        )
    };
    !c.is_ascii() && mark(c)
}

/// The first of `##`, with which an order to a runner begins that may stand anywhere in a line.
fn begins_order(c: char, next: Option<char>) -> bool {
    c == '#' && next == Some('#')
}

/// So many marks may sit on one letter; no script needs more, and more reach into other lines.
const MOST_MARKS: u8 = 4;

/// What was shown of a line so far.
#[derive(Default)]
struct Line {
    /// Was it anything but blanks?
    begun: bool,
    /// May a mark sit on what was shown last?
    carries: bool,
    /// How many do.
    marks: u8,
}

impl Line {
    /// Is the next character shown as it is?
    fn shows(&mut self, c: char, next: Option<char>) -> bool {
        let begins_line = !self.begun;
        self.begun |= !c.is_whitespace();
        if is_mark(c) {
            self.marks = self.marks.saturating_add(1);
            self.carries &= self.marks <= MOST_MARKS;
            let shown = self.carries && !is_ignorable(c);
            self.carries = shown;
            return shown;
        }
        let order = begins_order(c, next) || begins_line && c == ':' && next == Some(':');
        let shown = !order && !needs_escape(c);
        self.carries = shown && (!c.is_ascii() || c.is_ascii_alphanumeric());
        self.marks = 0;
        shown
    }

    /// What is no character was shown by its number.
    fn hid(&mut self) {
        (self.begun, self.carries) = (true, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Escaped(text.as_bytes()).to_string()
    }

    #[test]
    fn what_hides_or_turns_text_is_escaped() {
        for c in "\u{61c}\u{ad}\u{180e}\u{fff9}\u{fffb}\u{3164}\u{115f}\u{1160}\u{17b4}\u{2028}\u{2029}\u{200b}\u{202e}\u{2066}\u{feff}\u{fe0f}\u{e0041}\u{e0100}\u{a0}\u{3000}\u{2800}\u{e000}\u{378}\u{10ffff}\u{9b}".chars() {
            assert!(needs_escape(c), "{c:?}");
            let number = format!("{:x}", c as u32);
            let name = shown(&format!("a{c}b"));
            assert!(name.is_ascii() && name.contains(&number), "{name}");
            let line = harmless(&format!("a{c}b"));
            assert!(line.is_ascii() && line.contains(&number), "{line}");
        }
    }

    #[test]
    fn names_in_any_script_stay_as_they_are() {
        for name in [
            "/usr/share/Straße/naïve",
            "/日本語/한글",
            "/עברית/العربية",
            "/हिन्दी/ไทย",
            "/e\u{301}/ế",
            "/Foo::Bar.3pm",
            "/C#/a #b",
            "/😀",
        ] {
            assert_eq!(shown(name), name);
            assert_eq!(harmless(name), name);
            assert!(is_harmless(name));
        }
    }

    #[test]
    fn marks_sit_on_letters_of_the_name_only_and_do_not_pile_up() {
        assert_eq!(shown("/\u{301}a"), "/\\u{301}a");
        assert_eq!(shown("\u{20dd}"), "\\u{20dd}");
        assert_eq!(shown("=\u{338}"), "=\\u{338}");
        assert_eq!(harmless("a \u{301}"), "a \\u{301}");
        let pile = format!("a{}", "\u{301}".repeat(6));
        assert_eq!(
            shown(&pile),
            format!("a{}\\u{{301}}\\u{{301}}", "\u{301}".repeat(4))
        );
    }

    #[test]
    fn nothing_is_an_order_to_a_runner() {
        let orders = [
            "::error::x",
            "  \t::set-output name=a::b",
            "##[group]",
            "x##vso[task.x]y",
            "###[x]",
            "##teamcity[a]",
        ];
        for text in orders {
            for shown in [shown(text), harmless(text)] {
                assert!(
                    !shown.contains("##") && !shown.trim_start().starts_with("::"),
                    "{shown}"
                );
            }
            assert!(!is_harmless(text));
        }
        assert_eq!(shown("/a::b##c"), "/a::b\\x23#c");
        assert!(escaped_in_json('#', Some('#')) && !escaped_in_json('#', Some('[')));
    }

    #[test]
    fn blanks_at_the_end_and_what_is_no_text_are_told() {
        assert_eq!(shown("passwd  "), "passwd\\x20\\x20");
        assert_eq!(
            Escaped(b"\xff\xcc\x81a\xcc").to_string(),
            "\\xff\\u{301}a\\xcc"
        );
        assert_eq!(harmless("a "), "a ");
    }
}
