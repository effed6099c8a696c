//! What a file defines: functions, types, and what is public.

use super::text::{block_end, body_or_end, find_word, line_at, name_at};

/// A function with a body.
pub struct Function {
    /// Where `fn` stands.
    pub start: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
    /// Lines between the braces.
    pub body: usize,
}

/// Every function that has a body, the inner ones too.
pub fn functions(code: &str) -> Vec<Function> {
    let measured = |start| {
        let (open, is_block) = body_or_end(code, start);
        let end = block_end(code, open);
        let (first, last) = (line_at(code, open), line_at(code, end));
        is_block.then(|| Function {
            start,
            lines: last - line_at(code, start) + 1,
            body: (last - first).saturating_sub(1).max(1),
        })
    };
    find_word(code, "fn ").filter_map(measured).collect()
}

/// The names of all types that the code defines, each with its position. Those of a trait's `type` are not among them.
pub fn types(code: &str) -> Vec<(usize, String)> {
    let words = ["struct ", "enum ", "union ", "trait ", "type "];
    let found = words
        .iter()
        .flat_map(|word| find_word(code, word).map(move |n| (n, *word)));
    let own = found.filter(|(n, word)| *word != "type " || brace_depth(code, *n) == 0);
    own.filter_map(|(n, word)| Some((n, name_at(code, n + word.len())?)))
        .collect()
}

fn brace_depth(code: &str, position: usize) -> i64 {
    let deeper = |byte: u8| i64::from(byte == b'{') - i64::from(byte == b'}');
    code[..position].bytes().map(deeper).sum()
}

/// Positions of what is public without a limit: items, but no fields, re-exports or modules, which say at their own
/// beginning what they are.
pub fn public_items(code: &str) -> Vec<usize> {
    let words = [
        "fn ", "const ", "struct ", "enum ", "union ", "trait ", "type ", "static ", "unsafe ",
        "async ",
    ];
    let is_item = |n: &usize| words.iter().any(|word| code[n + 4..].starts_with(word));
    find_word(code, "pub ").filter(is_item).collect()
}
