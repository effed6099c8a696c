//! Paths as the kernel writes them, and paths within paths.

/// The kernel writes space, tab, newline, backslash and what else would mislead as three octal digits: `\040`.
pub fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, tail) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

/// `path` without the directory `top` in front: empty for itself, else beginning with a slash.
pub fn strip<'a>(top: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let top = top.strip_suffix(b"/").unwrap_or(top);
    let rest = path.strip_prefix(top)?;
    match rest {
        b"" | b"/" => Some(b""),
        [b'/', ..] => Some(rest),
        _ => None,
    }
}

/// `path` beneath the directory `top`.
pub fn beneath(top: &[u8], rest: &[u8]) -> Vec<u8> {
    let all = [top.strip_suffix(b"/").unwrap_or(top), rest].concat();
    if all.is_empty() { b"/".to_vec() } else { all }
}

/// `path` itself, then each directory above it, `/` last.
pub fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let cut = |path: &&'_ [u8]| -> Option<usize> { path.iter().rposition(|&byte| byte == b'/') };
    std::iter::successors(Some(path), move |path| match cut(path)? {
        0 if path.len() > 1 => path.get(..1),
        0 => None,
        at => path.get(..at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_within_paths() {
        assert_eq!(unescape(b"a\\040b\\\\9\\134"), b"a b\\\\9\\");
        assert_eq!(strip(b"/srv/web", b"/srv/web"), Some(&b""[..]));
        assert_eq!(strip(b"/srv/web", b"/srv/web/x"), Some(&b"/x"[..]));
        assert_eq!(strip(b"/srv/web", b"/srv/web2"), None);
        assert_eq!(strip(b"/", b"/srv"), Some(&b"/srv"[..]));
        assert_eq!(beneath(b"/", b""), b"/");
        assert_eq!(beneath(b"/srv", b"/x"), b"/srv/x");
        let all: Vec<&[u8]> = ancestors(b"/a/b").collect();
        assert_eq!(all, [&b"/a/b"[..], b"/a", b"/"]);
    }
}
