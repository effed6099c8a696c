//! A paper of ours that another process goes on with: what it has written since we looked. Lines that are not whole yet
//! are left for the next look.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use super::papers::open_for_reading;
use crate::model::FileId;
use crate::sys::{SysError, SysResult};

/// The last line that is whole is looked for in so many bytes at a time.
const WINDOW: u64 = 64 << 10;

/// A paper, and how much of it is known.
#[derive(Debug)]
pub struct PaperTail {
    path: PathBuf,
    /// Which file it is; `None` as long as there is none.
    id: Option<FileId>,
    /// Bytes from its beginning on, of lines that are whole.
    known: u64,
}

impl PaperTail {
    /// Nothing of it is known.
    pub fn unread(path: PathBuf) -> PaperTail {
        PaperTail {
            path,
            id: None,
            known: 0,
        }
    }

    /// All that is there now is known.
    pub fn known(path: PathBuf) -> SysResult<PaperTail> {
        let mut tail = PaperTail::unread(path);
        if let Some((file, id, length)) = tail.open()? {
            tail.id = Some(id);
            tail.known = tail.last_end(&file, length)?;
        }
        Ok(tail)
    }

    /// Is nothing of it known?
    pub fn is_unread(&self) -> bool {
        self.known == 0
    }

    /// The lines that came since. `None` where it is not the file that it was, or there are more than so many bytes.
    pub fn grown(&mut self, most: u64) -> SysResult<Option<Vec<u8>>> {
        let Some((file, id, length)) = self.open()? else {
            return Ok(self.id.is_none().then(Vec::new));
        };
        let is_it = self.id.is_none_or(|before| before == id);
        let more = length.checked_sub(self.known).filter(|more| *more <= most);
        if !is_it || more.is_none() {
            return Ok(None);
        }
        let lines = self.lines(&file, self.known, length)?;
        self.id = Some(id);
        self.known += lines.len() as u64;
        Ok(Some(lines))
    }

    /// Behind the last line that is whole; a paper that was cut by a power cut may end in a long hole.
    fn last_end(&self, file: &File, length: u64) -> SysResult<u64> {
        let mut to = length;
        while to > 0 {
            let from = to.saturating_sub(WINDOW);
            let lines = self.lines(file, from, to)?.len() as u64;
            if lines > 0 {
                return Ok(from + lines);
            }
            to = from;
        }
        Ok(0)
    }

    fn open(&self) -> SysResult<Option<(File, FileId, u64)>> {
        let Some(file) = SysError::absent(open_for_reading(&self.path))? else {
            return Ok(None);
        };
        let file = file.into_inner();
        let state = file.metadata();
        let state = state.map_err(|e| SysError::new("stat", &self.path, e))?;
        let (dev, ino) = (state.dev(), state.ino());
        Ok(Some((file, FileId { dev, ino }, state.len())))
    }

    /// The bytes up to the last end of a line.
    fn lines(&self, file: &File, from: u64, to: u64) -> SysResult<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(to - from).unwrap_or_default()];
        let read = file.read_exact_at(&mut bytes, from);
        read.map_err(|e| SysError::new("read", &self.path, e))?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        bytes.truncate(end.map_or(0, |end| end + 1));
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    use super::*;

    fn append(path: &Path, text: &str) {
        let file = fs::File::options().append(true).open(path);
        file.expect("the paper")
            .write_all(text.as_bytes())
            .expect("room");
    }

    #[test]
    fn what_was_written_since_is_told_line_by_line() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("paper");
        let grown = |tail: &mut PaperTail, most| {
            let lines = tail.grown(most).expect("it can be read");
            lines.map(|lines| String::from_utf8(lines).expect("text"))
        };
        let mut unread = PaperTail::unread(path.clone());
        assert_eq!(grown(&mut unread, 9).as_deref(), Some(""));
        fs::write(&path, "one\ntw").expect("room");
        let mut known = PaperTail::known(path.clone()).expect("it can be read");
        assert!(unread.is_unread() && !known.is_unread());
        assert_eq!(grown(&mut unread, 9).as_deref(), Some("one\n"));
        assert_eq!(grown(&mut known, 9).as_deref(), Some(""));
        append(&path, "o\nthree\n");
        assert_eq!(grown(&mut known, 3), None, "too much");
        assert_eq!(grown(&mut known, 99).as_deref(), Some("two\nthree\n"));
        assert_eq!(grown(&mut known, 0).as_deref(), Some(""));
        // Another one has its name.
        let other = place.path().join("other");
        fs::write(&other, "one\ntwo\nthree\n").expect("room");
        fs::rename(&other, &path).expect("a name");
        assert_eq!(grown(&mut known, 99), None);
        fs::remove_file(&path).expect("it is there");
        assert_eq!(grown(&mut known, 99), None);
    }

    #[test]
    fn a_line_that_does_not_end_is_not_known_and_those_before_are() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("paper");
        let cut = "\0".repeat(1 << 17);
        fs::write(&path, format!("head\n{cut}")).expect("room");
        let mut tail = PaperTail::known(path.clone()).expect("it can be read");
        assert_eq!((tail.is_unread(), tail.known), (false, 5));
        append(&path, "\n");
        let grown = tail.grown(1 << 20).expect("it can be read");
        assert_eq!(grown.map(|lines| lines.len()), Some((1 << 17) + 1));
    }
}
