//! Patterns that a guest's package manager protects files by. Pure.
//!
//! The matcher is that of `rules`, one floor further down than other parsers here need to go: it is the one in the
//! house that no pattern of a guest can make slow, and a second one would be one too many.

use crate::model::{Pattern, PatternKind};
use crate::packages::read::fault::Defect;
use crate::rules::pattern::Patterns;

/// Compiled patterns over absolute paths. What a pattern matches covers everything below.
#[derive(Debug)]
pub struct Globs(Patterns);

impl Globs {
    /// Compiles patterns of which `*` stops at slashes; a slash in front is added where it is missing.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p [u8]>) -> Result<Globs, Defect> {
        let all: Option<Vec<Pattern>> = patterns.into_iter().map(pattern).collect();
        let all = all.ok_or(Defect::Broken("pattern that is no text"))?;
        let compiled = Patterns::new(&all);
        Ok(Globs(compiled.map_err(|_| {
            Defect::Broken("pattern that can match nothing")
        })?))
    }

    /// Does one of them match the path, or a directory above it?
    pub fn cover(&self, path: &[u8]) -> bool {
        self.0.decide(path).is_some()
    }
}

fn pattern(bytes: &[u8]) -> Option<Pattern> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(Pattern {
        kind: PatternKind::Exclude,
        guest: None,
        glob: format!("/{}", text.trim_matches('/')),
        star_crosses_slash: false,
        from: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_they_cover() {
        let globs = Globs::new([&b"etc"[..], b"opt/*/x.conf", b"/srv/kept/"]).unwrap();
        for path in ["/etc/a/b", "/opt/lab/x.conf", "/srv/kept/f"] {
            assert!(globs.cover(path.as_bytes()), "{path}");
        }
        for path in ["/etcetera", "/opt/a/b/x.conf", "/usr/etc/a"] {
            assert!(!globs.cover(path.as_bytes()), "{path}");
        }
        assert!(Globs::new([&b"\xff"[..]]).is_err());
    }
}
