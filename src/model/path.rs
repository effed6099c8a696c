//! Where under a guest's root: a path of bytes that cannot climb.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An absolute path inside a guest: bytes, begins with `/`, no empty, `.` or `..` component, no NUL.
///
/// The order is that of the bytes, which is the order of a plan. Longest accepted: 65,535 bytes; what is longer
/// than the kernel's 4,095 can be reported but not opened.
///
/// ```
/// use unify::plan::GuestPath;
/// let path = GuestPath::new(b"/usr/bin/perl").unwrap();
/// assert_eq!(path.file_name(), b"perl");
/// assert!(GuestPath::new(b"/usr/../etc").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct GuestPath(Box<[u8]>);

/// A link that was met on the way of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMet {
    /// The link, with no other link in its path.
    pub at: GuestPath,
    /// What it says.
    pub target: Vec<u8>,
}

/// Why bytes are not a [`GuestPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// It does not begin with a slash.
    #[error("a path inside a guest begins with `/`")]
    NotAbsolute,
    /// `//`, or a slash at the end.
    #[error("empty component in the path")]
    EmptyComponent,
    /// `.` or `..`.
    #[error("`.` and `..` are not allowed in the path")]
    Dots,
    /// A NUL byte.
    #[error("NUL byte in the path")]
    Nul,
    /// A component over 255 bytes.
    #[error("a component of the path is longer than 255 bytes")]
    LongComponent,
    /// Over 65,535 bytes.
    #[error("the path is longer than 65535 bytes")]
    Long,
}

impl GuestPath {
    /// Longest path that is accepted at all, in bytes.
    pub const MAX: usize = 65_535;

    /// The root of the guest, `/`.
    pub fn root() -> Self {
        GuestPath(Box::from(*b"/"))
    }

    /// Checks the bytes; see [`BadPath`] for what is refused.
    pub fn new(bytes: &[u8]) -> Result<Self, BadPath> {
        check(bytes)?;
        Ok(GuestPath(bytes.into()))
    }

    /// This path with one more component; the component is checked.
    pub fn join(&self, component: &[u8]) -> Result<Self, BadPath> {
        let slash: &[u8] = if self.is_root() { b"" } else { b"/" };
        [&self.0, slash, component].concat().try_into()
    }

    /// All bytes, with the slash in front.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes after the first slash: what is resolved beneath the root. Empty for the root.
    pub fn relative(&self) -> &[u8] {
        &self.0[1..]
    }

    /// Is this the guest's root itself?
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        &self.0[self.last_slash() + 1..]
    }

    /// The directory that holds this name; the root is its own parent.
    pub fn parent(&self) -> GuestPath {
        GuestPath(self.0[..self.last_slash().max(1)].into())
    }

    /// Does `self` lie in the tree that begins at `top` (or equal it)?
    pub fn is_within(&self, top: &GuestPath) -> bool {
        top.is_root()
            || self
                .0
                .strip_prefix(&*top.0)
                .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    }

    fn last_slash(&self) -> usize {
        self.0.iter().rposition(|&b| b == b'/').unwrap_or(0)
    }
}

fn check(bytes: &[u8]) -> Result<(), BadPath> {
    let [b'/', rest @ ..] = bytes else {
        return Err(BadPath::NotAbsolute);
    };
    if bytes.len() > GuestPath::MAX {
        return Err(BadPath::Long);
    }
    if rest.is_empty() {
        return Ok(());
    }
    rest.split(|&b| b == b'/').try_for_each(check_component)
}

fn check_component(component: &[u8]) -> Result<(), BadPath> {
    match component {
        b"" => Err(BadPath::EmptyComponent),
        b"." | b".." => Err(BadPath::Dots),
        c if c.len() > 255 => Err(BadPath::LongComponent),
        c if c.contains(&0) => Err(BadPath::Nul),
        _ => Ok(()),
    }
}

impl TryFrom<Vec<u8>> for GuestPath {
    type Error = BadPath;
    fn try_from(bytes: Vec<u8>) -> Result<Self, BadPath> {
        check(&bytes)?;
        Ok(GuestPath(bytes.into()))
    }
}

impl From<GuestPath> for Vec<u8> {
    fn from(path: GuestPath) -> Vec<u8> {
        path.0.into_vec()
    }
}

/// For people and terminals: control bytes, bidirectional marks and bytes that are not UTF-8 are escaped as `\n`,
/// `\x1b`, `\u{202e}`, `\xff`. Nothing parses the result back.
impl fmt::Display for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&super::Escaped(&self.0), f)
    }
}

impl fmt::Debug for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_climb_or_hide() {
        let cases: [(&[u8], BadPath); 7] = [
            (b"usr", BadPath::NotAbsolute),
            (b"", BadPath::NotAbsolute),
            (b"//", BadPath::EmptyComponent),
            (b"/usr/", BadPath::EmptyComponent),
            (b"/usr/./x", BadPath::Dots),
            (b"/..", BadPath::Dots),
            (b"/a\0b", BadPath::Nul),
        ];
        for (bytes, want) in cases {
            assert_eq!(GuestPath::new(bytes), Err(want), "{bytes:?}");
        }
        assert_eq!(
            GuestPath::new(&[b"/".as_slice(), &[b'x'; 256]].concat()),
            Err(BadPath::LongComponent)
        );
    }

    #[test]
    fn parts() {
        let path = GuestPath::new(b"/usr/bin/perl").unwrap();
        assert_eq!(path.parent().as_bytes(), b"/usr/bin");
        assert_eq!(GuestPath::new(b"/usr").unwrap().parent(), GuestPath::root());
        assert!(path.is_within(&GuestPath::new(b"/usr").unwrap()));
        assert!(!path.is_within(&GuestPath::new(b"/us").unwrap()));
        assert_eq!(GuestPath::root().join(b"etc").unwrap().as_bytes(), b"/etc");
    }

    #[test]
    fn display_never_prints_control_bytes() {
        let path = GuestPath::new("/a\n\u{1b}[31m\u{202e}\u{e9}".as_bytes()).unwrap();
        assert_eq!(path.to_string(), "/a\\n\\x1b[31m\\u{202e}\u{e9}");
        assert_eq!(
            GuestPath::new(b"/\xff\\").unwrap().to_string(),
            "/\\xff\\\\"
        );
    }
}
