//! dpkg's statoverrides: names whose owner or mode the administrator has set. Pure.
//!
//! They stand in `/var/lib/dpkg/statoverride` (lib/dpkg/db-fsys-override.c), a line each:
//! `USER|#uid SP GROUP|#gid SP octal-mode SP path`. It is not configuration; but a later change of mode there would
//! change it for all guests that share the inode.

use crate::packages::formats::lines::short_lines;
use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

/// The paths of the whole file.
pub fn statoverrides(data: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut paths = Vec::new();
    for line in short_lines(data) {
        let (at, line) = line?;
        if paths.len() == limits::CONFIG_FILES {
            return Err(Defect::TooMany.at(at));
        }
        paths.push(path(line).map_err(|what| what.at(at))?);
    }
    Ok(paths)
}

fn path(line: &[u8]) -> Result<Vec<u8>, Defect> {
    if line.is_empty() {
        return Err(Defect::EmptyLine);
    }
    let mut words = line.splitn(4, |&b| b == b' ');
    let (Some(user), Some(group), Some(mode), Some(path)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Defect::Override);
    };
    if user.is_empty() || group.is_empty() || !is_mode(mode) {
        return Err(Defect::Override);
    }
    match path {
        [b'/', ..] if path.len() > limits::PATH => Err(Defect::LongPath),
        [b'/', ..] => Ok(path.to_vec()),
        _ => Err(Defect::RelativePath),
    }
}

fn is_mode(word: &[u8]) -> bool {
    (1..=5).contains(&word.len()) && word.iter().all(|b| (b'0'..=b'7').contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_run_to_the_end_of_the_line() {
        let data = b"root root 640 /etc/a b\n#12 crontab 2755 /usr/bin/crontab\n";
        let want: [&[u8]; 2] = [b"/etc/a b", b"/usr/bin/crontab"];
        assert_eq!(statoverrides(data).unwrap(), want);
    }

    #[test]
    fn violations() {
        let cases: [(&[u8], Fault); 6] = [
            (b"root root 640 /a", Defect::NoFinalNewline.at(0)),
            (b"root root 640 /a\n\n", Defect::EmptyLine.at(17)),
            (b"root root 640\n", Defect::Override.at(0)),
            (b"root root 689 /a\n", Defect::Override.at(0)),
            (b"root  root 640 /a\n", Defect::Override.at(0)),
            (b"root root 640 a\n", Defect::RelativePath.at(0)),
        ];
        for (data, want) in cases {
            assert_eq!(statoverrides(data), Err(want), "{}", data.escape_ascii());
        }
    }
}
