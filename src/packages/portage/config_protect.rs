//! `CONFIG_PROTECT`: words in shell text, and which paths they cover. Pure.
//!
//! The text is never run. Plain assignments are read wherever they stand (`NAME=word`, `NAME='words'`,
//! `NAME="words"`, maybe after `export`, maybe with `+=`), and all of them count, though for a shell the last one
//! would. Words that are no absolute path are dropped: `$CONFIG_PROTECT`, `-*`, line ends with a backslash.

use crate::packages::formats::lines::is_blank;
use crate::packages::read::limits;

const NAME: &[u8] = b"CONFIG_PROTECT";

/// The paths that the text gives to `CONFIG_PROTECT`.
pub fn values(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words = assigned(rest).unwrap_or_default();
        let paths = words.split(|&b| is_blank(b));
        let usable = paths.filter(|p| p.starts_with(b"/") && p.len() <= limits::PATH);
        found.extend(usable.map(<[u8]>::to_vec));
        if found.len() > limits::PROTECTED_PREFIXES {
            break; // the caller counts too
        }
        let after = rest.get(words.len()..).unwrap_or_default();
        let line = after.iter().position(|&b| b == b'\n');
        rest = line.and_then(|n| after.get(n + 1..)).unwrap_or_default();
    }
    found
}

/// The value, if a line that assigns one is what the text begins with. Its end lies before that of the value in
/// the text.
fn assigned(text: &[u8]) -> Option<&[u8]> {
    let text = indented(text);
    let exported = text
        .strip_prefix(b"export")
        .filter(|t| t.first().is_some_and(|&b| is_blank(b)));
    let text = exported.map_or(text, indented).strip_prefix(NAME)?;
    let text = text.strip_prefix(b"+").unwrap_or(text).strip_prefix(b"=")?;
    let (quote, value) = match text {
        [quote @ (b'\'' | b'"'), value @ ..] => (Some(*quote), value),
        _ => (None, text),
    };
    let end = value.iter().position(|&b| match quote {
        Some(quote) => b == quote,
        None => is_blank(b),
    });
    value.get(..end.unwrap_or(value.len()))
}

/// Without blanks at the start, but not into the next line.
fn indented(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| !b" \t".contains(b));
    text.get(start.unwrap_or(text.len())..).unwrap_or_default()
}

/// Paths, each of which covers itself and all below it.
#[derive(Debug)]
pub(super) struct Prefixes {
    /// Sorted, each ending in a slash, none the beginning of another.
    paths: Vec<Vec<u8>>,
}

impl Prefixes {
    pub fn new(paths: &[Vec<u8>]) -> Self {
        let mut paths: Vec<_> = paths.iter().map(|path| normal(path)).collect();
        paths.sort();
        paths.dedup_by(|later, first| later.starts_with(first));
        Prefixes { paths }
    }

    /// Is the path one of these, or below one?
    pub fn cover(&self, path: &[u8]) -> bool {
        let path = [path, b"/"].concat();
        // None begins with another: all that is sorted between a prefix and a path below it is below it as well.
        let after = self.paths.partition_point(|prefix| *prefix <= path);
        let last = after.checked_sub(1).and_then(|n| self.paths.get(n));
        last.is_some_and(|prefix| path.starts_with(prefix))
    }
}

/// Without empty and dot components, with a slash at the end.
fn normal(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut whole = b"/".to_vec();
    for part in parts {
        whole.extend_from_slice(part);
        whole.push(b'/');
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let paths = values(text.as_bytes()).into_iter();
        paths.map(|path| String::from_utf8(path).unwrap()).collect()
    }

    #[test]
    fn assignments() {
        assert_eq!(read("export CONFIG_PROTECT='/a /b/c'\n"), ["/a", "/b/c"]);
        assert_eq!(
            read("  CONFIG_PROTECT=\"${CONFIG_PROTECT} /a \\\n /b -* c\"\n"),
            ["/a", "/b"]
        );
        assert_eq!(
            read("CONFIG_PROTECT+=/a\nCONFIG_PROTECT=/b #/c\n"),
            ["/a", "/b"]
        );
        assert_eq!(read("x=1\nCONFIG_PROTECT=''\nCONFIG_PROTECT='/a"), ["/a"]);
        for none in [
            "#CONFIG_PROTECT=/a\n",
            "CONFIG_PROTECT_MASK='/a'\n",
            "X_CONFIG_PROTECT=/a\n",
            "CONFIG_PROTECT =/a\n",
            "exportCONFIG_PROTECT=/a\n",
            "CONFIG_PROTECT",
            "",
        ] {
            assert!(read(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn whole_components_count() {
        let paths = [
            "/etc",
            "/usr/share//lab/",
            "/usr/share/lab/deeper",
            "/opt/./x/../y",
            "/etc2/z",
        ];
        let all = Prefixes::new(&paths.map(|p| p.as_bytes().to_vec()));
        for inside in [
            "/etc",
            "/etc/a",
            "/etc/z/y",
            "/usr/share/lab/b",
            "/usr/share/lab/deeper/b",
            "/opt/y/a",
            "/etc2/z",
        ] {
            assert!(all.cover(inside.as_bytes()), "{inside}");
        }
        for outside in [
            "/",
            "/etcetera",
            "/etc2",
            "/usr/share/labyrinth/a",
            "/opt/x/a",
            "/a",
            "/z",
        ] {
            assert!(!all.cover(outside.as_bytes()), "{outside}");
        }
        assert!(Prefixes::new(&[b"/".to_vec()]).cover(b"/a"));
        assert!(!Prefixes::new(&[]).cover(b"/a"));
    }

    #[test]
    fn cover_agrees_with_the_plain_rule() {
        let alphabet = [b"/a".as_slice(), b"/b", b"/a!", b"/a0", b"/"];
        let word = |mut n: usize| {
            let mut path = Vec::new();
            for _ in 0..3 {
                path.extend_from_slice(alphabet[n % 5]);
                n /= 5;
            }
            path
        };
        for seed in 0..125 {
            let rules = vec![word(seed), word(seed * 7 + 3)];
            let sorted = Prefixes::new(&rules);
            for path in (0..125).map(|n| normal(&word(n))) {
                let bare = path.strip_suffix(b"/").unwrap();
                let plain = rules.iter().any(|rule| path.starts_with(&normal(rule)));
                assert_eq!(sorted.cover(bare), plain);
            }
        }
    }
}
