//! A Rust text with its comments, strings and characters blanked, so that what is left is code.

/// What is left of a text.
pub struct Blanked {
    /// As many lines as the text has; the columns may shift where a comment is not ASCII.
    pub code: String,
    /// The lines that hold a comment or a part of one, from 1.
    pub comments: Vec<usize>,
}

/// Blanks comments, strings and character literals.
pub fn blank(text: &str) -> Blanked {
    let (mut code, mut comments) = (String::with_capacity(text.len()), Vec::new());
    let (mut rest, mut line, mut before) = (text, 1, None);
    while let Some(next) = rest.chars().next() {
        let length = quiet_length(rest, before);
        let (taken, after) = rest.split_at(length.max(next.len_utf8()));
        let lines = taken.matches('\n').count();
        if length == 0 {
            code.push(next);
            before = Some(next);
        } else {
            code.push_str(&keep_newlines(taken));
            before = Some(' ');
        }
        if length > 0 && next == '/' {
            comments.extend(line..=line + lines);
        }
        line += lines;
        rest = after;
    }
    Blanked { code, comments }
}

/// As many characters, of which only the ends of lines are left.
pub fn keep_newlines(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect()
}

/// Length of the comment or literal that begins here; 0 if none does.
fn quiet_length(rest: &str, before: Option<char>) -> usize {
    let word_before = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with('"') {
        string(rest, 1)
    } else if rest.starts_with("b\"") && !word_before {
        string(rest, 2)
    } else if (rest.starts_with('r') || rest.starts_with("br")) && !word_before {
        raw_string(rest)
    } else if rest.starts_with('\'') {
        character(rest)
    } else {
        0
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut n) = (0, 0);
    while n < rest.len() {
        match &rest.as_bytes()[n..] {
            [b'/', b'*', ..] => (depth, n) = (depth + 1, n + 2),
            [b'*', b'/', ..] if depth == 1 => return n + 2,
            [b'*', b'/', ..] => (depth, n) = (depth - 1, n + 2),
            _ => n += 1,
        }
    }
    rest.len()
}

fn string(rest: &str, start: usize) -> usize {
    let mut escaped = false;
    for (n, byte) in rest.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return n + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> usize {
    let after = rest.trim_start_matches('b').trim_start_matches('r');
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !after[hashes..].starts_with('"') {
        return 0;
    }
    let start = rest.len() - after.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    rest[start..]
        .find(&close)
        .map_or(rest.len(), |n| start + n + close.len())
}

/// A character literal, told from a lifetime by its closing quote.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(0, |n| 3 + n + 1),
        Some((n, c)) if rest[n + c.len_utf8()..].starts_with('\'') => n + c.len_utf8() + 1,
        _ => 0,
    }
}
