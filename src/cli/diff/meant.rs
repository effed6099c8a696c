//! What a word of `unify diff` means: a plan, a guest, or a file of a guest.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::given::Args;
use crate::cli::args::named_base;
use crate::cli::terminal::exit::Failure;
use crate::engine::{self, EngineError, GuestPlace, SourceArg};
use crate::model::{Escaped, GuestName};

/// A word of the command line.
#[derive(Debug)]
pub(super) enum Operand {
    Plan(PathBuf),
    Guest(SourceArg),
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

/// A word with `:/` is a file of a guest; one with `NAME=`, a directory and an image are guests, and anything else a
/// plan.
pub(super) fn operand(word: &OsStr) -> Result<Operand, Failure> {
    let bytes = word.as_encoded_bytes();
    if let Some(at) = between(bytes) {
        let whose = text(bytes.get(..at).unwrap_or_default())?;
        let path = bytes.get(at + 1..).unwrap_or_default().to_vec();
        return Ok(Operand::File(FileArg { whose, path }));
    }
    let path = Path::new(word);
    let is_named = word.to_str().is_some_and(|word| {
        let named = word.split_once('=');
        named.is_some_and(|(name, _)| !name.contains('/'))
    });
    let is_image = || {
        let given = word.to_str().and_then(|word| guest(word).ok());
        given.is_some_and(|given| given.is_image())
    };
    match is_named || engine::is_directory(path) || is_image() {
        true => Ok(Operand::Guest(guest(&text(bytes)?)?)),
        false => Ok(Operand::Plan(path.to_owned())),
    }
}

/// Where the path in a guest begins. A colon behind the word for a form of images is none: `web=tar:/srv/web.tar`.
fn between(bytes: &[u8]) -> Option<usize> {
    let mut places = bytes.windows(BETWEEN.len()).enumerate();
    let found = places.find(|(at, two)| {
        let before = bytes.get(..*at).unwrap_or_default();
        let word = before.rsplit(|byte| *byte == b'=').next();
        *two == BETWEEN && !word.is_some_and(SourceArg::is_form)
    });
    found.map(|(at, _)| at)
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

fn guest(text: &str) -> Result<SourceArg, Failure> {
    text.parse()
        .map_err(|error: crate::model::BadGuestName| Failure::Usage(error.to_string()))
}

impl FileArg {
    /// The guest, where its root or its image is named: that is opened before anything hostile is read.
    pub(super) fn named_place(&self, args: &Args) -> Result<Option<GuestPlace>, Failure> {
        let given = guest(&self.whose)?;
        let is_root = self.whose.contains(['/', '=']) || self.whose == "." || given.is_image();
        let place = is_root.then(|| GuestPlace::at(&given, args.platform.as_deref()));
        Ok(place.transpose()?)
    }

    /// The guest that is meant, of which only a name is given: by a plan, by a base, or by a directory of its name.
    pub(super) fn place(&self, args: &Args) -> Result<GuestPlace, Failure> {
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
            return Ok(GuestPlace::at(&guest(&self.whose)?, None)?);
        }
        Err(Failure::Usage(format!(
            "where is {name}? Name its root, as {name}=ROOT:{}, or a plan or base that knows it, with --plan or --base",
            Escaped(&self.path)
        )))
    }
}
