//! A source file with its comments, strings and test modules blanked, so that what is left is code.

/// Where a line of code is looked for.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path beneath `src`, such as `rules/choose.rs`.
    pub path: String,
    /// Everything, as it stands.
    pub lines: usize,
    /// Comments, strings and characters blanked; test modules kept.
    pub code: String,
    /// The same with test modules blanked, too.
    pub shipped: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let code = blank(text);
        let whole_file_is_test = path.ends_with("tests.rs") || path.contains("/tests/");
        let shipped = if whole_file_is_test {
            String::new()
        } else {
            without_tests(&code)
        };
        Source {
            path: path.to_owned(),
            lines: text.lines().count(),
            code,
            shipped,
        }
    }

    /// The floor's room: the first directory, or the file itself beside `lib.rs`.
    pub fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.trim_end_matches(".rs")
    }

    /// How many modules deep the file is: 1 for `scan/mod.rs`, 2 for `scan/walk.rs`.
    pub fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        if self.path.ends_with("mod.rs") {
            parts - 1
        } else {
            parts
        }
    }
}

/// 1 for the first line.
pub fn line_at(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

/// The end of the block that opens at `open`, which holds `{`.
pub fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (n, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return n + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Positions where `word` stands alone: not within a longer identifier.
pub fn find_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let within = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let alone = move |n: &usize| {
        let bytes = code.as_bytes();
        let ends_in_word = word
            .as_bytes()
            .last()
            .is_some_and(u8::is_ascii_alphanumeric);
        let before = n.checked_sub(1).and_then(|n| bytes.get(n));
        !(within(before) || ends_in_word && within(bytes.get(n + word.len())))
    };
    code.match_indices(word).map(|(n, _)| n).filter(alone)
}

fn without_tests(code: &str) -> String {
    let mut rest = code.to_owned();
    while let Some(start) = rest.find("#[cfg(test)]") {
        let item = start + "#[cfg(test)]".len();
        let end = match rest[item..].find([';', '{']) {
            Some(n) if rest.as_bytes()[item + n] == b'{' => block_end(&rest, item + n),
            Some(n) => item + n + 1,
            None => rest.len(),
        };
        let blank = keep_newlines(&rest[start..end]);
        rest.replace_range(start..end, &blank);
    }
    rest
}

fn keep_newlines(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect()
}

/// Blanks comments, strings and character literals; byte positions may shift, lines do not.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = quiet_length(rest, code.chars().last());
        if length == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.push_str(&keep_newlines(&rest[..length]));
            rest = &rest[length..];
        }
    }
    code
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
