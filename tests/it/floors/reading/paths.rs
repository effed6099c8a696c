//! The paths that a file names: in `use`, however it is grouped, and in its code.

use std::ops::Range;

use super::text::{block_end, find_word};

/// How a path is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By `use`.
    Use,
    /// By `pub use`, with or without a limit.
    ReExport,
    /// In the midst of code.
    Code,
}

/// One path, such as `super::batch::Job`.
#[derive(Debug, Clone)]
pub struct Named {
    /// Where its last part stands.
    pub position: usize,
    pub segments: Vec<String>,
    /// The name that `use` gives to it here.
    pub bound: Option<String>,
    /// Everything beneath the path is meant.
    pub is_glob: bool,
    pub how: How,
}

/// Every path that the code names.
pub fn named(code: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let uses = uses(code);
    for (statement, how) in &uses {
        let tree = statement.start + "use ".len()..statement.end;
        use_tree(code, tree, &[], *how, &mut found);
    }
    found.extend(in_code(code, &uses));
    found
}

/// The code without its `use` statements and without its declarations of modules: what it really mentions.
pub fn mentions(code: &str) -> String {
    let mut rest = code.to_owned();
    for (statement, _) in uses(code) {
        rest.replace_range(statement.clone(), &" ".repeat(statement.len()));
    }
    for position in find_word(code, "mod ") {
        let end = code[position..].find([';', '{']).unwrap_or(0);
        rest.replace_range(position..position + end, &" ".repeat(end));
    }
    rest
}

/// All `use` statements, without their semicolons.
fn uses(code: &str) -> Vec<(Range<usize>, How)> {
    let statement = |start: usize| {
        let end = code[start..].find(';').map_or(code.len(), |n| start + n);
        let before = &code[..start];
        let begin = before.rfind([';', '{', '}', ']']).map_or(0, |n| n + 1);
        let how = if before[begin..].trim_start().starts_with("pub") {
            How::ReExport
        } else {
            How::Use
        };
        (start..end, how)
    };
    find_word(code, "use ").map(statement).collect()
}

fn use_tree(code: &str, part: Range<usize>, above: &[String], how: How, found: &mut Vec<Named>) {
    let text = &code[part.clone()];
    let mut segments = above.to_vec();
    if let Some(open) = text.find('{') {
        segments.extend(split(&text[..open]));
        let open = part.start + open;
        for inner in parts(code, open + 1..block_end(code, open) - 1) {
            use_tree(code, inner, &segments, how, found);
        }
        return;
    }
    let (path, alias) = text
        .split_once(" as ")
        .map_or((text, None), |(path, alias)| (path, Some(alias)));
    segments.extend(split(path));
    let is_glob = segments.pop_if(|last| last == "*").is_some();
    if segments.len() > 1 {
        segments.pop_if(|last| last == "self");
    }
    let own_name = segments.last().filter(|_| !is_glob).cloned();
    if !path.trim().is_empty() {
        found.push(Named {
            position: part.start + text.len() - text.trim_start().len(),
            bound: alias.map(|alias| alias.trim().to_owned()).or(own_name),
            segments,
            is_glob,
            how,
        });
    }
}

fn split(path: &str) -> impl Iterator<Item = String> + '_ {
    let segments = path.split("::").map(str::trim);
    segments.filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The parts of a group, between the commas that are not in a group of their own.
fn parts(code: &str, group: Range<usize>) -> Vec<Range<usize>> {
    let (mut depth, mut start, mut found) = (0, group.start, Vec::new());
    for n in group.clone() {
        match code.as_bytes()[n] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                found.push(start..n);
                start = n + 1;
            }
            _ => {}
        }
    }
    found.push(start..group.end);
    found
}

/// Paths of two names or more that stand in code.
fn in_code<'a>(code: &'a str, uses: &'a [(Range<usize>, How)]) -> impl Iterator<Item = Named> + 'a {
    let in_use = |n: usize| uses.iter().any(|(statement, _)| statement.contains(&n));
    let starts = code.match_indices("::").map(|(n, _)| n);
    let first = starts.filter_map(|n| {
        let start = word_start(code, n);
        let continues = code[..start].ends_with("::");
        (start < n && !continues).then_some(start)
    });
    first.filter(move |n| !in_use(*n)).map(|position| Named {
        position,
        segments: chain(&code[position..]),
        bound: None,
        is_glob: false,
        how: How::Code,
    })
}

fn word_start(code: &str, end: usize) -> usize {
    code[..end]
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |n| n + 1)
}

/// The names of the path that begins here, up to the first that is no name.
fn chain(rest: &str) -> Vec<String> {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
    let path = &rest[..end.unwrap_or(rest.len())];
    split(path.trim_end_matches(':')).collect()
}
