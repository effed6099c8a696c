//! Lines that name conffiles: of the `Conffiles` field in `status`, and of `info/PACKAGE.conffiles`. Pure.
//!
//! The two grammars differ (lib/dpkg/fields.c `f_conffiles`; deb-conffiles(5)):
//!
//! ```text
//! status = SP path SP digest [SP "obsolete"] [SP "remove-on-upgrade"]   ; flags last, path may hold blanks
//! info   = [flag SP] path                                               ; flags first
//! ```
//!
//! `digest` is 32 hex digits or a word such as `newconffile`; nothing is judged by it. A conffile that is
//! obsolete, or to be removed, may still be on disk, so flags make no difference.

use crate::packages::formats::lines::{short_lines, trim_end};
use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

/// The path in a continuation line of `Conffiles`.
pub fn status_line(line: &[u8]) -> Result<Vec<u8>, Defect> {
    let entry = line.strip_prefix(b" ").ok_or(Defect::ConffileIndent)?;
    let entry = without_flag(entry, b" remove-on-upgrade");
    let entry = without_flag(entry, b" obsolete");
    match split_last_word(entry) {
        Some((path, digest)) if !path.is_empty() && !digest.is_empty() => stored_path(path),
        _ => Err(Defect::ConffileLine),
    }
}

/// The paths in a file `info/PACKAGE.conffiles`.
pub fn info_file(data: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut paths = Vec::new();
    for line in short_lines(data) {
        let (at, line) = line?;
        paths.extend(info_line(line).map_err(|what| what.at(at))?);
        if paths.len() > limits::CONFIG_FILES {
            return Err(Defect::TooMany.at(at));
        }
    }
    Ok(paths)
}

/// `None` for an empty line, which dpkg skips.
fn info_line(line: &[u8]) -> Result<Option<Vec<u8>>, Defect> {
    let line = trim_end(line);
    if line.is_empty() {
        return Ok(None);
    }
    let after_flag = line.iter().position(|&b| b == b' ').map_or(0, |sp| sp + 1);
    let path = match line {
        [b'/', ..] => line,
        _ => line.get(after_flag..).unwrap_or_default(),
    };
    if !path.starts_with(b"/") {
        return Err(Defect::RelativePath);
    }
    stored_path(path).map(Some)
}

fn without_flag<'a>(entry: &'a [u8], flag: &[u8]) -> &'a [u8] {
    entry.strip_suffix(flag).unwrap_or(entry)
}

fn split_last_word(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = entry.iter().rposition(|&b| b == b' ')?;
    Some((entry.get(..space)?, entry.get(space + 1..)?))
}

/// As dpkg stores it: `/` and `./` in front become one slash (`path_skip_slash_dotslash`).
fn stored_path(path: &[u8]) -> Result<Vec<u8>, Defect> {
    let mut rest = path;
    while let [b'/', after @ ..] | [b'.', b'/', after @ ..] = rest {
        rest = after;
    }
    match rest.len() {
        0 => Err(Defect::RootListed),
        n if n >= limits::PATH => Err(Defect::LongPath),
        _ => Ok([b"/", rest].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_are_read_from_the_right() {
        let cases: [(&str, Result<&str, Defect>); 16] = [
            (" /etc/a 8643112bf1004d7c523ed382c01283c0", Ok("/etc/a")),
            (" /etc/a newconffile remove-on-upgrade", Ok("/etc/a")),
            (" /etc/a 0 obsolete", Ok("/etc/a")),
            (" /etc/a 0 obsolete remove-on-upgrade", Ok("/etc/a")),
            (" /etc/with space.conf 0", Ok("/etc/with space.conf")),
            (" /etc/an obsolete 0", Ok("/etc/an obsolete")),
            (" //./etc/a 0", Ok("/etc/a")),
            (" etc/a 0", Ok("/etc/a")),
            (" /../x 0", Ok("/../x")),
            ("\t/etc/a 0", Err(Defect::ConffileIndent)),
            (" /etc/a", Err(Defect::ConffileLine)),
            (" /etc/a obsolete", Err(Defect::ConffileLine)),
            (" /etc/a ", Err(Defect::ConffileLine)),
            (" 0", Err(Defect::ConffileLine)),
            (" / 0", Err(Defect::RootListed)),
            (" /./ 0", Err(Defect::RootListed)),
        ];
        for (line, want) in cases {
            let want = want.map(|path| path.as_bytes().to_vec());
            assert_eq!(status_line(line.as_bytes()), want, "{line:?}");
        }
    }

    #[test]
    fn info_files() {
        let data = b"/etc/a \n\nremove-on-upgrade /etc/b\n/etc/with space\n";
        let want: [&[u8]; 3] = [b"/etc/a", b"/etc/b", b"/etc/with space"];
        assert_eq!(info_file(data).unwrap(), want);
        let cases: [(&[u8], Fault); 5] = [
            (b"/etc/a", Defect::NoFinalNewline.at(0)),
            (b"/etc/a\netc/b\n", Defect::RelativePath.at(7)),
            (b"flag etc/b\n", Defect::RelativePath.at(0)),
            (b"//\n", Defect::RootListed.at(0)),
            (b"\0\n", Defect::Nul.at(0)),
        ];
        for (data, want) in cases {
            assert_eq!(info_file(data), Err(want), "{}", data.escape_ascii());
        }
    }

    #[test]
    fn paths_have_a_bound() {
        let longest = [b" /", [b'x'; limits::PATH - 1].as_slice(), b" 0"].concat();
        assert_eq!(status_line(&longest).unwrap().len(), limits::PATH);
        let longer = [b" /", [b'x'; limits::PATH].as_slice(), b" 0"].concat();
        assert_eq!(status_line(&longer), Err(Defect::LongPath));
    }
}
