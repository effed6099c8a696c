//! What a check reads and writes beside guests: the baseline, and reports in files.
//!
//! Files are opened before any byte of a guest is read, and take their places whole when everything is found: a report
//! of before stays until then.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::engine::guest::base_path;
use crate::model::CheckOutcome;
use crate::rules::findings::judge::can_be_known;
use crate::sys::SysError;
use crate::sys::own::new_file::NewFile;
use crate::sys::own::papers;

/// Most bytes of a baseline.
const LONGEST: u64 = 256 << 20;

/// The first line of every baseline.
const HEAD: &str = "# unify check baseline 1: one finding a line, sorted";

/// What a file will hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperKind {
    /// The keys of all findings.
    Baseline,
    /// A report, by its number among those that were asked for.
    Report(usize),
}

/// A file that is to be written.
#[derive(Debug, Clone)]
pub struct WantedPaper {
    /// What it will hold.
    pub kind: PaperKind,
    /// Where.
    pub path: PathBuf,
}

/// All files that a check writes.
#[derive(Debug)]
pub struct CheckPapers {
    wanted: Vec<WantedPaper>,
    mode: u32,
    open: Vec<NewFile>,
}

impl CheckPapers {
    /// Files with these permission bits. None is opened yet.
    pub fn new(wanted: Vec<WantedPaper>, mode: u32) -> CheckPapers {
        CheckPapers {
            wanted,
            mode,
            open: Vec::new(),
        }
    }

    /// Opens all of them; refuses one within these places.
    pub(super) fn open(&mut self, places: &[&Path]) -> Result<(), EngineError> {
        for paper in &self.wanted {
            let place = base_path(&paper.path)?;
            if let Some(top) = places.iter().find(|top| place.starts_with(top)) {
                return Err(BadUse::ReportWithinGuest((*top).to_owned()).into());
            }
            let file = NewFile::create(&paper.path)?;
            self.open.push(file.readable(self.mode)?);
        }
        Ok(())
    }

    /// Where they get their names.
    pub(super) fn directories(&self) -> Vec<&Path> {
        self.open.iter().map(NewFile::directory).collect()
    }

    /// Writes all of them; `text` makes what each holds.
    pub fn publish(
        self,
        text: &mut dyn FnMut(PaperKind) -> std::io::Result<Vec<u8>>,
    ) -> Result<(), EngineError> {
        for (paper, mut file) in self.wanted.iter().zip(self.open) {
            let failed = |error| EngineError::from(SysError::new("write", &paper.path, error));
            let bytes = text(paper.kind).map_err(failed)?;
            file.write_all(&bytes).map_err(failed)?;
            file.publish()?;
        }
        Ok(())
    }
}

/// The keys of a baseline. One that is not there is an error: a gate must not take it for an empty one.
pub fn read_baseline(path: &Path) -> Result<BTreeSet<String>, EngineError> {
    let bytes = papers::read_text(path, LONGEST)?;
    let bad = || EngineError::from(BadUse::Baseline(path.to_owned()));
    let text = std::str::from_utf8(&bytes).map_err(|_| bad())?;
    let lines = text.lines().map(str::trim_end);
    let keys: BTreeSet<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let is_ours = text.lines().next() == Some(HEAD) || text.is_empty();
    is_ours.then_some(keys).ok_or_else(bad)
}

/// A baseline of everything that was found, old and new, and of what was not asked for this time.
pub fn baseline(checked: &CheckOutcome) -> Vec<u8> {
    let known = checked
        .findings
        .iter()
        .filter(|judged| can_be_known(judged.finding.rule));
    let keys: BTreeSet<&str> = known
        .map(|judged| &judged.key)
        .chain(&checked.not_asked)
        .map(String::as_str)
        .collect();
    let mut text = String::from(HEAD);
    text.push('\n');
    for key in keys {
        text.push_str(key);
        text.push('\n');
    }
    text.into_bytes()
}
