//! Where a plan goes: a file that appears whole or not at all, or standard output; compressed or not, as a document
//! or as lines, by the ending of its name.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::engine::guest::base_path;
use crate::ledger::{Form, PaperWriter};
use crate::sys::own::new_file::NewFile;
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};

/// Where the plan shall go.
pub enum Output {
    /// A file and its permission bits; refused within a guest or the base.
    File(PathBuf, u32),
    /// Anything else, as an uncompressed document.
    Stream(Box<dyn Write>),
}

/// Is there anything at the place of a file?
pub(in crate::engine) fn is_there(path: &Path) -> SysResult<bool> {
    Ok(SysError::absent(papers::allocated(path))?.is_some())
}

/// An output that was opened before the work began, so that a wrong path is known at once.
pub(in crate::engine) struct OutputFile {
    sink: Sink,
    form: Form,
    compressed: bool,
}

enum Sink {
    File(NewFile),
    Stream(Box<dyn Write>),
}

impl OutputFile {
    /// Opens the output. A plan shows every name of every guest, so it is its owner's alone unless he says otherwise,
    /// and never lies in a guest, nor in the base: `places` are all of these.
    pub fn create(output: Output, places: &[&Path]) -> Result<OutputFile, EngineError> {
        match output {
            Output::Stream(stream) => Ok(OutputFile {
                sink: Sink::Stream(stream),
                form: Form::Document,
                compressed: false,
            }),
            Output::File(path, mode) => {
                let place = base_path(&path)?;
                if let Some(top) = places.iter().find(|top| place.starts_with(top)) {
                    return Err(BadUse::PlanWithinGuest((*top).to_owned()).into());
                }
                let name = path.to_string_lossy().into_owned();
                let plain = name.strip_suffix(".zst").unwrap_or(&name);
                let form = if plain.ends_with(".jsonl") {
                    Form::Lines
                } else {
                    Form::Document
                };
                Ok(OutputFile {
                    sink: Sink::File(NewFile::create(&path)?.readable(mode)?),
                    form,
                    compressed: name.ends_with(".zst"),
                })
            }
        }
    }

    /// The directory that it will be renamed in; a stream has none.
    pub fn directory(&self) -> Option<&Path> {
        match &self.sink {
            Sink::File(file) => Some(file.directory()),
            Sink::Stream(_) => None,
        }
    }

    /// The writer, and the form that the plan shall have.
    pub fn writer(self) -> io::Result<(PlanOut, Form)> {
        Ok((
            PlanOut(PaperWriter::new(
                BufWriter::new(self.sink),
                self.compressed,
            )?),
            self.form,
        ))
    }
}

/// An open plan. Dropped before [`PlanOut::publish`], it leaves nothing.
pub(in crate::engine) struct PlanOut(PaperWriter<BufWriter<Sink>>);

impl PlanOut {
    /// Makes the plan visible, whole.
    pub fn publish(self) -> Result<(), EngineError> {
        let buffered = self.0.finish().map_err(EngineError::Output)?;
        let sink = buffered
            .into_inner()
            .map_err(|error| EngineError::Output(error.into_error()))?;
        match sink {
            Sink::File(file) => Ok(file.publish()?),
            Sink::Stream(mut stream) => stream.flush().map_err(EngineError::Output),
        }
    }
}

impl Write for PlanOut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::File(file) => file.write(bytes),
            Sink::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::File(file) => file.flush(),
            Sink::Stream(stream) => stream.flush(),
        }
    }
}
