//! Where a JSON value ends: the one question asked of every byte of a plan.
//!
//! Counts brackets and knows strings, and nothing else. A value that is not JSON has an end nevertheless; its
//! parser will refuse it.

/// Deepest nesting within a value; a plan needs 5. Keeps parsers from recursing.
const MAX_DEPTH: u32 = 32;

/// What kind of value it is, and how far into it we are.
pub(super) enum Extent {
    /// A number or a word: ends before what cannot be part of one.
    Bare,
    /// A string, object or array: ends with its last quote or bracket.
    Nested {
        depth: u32,
        in_string: bool,
        escaped: bool,
    },
}

impl Extent {
    /// A value that begins with a quote or bracket, which is not scanned yet.
    pub fn nested() -> Self {
        Extent::Nested {
            depth: 0,
            in_string: false,
            escaped: false,
        }
    }

    /// How many bytes of `chunk` belong to the value, and whether it ends there.
    /// `None` where it is nested over 32 deep.
    pub fn scan(&mut self, chunk: &[u8]) -> Option<(usize, bool)> {
        match self {
            Extent::Bare => Some(scan_bare(chunk)),
            Extent::Nested {
                depth,
                in_string,
                escaped,
            } => scan_nested(chunk, depth, in_string, escaped),
        }
    }
}

fn scan_bare(chunk: &[u8]) -> (usize, bool) {
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    match chunk.iter().position(|b| !part(b)) {
        Some(end) => (end, true),
        None => (chunk.len(), false),
    }
}

fn scan_nested(
    chunk: &[u8],
    depth: &mut u32,
    in_string: &mut bool,
    escaped: &mut bool,
) -> Option<(usize, bool)> {
    for (i, byte) in chunk.iter().enumerate() {
        match byte {
            _ if *escaped => {
                *escaped = false;
                continue;
            }
            b'\\' if *in_string => *escaped = true,
            b'"' => *in_string = !*in_string,
            _ if *in_string => continue,
            b'{' | b'[' => *depth += 1,
            b'}' | b']' => *depth = depth.saturating_sub(1),
            _ => continue,
        }
        if *depth > MAX_DEPTH {
            return None;
        }
        if *depth == 0 && !*in_string {
            return Some((i + 1, true));
        }
    }
    Some((chunk.len(), false))
}
