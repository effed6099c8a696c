//! Globs over bytes: names in guests are bytes, so is what matches them.
//!
//! Two dialects share one matcher:
//!
//! * [`Wildcard`] matches a plain string of bytes, as `fnmatch` without flags does: `?` is any one
//!   byte, `*` any number of bytes, `[a-z]` one of these, `[!a-z]` or `[^a-z]` one of the others,
//!   `\` takes the next byte literally. A `[` that is never closed is an ordinary byte.
//! * [`PathGlob`] matches a path component by component, so that nothing but `**` (a component of
//!   its own; elsewhere it means `*`) crosses a slash. It covers what it matches and everything below.
//!
//! Names are hostile, so neither may explode: [`greedy`] compares each element of the pattern with
//! each element of the name at most once, which makes both dialects linear in pattern times name.
//! It is the same function on both levels: bytes within a component, components within a path.
//!
//! A pattern that could never match, or that means something else than it seems to, is an error
//! and not a pattern without effect: an exclude that excludes nothing loses data.
//!
//! Why no library: `globset` is linear and works on bytes, too, but accepts patterns that can never match a path of a
//! guest, and the check would have to parse the pattern a second time, by rules that must stay equal to the library's.

/// Longest pattern in bytes: a path that can be opened is no longer.
const MAX_LENGTH: usize = 4_095;

/// What is wrong with a pattern: the end of a sentence.
pub(in crate::rules) type Why = &'static str;

/// A glob over one string of bytes.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Wildcard {
    tokens: Box<[Token]>,
    /// The bytes it stands for, if it is no pattern at all. Most are none, and are asked about every name.
    literal: Option<Box<[u8]>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// `*`
    Star,
    /// `?`
    Any,
    Byte(u8),
    ByteSet(ByteSet),
}

/// A set of bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ByteSet([u64; 4]);

/// A glob over a path.
#[derive(Debug, Clone)]
pub(super) struct PathGlob(pub(super) Box<[GlobPart]>);

#[derive(Debug, Clone)]
pub(super) enum GlobPart {
    /// `**`: any number of components, also none.
    AnyDepth,
    Component(Wildcard),
    /// Any one component: what is beneath the rest.
    Beneath,
}

/// Does a match have to reach the end of the name?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Whole,
    Prefix,
}

/// Matches a pattern of `pattern` elements, some of them stars, with a name of `name` elements, and
/// says how many elements of the name were used: all of them for [`Reach::Whole`], as few as
/// possible for [`Reach::Prefix`].
///
/// Only the last star seen is ever given more, because the earlier ones took as little as they
/// could. So no pair of elements is compared twice.
fn greedy(
    pattern: usize,
    name: usize,
    reach: Reach,
    is_star: impl Fn(usize) -> bool,
    mut same: impl FnMut(usize, usize) -> bool,
) -> Option<usize> {
    let (mut p, mut n) = (0, 0);
    let mut last_star = None;
    loop {
        if p == pattern && (n == name || reach == Reach::Prefix) {
            return Some(n);
        }
        if p < pattern && is_star(p) {
            p += 1;
            last_star = Some((p, n));
        } else if p < pattern && n < name && same(p, n) {
            (p, n) = (p + 1, n + 1);
        } else {
            let (behind, taken) = last_star.filter(|&(_, taken)| taken < name)?;
            (p, n) = (behind, taken + 1);
            last_star = Some((p, n));
        }
    }
}

impl Wildcard {
    /// Compiles a pattern that may hold slashes, which are ordinary bytes here.
    pub(in crate::rules) fn new(pattern: &str) -> Result<Wildcard, Why> {
        check(pattern)?;
        let (mut tokens, mut rest) = (Vec::new(), pattern.as_bytes());
        while let Some((token, behind)) = next_token(rest)? {
            tokens.push(token);
            rest = behind;
        }
        Ok(Wildcard::of(tokens))
    }

    fn of(tokens: Vec<Token>) -> Wildcard {
        let literal = tokens.iter().map(Token::byte).collect();
        let tokens = tokens.into();
        Wildcard { tokens, literal }
    }

    /// This pattern, and then one more byte.
    pub(super) fn followed_by(&self, byte: u8) -> Wildcard {
        let tokens = self.tokens.iter().cloned();
        Wildcard::of(tokens.chain([Token::Byte(byte)]).collect())
    }

    /// Does it match all of `name`?
    pub(in crate::rules) fn matches(&self, name: &[u8]) -> bool {
        match &self.literal {
            Some(literal) => **literal == *name,
            None => self.find(name, Reach::Whole).is_some(),
        }
    }

    /// The length of the shortest beginning of `name` that it matches.
    pub(super) fn shortest_prefix(&self, name: &[u8]) -> Option<usize> {
        self.find(name, Reach::Prefix)
    }

    /// These bytes and no others.
    pub(in crate::rules) fn of_bytes(bytes: &[u8]) -> Wildcard {
        Wildcard::of(bytes.iter().map(|byte| Token::Byte(*byte)).collect())
    }

    /// The bytes that it begins with whatever it matches.
    pub(super) fn beginning(&self) -> Vec<u8> {
        self.tokens.iter().map_while(Token::byte).collect()
    }

    /// The same with other bytes for its first `count`.
    pub(super) fn beginning_with(&self, bytes: &[u8], count: usize) -> Wildcard {
        let first = bytes.iter().map(|byte| Token::Byte(*byte));
        Wildcard::of(
            first
                .chain(self.tokens.iter().skip(count).cloned())
                .collect(),
        )
    }

    /// The bytes it stands for, if it is no pattern at all.
    pub(super) fn literal(&self) -> Option<&[u8]> {
        self.literal.as_deref()
    }

    /// The byte with which everything it matches ends, if there is only one.
    pub(super) fn last_byte(&self) -> Option<u8> {
        self.tokens.last().and_then(Token::byte)
    }

    /// Can it match something that begins with `byte`?
    pub(super) fn may_begin_with(&self, byte: u8) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.next().is_some_and(|token| token.accepts(byte))
    }

    fn find(&self, name: &[u8], reach: Reach) -> Option<usize> {
        let tokens = &self.tokens;
        let same = |p: usize, n: usize| match (tokens.get(p), name.get(n)) {
            (Some(token), Some(&byte)) => token.accepts(byte),
            _ => false,
        };
        let is_star = |p: usize| tokens.get(p) == Some(&Token::Star);
        greedy(tokens.len(), name.len(), reach, is_star, same)
    }
}

impl Token {
    fn accepts(&self, byte: u8) -> bool {
        match self {
            Token::Star | Token::Any => true,
            Token::Byte(b) => *b == byte,
            Token::ByteSet(class) => class.holds(byte),
        }
    }

    fn byte(&self) -> Option<u8> {
        match self {
            Token::Byte(b) => Some(*b),
            _ => None,
        }
    }
}

impl PathGlob {
    /// Compiles a pattern. With a slash in front it is anchored at the guest's root, else it may
    /// begin at any depth. With a slash at the end it matches what is below, but not the name itself.
    pub(super) fn new(pattern: &str) -> Result<PathGlob, Why> {
        check(pattern)?;
        let (anchored, body) = match pattern.strip_prefix('/') {
            Some(body) => (true, body),
            None => (false, pattern),
        };
        let outside = match body {
            "**" => Some(""),
            _ => body.strip_suffix("/**").or(body.strip_suffix('/')),
        };

        let mut parts = Vec::new();
        if !anchored {
            parts.push(GlobPart::AnyDepth);
        }
        if !matches!(body, "" | "**") {
            let components = outside.unwrap_or(body).split('/').map(GlobPart::new);
            parts.extend(components.collect::<Result<Vec<_>, _>>()?);
        }
        if outside.is_some() {
            parts.push(GlobPart::Beneath);
        }
        Ok(PathGlob(parts.into()))
    }

    /// How many components of the path it takes until it matches: all of them if it matches the
    /// name itself, fewer if it matches a directory above.
    pub(super) fn covers(&self, path: &[&[u8]]) -> Option<usize> {
        let parts = &self.0;
        let same = |p: usize, n: usize| match (parts.get(p), path.get(n)) {
            (Some(GlobPart::Component(wildcard)), Some(component)) => wildcard.matches(component),
            (Some(GlobPart::Beneath), Some(_)) => true,
            _ => false,
        };
        let is_star = |p: usize| matches!(parts.get(p), Some(GlobPart::AnyDepth));
        greedy(parts.len(), path.len(), Reach::Prefix, is_star, same)
    }

    /// The first component, if the pattern is anchored and the component is no pattern.
    pub(super) fn top(&self) -> Option<&[u8]> {
        match self.0.first() {
            Some(GlobPart::Component(wildcard)) => wildcard.literal(),
            _ => None,
        }
    }

    /// The one component of a pattern that may match at any depth.
    pub(super) fn floating_name(&self) -> Option<&Wildcard> {
        match &*self.0 {
            [GlobPart::AnyDepth, GlobPart::Component(wildcard)] => Some(wildcard),
            _ => None,
        }
    }
}

impl GlobPart {
    fn new(component: &str) -> Result<GlobPart, Why> {
        match component {
            "**" => Ok(GlobPart::AnyDepth),
            "" => Err("it has an empty component (`//`), which no path has"),
            "." | ".." => Err("it holds `.` or `..`, which no path inside a guest does"),
            _ => Wildcard::new(component).map(GlobPart::Component),
        }
    }
}

fn check(pattern: &str) -> Result<(), Why> {
    match pattern {
        "" => Err("it is empty"),
        p if p.len() > MAX_LENGTH => Err("it is longer than 4095 bytes"),
        p if p.contains('\0') => Err("it holds a NUL byte, which no name does"),
        _ => Ok(()),
    }
}

/// The components of an absolute path; none for the root.
pub(super) fn components(path: &[u8]) -> Vec<&[u8]> {
    let parts = path.split(|&b| b == b'/');
    parts.filter(|part| !part.is_empty()).collect()
}

/// The path that the first `count` components of `path` name.
pub(super) fn ancestor<'a>(path: &'a [u8], components: &[&[u8]], count: usize) -> &'a [u8] {
    let length: usize = components.iter().take(count).map(|c| c.len() + 1).sum();
    path.get(..length.max(1)).unwrap_or(path)
}

/// One token of the pattern and the rest after it; `None` at the end.
fn next_token(text: &[u8]) -> Result<Option<(Token, &[u8])>, Why> {
    let found = match text {
        [] => return Ok(None),
        [b'*', rest @ ..] => (Token::Star, rest),
        [b'?', rest @ ..] => (Token::Any, rest),
        [b'\\'] => return Err("it ends in a backslash, or has one before a slash"),
        [b'\\', byte, rest @ ..] => (Token::Byte(*byte), rest),
        [b'[', rest @ ..] => match next_class(rest)? {
            Some((class, behind)) => (Token::ByteSet(class), behind),
            None => (Token::Byte(b'['), rest),
        },
        [byte, rest @ ..] => (Token::Byte(*byte), rest),
    };
    Ok(Some(found))
}

/// The class that begins after a `[`, and the rest after its `]`; `None` if it is never closed.
fn next_class(text: &[u8]) -> Result<Option<(ByteSet, &[u8])>, Why> {
    let (negated, mut rest) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut class = ByteSet::default();
    for first in std::iter::once(true).chain(std::iter::repeat(false)) {
        match rest {
            [b']', behind @ ..] if !first => return Ok(Some((class.negated_if(negated), behind))),
            [b'[', b':' | b'.' | b'=', ..] => {
                return Err("classes such as [:digit:] are not understood, write [0-9]");
            }
            _ => {}
        }
        let Some((low, high, behind)) = next_range(rest) else {
            break;
        };
        class.add(low, high)?;
        rest = behind;
    }
    Ok(None)
}

/// `a-z`, or one byte as a range of itself.
fn next_range(text: &[u8]) -> Option<(u8, u8, &[u8])> {
    let (low, rest) = next_member(text)?;
    match rest {
        [b'-', behind @ ..] if behind.first().is_some_and(|&b| b != b']') => {
            next_member(behind).map(|(high, behind)| (low, high, behind))
        }
        _ => Some((low, low, rest)),
    }
}

fn next_member(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

impl ByteSet {
    fn add(&mut self, low: u8, high: u8) -> Result<(), Why> {
        if !low.is_ascii() || !high.is_ascii() {
            return Err("only ASCII can stand between [ and ], because names are bytes");
        }
        if low > high {
            return Err("a range in [ ] goes backwards");
        }
        for byte in low..=high {
            if let Some(word) = self.0.get_mut(usize::from(byte / 64)) {
                *word |= 1 << (byte % 64);
            }
        }
        Ok(())
    }

    fn negated_if(self, negated: bool) -> ByteSet {
        if negated {
            ByteSet(self.0.map(|word| !word))
        } else {
            self
        }
    }

    fn holds(&self, byte: u8) -> bool {
        let word = self.0.get(usize::from(byte / 64)).copied().unwrap_or(0);
        word >> (byte % 64) & 1 == 1
    }
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;
