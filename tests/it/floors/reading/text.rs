//! Where words, lines, names and blocks are in code.

/// 1 for the first line.
pub fn line_at(text: &str, position: usize) -> usize {
    let before = &text.as_bytes()[..position];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
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

/// Where the item that begins at `start` has its `{`, or its `;`. Brackets are passed over: `[u8; 4]` ends nothing.
pub fn body_or_end(code: &str, start: usize) -> (usize, bool) {
    let mut depth = 0_i32;
    for (n, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' | b';' if depth == 0 => return (n, byte == b'{'),
            _ => {}
        }
    }
    (code.len(), false)
}

/// The identifier that begins at `position`.
pub fn name_at(code: &str, position: usize) -> Option<String> {
    let rest = &code[position..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let name = &rest[..end.unwrap_or(rest.len())];
    (!name.is_empty()).then(|| name.to_owned())
}
