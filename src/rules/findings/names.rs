//! Names that other systems and people cannot use.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::model::{GuestPath, NameFault};

/// Longest name in bytes that common file systems and archives hold.
const LONGEST: usize = 255;

/// All names of a guest in byte order of their paths, and what is wrong with them.
#[derive(Debug, Default)]
pub struct NameCheck {
    /// The directory of the last name.
    directory: Vec<u8>,
    /// Names that were met in the directories above and in that of the last name, the deepest last.
    open: Vec<OpenDirectory>,
}

#[derive(Debug, Default)]
struct OpenDirectory {
    path: Vec<u8>,
    /// As others may see them, and as they are.
    names: HashMap<String, Vec<u8>>,
}

impl NameCheck {
    /// What is wrong with this name, and with directories on the way that were not met before.
    pub fn take(&mut self, path: &[u8]) -> Vec<(GuestPath, NameFault)> {
        let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
        let directory = path.get(..slash).unwrap_or_default();
        let mut found = Vec::new();
        if directory != self.directory {
            let before = &self.directory;
            let was_met = |end: usize| {
                let rest = before.strip_prefix(directory.get(..end).unwrap_or_default());
                rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
            };
            let is_end = |end: &usize| matches!(directory.get(*end), None | Some(b'/'));
            let ends: Vec<usize> = (1..=directory.len())
                .filter(is_end)
                .filter(|end| !was_met(*end))
                .collect();
            for end in ends {
                self.one(directory.get(..end).unwrap_or_default(), &mut found);
            }
            self.directory = directory.to_vec();
        }
        self.one(path, &mut found);
        found
    }

    fn one(&mut self, path: &[u8], found: &mut Vec<(GuestPath, NameFault)>) {
        let fault = fault(path).or_else(|| self.twin(path));
        let named = fault.and_then(|fault| Some((GuestPath::new(path).ok()?, fault)));
        found.extend(named);
    }

    /// Another name of the directory, which was met before, that differs in case or form only.
    fn twin(&mut self, path: &[u8]) -> Option<NameFault> {
        let slash = path.iter().rposition(|&b| b == b'/')?;
        let (directory, name) = path.split_at_checked(slash)?;
        let name = std::str::from_utf8(name).ok()?;
        let is_above = |open: &OpenDirectory| {
            let rest = directory.strip_prefix(open.path.as_slice());
            rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
        };
        while self.open.last().is_some_and(|open| !is_above(open)) {
            self.open.pop();
        }
        if self.open.last().is_none_or(|open| open.path != directory) {
            self.open.push(OpenDirectory {
                path: directory.to_vec(),
                names: HashMap::new(),
            });
        }
        let names = &mut self.open.last_mut()?.names;
        match names.get(&folded(name)) {
            Some(first) if first == name.as_bytes() => None,
            Some(first) => {
                let first = GuestPath::new(&[directory, first].concat()).ok()?;
                Some(NameFault::Case(first))
            }
            None => {
                names.insert(folded(name), name.as_bytes().to_vec());
                None
            }
        }
    }
}

/// As a file system sees it that tells neither case nor Unicode's forms apart.
fn folded(name: &str) -> String {
    match name.is_ascii() {
        true => name.to_ascii_lowercase(),
        false => name.to_lowercase().nfc().collect(),
    }
}

/// What is wrong with the last component of a path alone.
fn fault(path: &[u8]) -> Option<NameFault> {
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    if name.len() > LONGEST {
        return Some(NameFault::TooLong);
    }
    match std::str::from_utf8(name) {
        Err(_) => Some(NameFault::NotText),
        Ok(text) => text
            .chars()
            .any(char::is_control)
            .then_some(NameFault::Control),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_name() {
        assert_eq!(fault(b"/usr/a"), None);
        assert_eq!(fault("/usr/ü".as_bytes()), None);
        assert_eq!(fault(b"/usr/\xff"), Some(NameFault::NotText));
        assert_eq!(fault(b"/a\x1b[2J"), Some(NameFault::Control));
        assert_eq!(fault(b"/\xff/a"), None, "the directory is another name");
        assert_eq!(
            fault(&[b"/".as_slice(), &[b'a'; 256]].concat()),
            Some(NameFault::TooLong)
        );
    }

    fn found(paths: &[&[u8]]) -> Vec<(String, &'static str)> {
        let mut check = NameCheck::default();
        let all = paths.iter().flat_map(|path| check.take(path));
        all.map(|(path, fault)| (path.to_string(), fault.code()))
            .collect()
    }

    #[test]
    fn names_that_differ_in_case_or_form_only() {
        let paths: [&[u8]; 7] = [
            b"/a/README",
            b"/a/Readme",
            b"/a/b/readme",
            b"/a/readme",
            b"/b/readme",
            "/c/e\u{301}".as_bytes(),
            "/c/\u{e9}".as_bytes(),
        ];
        let got = found(&paths);
        let got: Vec<_> = got
            .iter()
            .map(|(path, code)| (path.as_str(), *code))
            .collect();
        let twin = "case-only";
        assert_eq!(
            got,
            [
                ("/a/Readme", twin),
                ("/a/readme", twin),
                ("/c/\u{e9}", twin)
            ]
        );
    }

    #[test]
    fn a_directory_is_judged_once_and_by_itself() {
        let got = found(&[b"/x\xff/a", b"/x\xff/b", b"/x\xff/c/d", b"/y/a", b"/Y/a"]);
        let got: Vec<_> = got
            .iter()
            .map(|(path, code)| (path.as_str(), *code))
            .collect();
        assert_eq!(got, [("/x\\xff", "not-utf-8"), ("/Y", "case-only")]);
    }
}
