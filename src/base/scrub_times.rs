//! When the objects of each fan-out directory were last read again, all of them: two hex digits and seconds since
//! 1970 a line. This is only a memory: what is missing or damaged is as if it was never read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Base;
use super::places::SCRUB;
use crate::sys::SysResult;
use crate::sys::own::papers;

const PAPER: &str = "scrub/read";

/// Moments by fan-out directory.
#[derive(Debug, Default)]
pub struct Scrubbed(BTreeMap<String, i64>);

impl Scrubbed {
    /// What the base remembers.
    pub fn read(base: &Base) -> SysResult<Scrubbed> {
        let text = papers::read_small(&base.paper(PAPER))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        Ok(Scrubbed(text.lines().filter_map(parse).collect()))
    }

    /// The directory of the paper, made where it is missing.
    pub fn place(base: &Base) -> SysResult<PathBuf> {
        let place = base.paper(SCRUB);
        papers::ensure_dir(&place)?;
        Ok(place)
    }

    /// Were all objects of this directory read at `moment` or later?
    pub fn is_fresh(&self, fan: &str, moment: i64) -> bool {
        self.0.get(fan).is_some_and(|&read| read >= moment)
    }

    /// All objects of this directory were read, beginning at `moment`.
    pub fn set(&mut self, fan: &str, moment: i64) {
        self.0.insert(fan.to_owned(), moment);
    }

    /// Writes it down.
    pub fn write(&self, base: &Base) -> SysResult<()> {
        let lines = self.0.iter().map(|(fan, read)| format!("{fan} {read}\n"));
        let text: String = lines.collect();
        Scrubbed::place(base)?;
        papers::write_whole(&base.paper(PAPER), text.as_bytes())
    }
}

fn parse(line: &str) -> Option<(String, i64)> {
    let (fan, read) = line.split_once(' ')?;
    let hex = fan.len() == 2 && fan.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| Some((fan.to_owned(), read.parse().ok()?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_lines_were_never_read() {
        let lines = [
            "ab 12",
            "",
            "abc 1",
            "zz 1",
            "ab",
            "cd -5",
            "ef 99999999999999999999",
        ];
        let read: Vec<_> = lines.into_iter().filter_map(parse).collect();
        assert_eq!(read, [("ab".to_owned(), 12), ("cd".to_owned(), -5)]);
    }

    /// A scrub writes while an `apply` asks its question, which is answered with no.
    #[test]
    fn a_base_that_was_scrubbed_and_not_used_can_go() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("base");
        let base = Base::ensure(&path).unwrap();
        Scrubbed::default().write(&base).unwrap();
        base.unmake_if_unused().unwrap();
        assert!(!path.exists());
    }
}
