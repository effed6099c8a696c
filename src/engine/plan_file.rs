//! A plan as a person hands it over, read whole or line by line.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::EngineError;
use crate::engine::error::{BadUse, RefusedPlan};
use crate::ledger::{
    Closing, Form, NarrowError, Narrowed, PaperReader, PaperWriter, PlanReader, Section,
    SectionReader, narrow,
};
use crate::model::{Action, GuestName, Header, PlanTarget, PlannedGuest, Time, nearest_of};
use crate::rules::selectors::SelectedLines;
use crate::sys::own::new_file::NewFile;
use crate::sys::own::papers;
use crate::sys::own::papers::{SharedFile, Spool};
use crate::sys::{SysError, SysResult};

/// Bytes of a section that are held in memory: there are as many sections as guests.
const SECTION_BUFFER: usize = 32 << 10;

/// A plan that can be read more than once: a file, or standard input.
#[derive(Debug)]
pub struct PlanFile(Spool);

/// What a plan says before and after its actions.
#[derive(Debug, Clone)]
pub struct WholePlan {
    /// Its header.
    pub header: Header,
    /// Its guests.
    pub guests: Vec<PlannedGuest>,
    /// Its summary, digests and edits.
    pub closing: Closing,
    /// Where the lines of each guest stand in its text.
    pub sections: Vec<Section>,
}

/// Does a file hold JSON, compressed or not, as plans do?
pub(super) fn is_json(path: &Path) -> bool {
    let first = || {
        let paper = PaperReader::new(papers::open_for_reading(path).ok()?).ok()?;
        let mut text = paper.bytes().filter_map(Result::ok);
        text.find(|byte| !byte.is_ascii_whitespace())
    };
    first() == Some(b'{')
}

impl PlanFile {
    /// The plan at `path`; `-` is standard input.
    pub fn open(path: &Path) -> Result<PlanFile, EngineError> {
        Ok(PlanFile(Spool::open(path)?))
    }

    /// A plan of our own that `write` makes; it has no name in `dir`, and goes with its handle.
    pub(super) fn of_our_own(
        dir: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<(), EngineError>,
    ) -> Result<PlanFile, EngineError> {
        let (spool, file) = Spool::empty(dir, &dir.join("(a plan of our own)"))?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush().map_err(EngineError::Output)?;
        Ok(PlanFile(spool))
    }

    /// A plan that is about to be written, and what is written into it. Messages call it so.
    pub(super) fn unwritten(name: &str) -> Result<(PlanFile, Box<dyn Write>), EngineError> {
        let (spool, file) = Spool::empty(&std::env::temp_dir(), Path::new(name))?;
        Ok((PlanFile(spool), Box::new(file)))
    }

    /// Reads it from its first byte to its last and hands out every action. Refuses what is no plan; does not care
    /// whether guests are as it says.
    pub fn read(
        &mut self,
        each: &mut dyn FnMut(&Action) -> io::Result<()>,
    ) -> Result<WholePlan, EngineError> {
        let path = self.path().to_owned();
        let mut read = || {
            let mut reader = self.reader()?;
            while let Some((_, line)) = reader.next_action()? {
                each(&line.action).map_err(EngineError::Output)?;
            }
            whole(reader)
        };
        read().map_err(|error: EngineError| error.in_file(&path))
    }

    /// Its guests, as they stand before its actions.
    pub fn guests(&mut self) -> Result<Vec<PlannedGuest>, EngineError> {
        Ok(self.head()?.1)
    }

    /// What it says of a guest; refuses one that it does not have.
    pub(super) fn guest(&mut self, name: &GuestName) -> Result<PlannedGuest, EngineError> {
        let guests = self.guests()?;
        if let Some(found) = guests.iter().find(|guest| guest.name == *name) {
            return Ok(found.clone());
        }
        let known: Vec<&str> = guests.iter().map(|guest| guest.name.as_str()).collect();
        Err(BadUse::NotInPlan {
            name: name.clone(),
            near: nearest_of(name.as_str(), known.iter().copied(), 3).join(", "),
            known: known.iter().map(ToString::to_string).collect(),
        }
        .into())
    }

    /// When its file was written last; `None` of standard input.
    pub(super) fn written(&self) -> Option<Time> {
        self.0.written()
    }

    /// Refuses a plan that nothing can be applied from, before anything else is asked: no right and no base helps.
    pub(super) fn must_be_applicable(&mut self) -> Result<(), EngineError> {
        applicable(self.reader()?.header())?;
        Ok(())
    }

    /// What it says before its actions.
    pub(super) fn head(&mut self) -> Result<(Header, Vec<PlannedGuest>), EngineError> {
        let path = self.path().to_owned();
        let reader = self.reader().map_err(|error| error.in_file(&path))?;
        Ok((reader.header().clone(), reader.guests().to_vec()))
    }

    /// Writes the plan without the lines that are not kept. One without links and flags is none.
    pub(super) fn write_narrowed(
        &mut self,
        form: Option<Form>,
        out: impl Write,
        keep: &mut dyn FnMut(&Action) -> bool,
    ) -> Result<Narrowed, EngineError> {
        let mut acts = false;
        let mut keep = |action: &Action| {
            let kept = keep(action);
            acts |= kept && !matches!(action, Action::Skip(_));
            kept
        };
        let path = self.path().to_owned();
        let narrowed = narrow(self.text()?, form, out, &mut keep);
        let narrowed = narrowed.map_err(|error| match error {
            NarrowError::Plan(error) => EngineError::from(error).in_file(&path),
            NarrowError::Write(error) => EngineError::Output(error),
        })?;
        if acts {
            Ok(narrowed)
        } else {
            Err(EngineError::NothingSelected)
        }
    }

    /// As the user named it.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A reader of the plan, from its first byte.
    pub(super) fn reader(&mut self) -> Result<PlanReader<impl BufRead>, EngineError> {
        Ok(PlanReader::open(self.text()?)?)
    }

    /// Its text, from the first byte, and not compressed.
    fn text(&mut self) -> SysResult<impl BufRead> {
        Ok(BufReader::new(self.paper()?))
    }

    fn paper(&mut self) -> SysResult<PaperReader<impl BufRead>> {
        let path = self.0.path().to_owned();
        PaperReader::new(self.0.rewound()?).map_err(|e| SysError::new("read", path, e))
    }

    /// Copies all bytes into the base.
    pub(super) fn copy_to(&mut self, path: &Path) -> SysResult<()> {
        self.0.copy_to(path)
    }

    /// Writes the lines that are selected into the base: what a narrower plan is, is applied.
    pub(super) fn copy_selected_to(
        &mut self,
        path: &Path,
        lines: &SelectedLines,
    ) -> Result<(), EngineError> {
        let compressed = matches!(self.paper()?, PaperReader::Zstd(_));
        let failed = |error| EngineError::from(SysError::new("write", path, error));
        let copy = BufWriter::new(NewFile::create(path)?);
        let mut copy = PaperWriter::new(copy, compressed).map_err(failed)?;
        self.write_narrowed(None, &mut copy, &mut |action| lines.has(action))?;
        let copy = copy.finish().map_err(failed)?;
        let copy = copy.into_inner().map_err(|e| failed(e.into_error()))?;
        Ok(copy.publish()?)
    }
}

/// What a plan would be executed on, if it can be.
pub(super) fn applicable(header: &Header) -> Result<&PlanTarget, RefusedPlan> {
    header.target.as_ref().ok_or(RefusedPlan::ImagePlan)
}

/// The base's own copy of a plan.
pub(super) fn open_copy(
    path: &Path,
) -> Result<PlanReader<impl BufRead + Send + use<>>, EngineError> {
    let plain = PaperReader::new(papers::open_for_reading(path)?)
        .map_err(|e| SysError::new("read", path, e))?;
    Ok(PlanReader::open(BufReader::new(plain))?)
}

/// The sections of the base's own copy, each from its first line; `None` where it is compressed, and no place in
/// it can be found.
pub(super) fn open_sections(
    path: &Path,
    sections: &[Section],
) -> SysResult<Option<Vec<SectionReader<impl BufRead + Send + use<>>>>> {
    let file = SharedFile::open(path)?;
    let text = |at| BufReader::with_capacity(SECTION_BUFFER, file.from(at));
    let whole = PaperReader::new(text(0)).map_err(|e| SysError::new("read", path, e))?;
    if matches!(whole, PaperReader::Zstd(_)) {
        return Ok(None);
    }
    let open = |section: &Section| SectionReader::new(text(section.begins()), section);
    Ok(Some(sections.iter().map(open).collect()))
}

/// What a plan says beside its actions, once all were read.
pub(super) fn whole(reader: PlanReader<impl BufRead>) -> Result<WholePlan, EngineError> {
    let (header, guests) = (reader.header().clone(), reader.guests().to_vec());
    let sections = reader.sections().to_vec();
    Ok(WholePlan {
        header,
        guests,
        sections,
        closing: reader.finish()?,
    })
}
