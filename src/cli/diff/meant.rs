//! What a word of `unify diff` means: a plan, a guest, or a file of a guest.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::given::Args;
use crate::cli::args::named_base;
use crate::cli::terminal::exit::Failure;
use crate::engine::{self, EngineError, GuestArg, GuestPlace};
use crate::model::{Escaped, GuestName};

/// A word of the command line.
#[derive(Debug)]
pub(super) enum Operand {
    Plan(PathBuf),
    Guest(GuestArg),
    File(FileArg),
}

/// A file of a guest, as it was typed.
#[derive(Debug)]
pub(super) struct FileArg {
    whose: String,
    pub path: Vec<u8>,
}

/// What stands between a guest and a path in it.
const BETWEEN: &[u8] = b":/";

/// A word with `:/` is a file of a guest, one with `NAME=` a guest, a directory a guest, and anything else a plan.
pub(super) fn operand(word: &OsStr) -> Result<Operand, Failure> {
    let bytes = word.as_encoded_bytes();
    let split = bytes.windows(BETWEEN.len()).position(|two| two == BETWEEN);
    if let Some(at) = split {
        let whose = text(bytes.get(..at).unwrap_or_default())?;
        let path = bytes.get(at + 1..).unwrap_or_default().to_vec();
        return Ok(Operand::File(FileArg { whose, path }));
    }
    let path = Path::new(word);
    let is_named = word.to_str().is_some_and(|word| {
        let named = word.split_once('=');
        named.is_some_and(|(name, _)| !name.contains('/'))
    });
    match is_named || engine::is_directory(path) {
        true => Ok(Operand::Guest(guest(&text(bytes)?)?)),
        false => Ok(Operand::Plan(path.to_owned())),
    }
}

fn text(bytes: &[u8]) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes);
    text.map(ToOwned::to_owned).map_err(|_| {
        let shown = Escaped(bytes);
        Failure::Usage(format!(
            "{shown}: the name and the root of a guest must be UTF-8 text"
        ))
    })
}

fn guest(text: &str) -> Result<GuestArg, Failure> {
    text.parse()
        .map_err(|error: crate::model::BadGuestName| Failure::Usage(error.to_string()))
}

impl FileArg {
    /// The guest that is meant: by its root, by a plan, by a base, or by a directory of its name.
    pub(super) fn place(&self, args: &Args) -> Result<GuestPlace, Failure> {
        let is_root = self.whose.contains(['/', '=']) || self.whose == ".";
        if is_root {
            return Ok(GuestPlace::at(&guest(&self.whose)?)?);
        }
        let name = GuestName::new(&self.whose).map_err(|e| Failure::Usage(e.to_string()))?;
        if let Some(plan) = &args.plan {
            return Ok(GuestPlace::in_plan(plan, &name)?);
        }
        if let Some(base) = named_base(args.base.as_deref()) {
            return Ok(GuestPlace::in_base(&base, &name)?);
        }
        self.near(&name)
    }

    fn near(&self, name: &GuestName) -> Result<GuestPlace, Failure> {
        let base = engine::any_base_near(&[])?;
        let known = base.map(|base| GuestPlace::in_base(&base, name));
        match known {
            Some(Ok(place)) => return Ok(place),
            Some(Err(error)) if !matches!(error, EngineError::Usage(_)) => return Err(error.into()),
            _ => {}
        }
        if engine::is_directory(Path::new(&self.whose)) {
            return Ok(GuestPlace::at(&guest(&self.whose)?)?);
        }
        Err(Failure::Usage(format!(
            "where is {name}? Name its root, as {name}=ROOT:{}, or a plan or base that knows it, with --plan or --base",
            Escaped(&self.path)
        )))
    }
}
