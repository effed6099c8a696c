//! Globs of `--path` that chose nothing, as sentences.

use crate::model::{ChoseNothing, GuestName, GuestPath};

use super::sentence::safe;

/// A line for each of the first globs, and one for the others.
pub fn lines(all: &[ChoseNothing], of_what: &str) -> Vec<String> {
    let mut lines: Vec<String> = all
        .iter()
        .take(MOST)
        .map(|one| line(one, of_what))
        .collect();
    if let Some(more) = all.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("MATCHES NOTHING: and {more} more of --path"));
    }
    lines
}

/// Globs that are told one by one.
const MOST: usize = 20;

fn line(one: &ChoseNothing, of_what: &str) -> String {
    let glob = safe(&one.glob);
    if let Some(name) = &one.there {
        return format!(
            "MATCHES NOTHING: --path '{glob}': {} is no {of_what}",
            full(name)
        );
    }
    if one.no_guest {
        return format!("MATCHES NOTHING: --path '{glob}': it names none of these guests");
    }
    let near: Vec<String> = one.near.iter().map(full).collect();
    match near.as_slice() {
        [] => format!("MATCHES NOTHING: --path '{glob}': no {of_what} has such a name"),
        near => format!(
            "MATCHES NOTHING: --path '{glob}': no {of_what} has such a name; near: {}",
            near.join(", ")
        ),
    }
}

fn full((guest, path): &(GuestName, GuestPath)) -> String {
    format!("{guest}:{path}")
}
