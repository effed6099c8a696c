//! The user's own patterns: `--exclude` and `--include`, and the lists of the original.
//!
//! All patterns stand in one order and **the first one that covers a name decides**. No pattern
//! changes what a package database says or what the inode itself forbids.
//!
//! **Globs** (`--exclude`, `--include`): `*`, `?`, `[a-z]` and `[!a-z]` do not match a slash, `**` as
//! a component of its own does. With a slash in front a glob is anchored at the guest's root, else it
//! may match at any depth. It covers what it matches and everything below; with a slash at the
//! end only what is below.
//!
//! **Lists** (`--exclude-from`, the format of vunify's exclude lists): one pattern a line, `+`
//! includes, `-` or nothing excludes, `~` excludes too (it told vcopy not even to copy). `#` in the
//! first column is a comment, blanks at the end of a line are dropped. Patterns are `fnmatch`
//! without flags over the whole path inside the guest, so `*` matches slashes.
//! An exclude covers what lies below the directory that it matches, because the original did not
//! enter that directory. An include covers the matched names alone, so the usual `+/root`,
//! `+/root/.ssh`, `-/root/*` keeps its meaning. One thing is easier than it was: a deeper `+` in an
//! earlier line wins over a later exclude of a directory above it, because every name is asked
//! about on its own.
//!
//! In both, `GUEST:/…` is for one guest alone, and what goes through a link of the guest is followed ([`links`]).
//!
//! The original dropped a last line without newline and lines of one character, and took an
//! unreadable list for an empty one. Here all lines count, and a pattern that could never match is
//! an error. That a list can be read is for the caller to see to.

pub(super) mod glob;
pub mod links;
pub mod of_path;
pub(super) mod path_index;

use crate::model::{GuestName, Pattern, PatternKind};

use glob::{PathGlob, Why, Wildcard, ancestor, components};
use links::{Links, Through};

/// Most patterns of one run: each is tried on every name.
const MAX_PATTERNS: usize = 10_000;

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{from}: bad pattern {pattern:?}: {why}")]
pub struct BadPattern {
    /// Where it was given: an option, or a list's name and line.
    pub from: String,
    /// The pattern, as it was given.
    pub pattern: String,
    /// What is wrong with it.
    pub why: String,
}

/// All patterns of a run, compiled.
#[derive(Debug, Clone, Default)]
pub struct Patterns(Vec<Compiled>);

#[derive(Debug, Clone)]
struct Compiled {
    /// Which of the run's patterns it is.
    number: usize,
    kind: PatternKind,
    guest: Option<GuestName>,
    text: String,
    /// As it was given, and where.
    typed: (String, String),
    matcher: PatternMatcher,
    /// The same without the links of a guest.
    through_links: Vec<PatternMatcher>,
    /// Are there more links than were followed?
    is_cut_short: bool,
}

#[derive(Debug, Clone)]
enum PatternMatcher {
    Path(PathGlob),
    /// From a list. `below` matches a directory followed by a slash; excludes have one.
    List {
        name: Wildcard,
        below: Option<Wildcard>,
    },
}

/// What the first matching pattern says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatternDecision<'list, 'path> {
    /// Which of the run's patterns it is.
    pub number: usize,
    /// Include or exclude.
    pub kind: PatternKind,
    /// The pattern.
    pub pattern: &'list str,
    /// The directory that the pattern matched, if it is not the name itself.
    pub under: Option<&'path [u8]>,
}

impl Patterns {
    /// Compiles the patterns of a policy.
    pub fn new(patterns: &[Pattern]) -> Result<Patterns, BadPattern> {
        if let Some(surplus) = patterns.get(MAX_PATTERNS) {
            return Err(bad(surplus, "a run may have at most 10000 patterns"));
        }
        let compiled = patterns.iter().enumerate();
        let compiled = compiled.map(|(number, pattern)| Compiled::new(number, pattern));
        compiled.collect::<Result<_, _>>().map(Patterns)
    }

    /// Those that are for this guest, each also without the links that it goes through there.
    pub fn of_guest(&self, guest: &GuestName, links: &dyn Links) -> Patterns {
        let meant = |one: &&Compiled| one.guest.as_ref().is_none_or(|name| name == guest);
        let followed = |one: &Compiled| {
            let through = one.matcher.through(one.kind, links);
            Compiled {
                through_links: through.found,
                is_cut_short: through.is_cut_short,
                ..one.clone()
            }
        };
        Patterns(self.0.iter().filter(meant).map(followed).collect())
    }

    /// Those that go through more links of this guest than were followed for it.
    pub fn cut_short(&self, guest: &GuestName) -> impl Iterator<Item = (PatternKind, BadPattern)> {
        let cut = self.0.iter().filter(|one| one.is_cut_short);
        cut.map(move |one| {
            let (from, pattern) = one.typed.clone();
            let why = format!(
                "it goes through more links or larger directories of {guest} than are followed: write the path that is \
                 meant without links, and a whole directory as /DIRECTORY/ instead of /DIRECTORY/*"
            );
            (one.kind, BadPattern { from, pattern, why })
        })
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which of the run's patterns cover `path`, whichever of them decides.
    pub fn all_that_cover(&self, path: &[u8]) -> Vec<usize> {
        let parts = components(path);
        let cover = |one: &&Compiled| one.covered(path, &parts).is_some();
        let covering = self.0.iter().filter(cover);
        covering.map(|one| one.number).collect()
    }

    /// What the first pattern that covers `path` says; `None` if none does.
    pub fn decide<'p>(&self, path: &'p [u8]) -> Option<PatternDecision<'_, 'p>> {
        let parts = if self.0.is_empty() {
            return None;
        } else {
            components(path)
        };
        self.0.iter().find_map(|pattern| {
            let covered = pattern.covered(path, &parts)?;
            Some(PatternDecision {
                number: pattern.number,
                kind: pattern.kind,
                pattern: &pattern.text,
                under: (covered.len() < path.len()).then_some(covered),
            })
        })
    }
}

impl Compiled {
    fn new(number: usize, pattern: &Pattern) -> Result<Compiled, BadPattern> {
        let matcher = if pattern.star_crosses_slash {
            PatternMatcher::list(pattern.kind, &pattern.glob)
        } else {
            PathGlob::new(&pattern.glob).map(PatternMatcher::Path)
        };
        Ok(Compiled {
            number,
            kind: pattern.kind,
            guest: pattern.guest.clone(),
            text: pattern.glob.clone(),
            typed: (pattern.from.clone(), pattern.text()),
            matcher: matcher.map_err(|why| bad(pattern, why))?,
            through_links: Vec::new(),
            is_cut_short: false,
        })
    }

    fn covered<'a>(&self, path: &'a [u8], parts: &[&[u8]]) -> Option<&'a [u8]> {
        let mut matchers = std::iter::once(&self.matcher).chain(&self.through_links);
        matchers.find_map(|matcher| matcher.covered(path, parts))
    }
}

impl PatternMatcher {
    fn list(kind: PatternKind, text: &str) -> Result<PatternMatcher, Why> {
        let name = Wildcard::new(text)?;
        let slash_at_end = name.last_byte() == Some(b'/');
        if !name.may_begin_with(b'/') {
            return Err(
                "it can never match: a list's patterns are for whole paths, which begin with /",
            );
        }
        if text.contains("//") {
            return Err("it can never match: no path has an empty component");
        }
        if kind == PatternKind::Include && slash_at_end {
            return Err("it can never match: a name does not end in /; for what is below write /*");
        }
        Ok(PatternMatcher::list_of(kind, name))
    }

    fn list_of(kind: PatternKind, name: Wildcard) -> PatternMatcher {
        let below = match kind {
            PatternKind::Include => None,
            PatternKind::Exclude if name.last_byte() == Some(b'/') => Some(name.clone()),
            PatternKind::Exclude => Some(name.followed_by(b'/')),
        };
        PatternMatcher::List { name, below }
    }

    fn through(&self, kind: PatternKind, links: &dyn Links) -> Through<PatternMatcher> {
        match self {
            PatternMatcher::Path(glob) => glob.through(links).map(PatternMatcher::Path),
            PatternMatcher::List { name, .. } => {
                let list = |name| PatternMatcher::list_of(kind, name);
                name.through(links).map(list)
            }
        }
    }

    /// What the pattern matched of this path: all of it, or a directory above.
    fn covered<'a>(&self, path: &'a [u8], parts: &[&[u8]]) -> Option<&'a [u8]> {
        match self {
            PatternMatcher::Path(glob) => {
                let count = glob.covers(parts)?;
                Some(ancestor(path, parts, count))
            }
            PatternMatcher::List { name, below } => {
                let below = below.as_ref().and_then(|b| b.shortest_prefix(path));
                let directory = below.and_then(|end| path.get(..end.max(2) - 1));
                directory.or_else(|| name.matches(path).then_some(path))
            }
        }
    }
}

/// Reads a list in the original's syntax; `from` names it in errors and in the plan. Every
/// pattern of the answer compiles.
pub fn parse_list(text: &[u8], from: &str) -> Result<Vec<Pattern>, BadPattern> {
    let lines = text.split(|&b| b == b'\n').zip(1..);
    let lines = lines.map(|(line, number)| (line.trim_ascii_end(), number));
    lines
        .filter(|(line, _)| !line.is_empty() && !line.starts_with(b"#"))
        .map(|(line, number): (&[u8], u64)| parse_line(line, format!("{from}:{number}")))
        .collect()
}

fn parse_line(line: &[u8], from: String) -> Result<Pattern, BadPattern> {
    let Ok(text) = str::from_utf8(line) else {
        return Err(BadPattern {
            from,
            pattern: String::from_utf8_lossy(line).into_owned(),
            why: "it is not UTF-8: write ? for each byte that is not".to_owned(),
        });
    };
    let (kind, glob) = match text.split_at_checked(1) {
        Some(("+", glob)) => (PatternKind::Include, glob),
        Some(("-" | "~", glob)) => (PatternKind::Exclude, glob),
        _ => (PatternKind::Exclude, text),
    };
    let pattern = Pattern::of(kind, glob, true, &from);
    Compiled::new(0, &pattern).map(|_| pattern)
}

fn bad(pattern: &Pattern, why: Why) -> BadPattern {
    BadPattern {
        from: pattern.from.clone(),
        pattern: pattern.text(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests;
