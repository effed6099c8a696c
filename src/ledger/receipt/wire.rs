//! The fields of a receipt's lines: one outcome, and only the facts that belong to it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ledger::json::{BadValue, Decimal};
use crate::ledger::name::{NameWire, SourceWire, from_text, to_text};
use crate::model::{
    About, BlockSource, CommonBlocks, Digest, GuestName, GuestPath, Making, Method, ObjectId,
    Outcome, ReceiptLine, Refusal, SkipReason, Time, UsedFile,
};

/// One action and what became of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptLineWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<GuestName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    #[serde(default, borrow, skip_serializing_if = "Vec::is_empty")]
    also: Vec<NameWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Method>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    source: Option<SourceWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ino: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<u64>,
    outcome: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Making>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtime: Option<Time>,
    #[serde(default, borrow, skip_serializing_if = "Vec::is_empty")]
    uses: Vec<UseWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// How the file was in use as it got an inode of its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UseWire<'a> {
    code: SkipReason,
    #[serde(borrow)]
    who: Cow<'a, str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Done,
    AlreadyDone,
    Refused,
    Failed,
}

impl<'a> ReceiptLineWire<'a> {
    pub fn new(line: &'a ReceiptLine) -> Self {
        let (first, also) = match line.paths().split_first() {
            None => (None, &[][..]),
            Some((first, also)) => (Some(to_text(first)), also),
        };
        let (path, path_b64) = first.map_or((None, None), |(text, b64)| (Some(text), b64));
        let bare = ReceiptLineWire {
            guest: line.guest().cloned(),
            path,
            path_b64,
            also: also.iter().map(NameWire::from).collect(),
            object: line.object().copied(),
            method: None,
            source: None,
            content: None,
            size: None,
            ino: None,
            shared: None,
            left: None,
            outcome: Word::AlreadyDone,
            made: None,
            saved: None,
            mtime: None,
            uses: Vec::new(),
            refusal: None,
            error: None,
        };
        bare.with_blocks(&line.about).with_outcome(&line.outcome)
    }

    /// With how its file was in use.
    pub fn used(mut self, uses: &'a [UsedFile]) -> Self {
        let wire = |used: &'a UsedFile| UseWire {
            code: used.how,
            who: Cow::Borrowed(&used.who),
        };
        self.uses = uses.iter().map(wire).collect();
        self
    }

    /// Lines of hard links, which have an object, say no method: there was none other.
    fn with_blocks(self, about: &'a About) -> Self {
        match about {
            About::Blocks(blocks) => ReceiptLineWire {
                method: Some(Method::Reflink),
                source: Some(SourceWire::from(&blocks.source)),
                content: blocks.content,
                size: blocks.size,
                ino: Some(Decimal(blocks.ino)),
                shared: Some(blocks.shared),
                left: (blocks.left > 0).then_some(blocks.left),
                ..self
            },
            About::Names { .. } | About::Flag { .. } => self,
        }
    }

    fn with_outcome(self, outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done { made, saved, mtime } => ReceiptLineWire {
                outcome: Word::Done,
                made: *made,
                saved: Some(*saved),
                mtime: *mtime,
                ..self
            },
            Outcome::AlreadyDone => self,
            Outcome::Refused(refusal) => ReceiptLineWire {
                outcome: Word::Refused,
                refusal: Some(refusal.clone()),
                ..self
            },
            Outcome::Failed(error) => ReceiptLineWire {
                outcome: Word::Failed,
                error: Some(error.clone()),
                ..self
            },
        }
    }

    pub fn read(self) -> Result<ReceiptLine, BadValue> {
        Ok(ReceiptLine {
            about: self.read_about()?,
            outcome: self.read_outcome()?,
        })
    }

    fn read_about(&self) -> Result<About, BadValue> {
        let missing = |field| BadValue::new(field, "missing");
        let paths = self.read_paths()?;
        let together = || BadValue::new("guest", "guest and path belong together");
        match (self.guest.clone(), paths.is_empty(), self.read_source()?) {
            (Some(guest), false, Some((source, content))) => Ok(About::Blocks(CommonBlocks {
                guest,
                paths,
                ino: self.ino.ok_or_else(|| missing("ino"))?.0,
                source,
                content,
                size: self.size,
                shared: self.shared.ok_or_else(|| missing("shared"))?,
                left: self.left.unwrap_or(0),
            })),
            (Some(guest), false, None) => Ok(About::Names {
                guest,
                paths,
                object: self.object.ok_or_else(|| missing("object"))?,
            }),
            (None, true, None) => Ok(About::Flag {
                object: self.object.ok_or_else(|| missing("object"))?,
            }),
            _ => Err(together()),
        }
    }

    /// Where the line is of a reflink: whose blocks, and what is in them.
    fn read_source(&self) -> Result<Option<(BlockSource, Option<Digest>)>, BadValue> {
        let stray = self.ino.is_some() || self.shared.is_some() || self.size.is_some();
        let stray = stray || self.content.is_some() || self.left.is_some();
        match (self.method, &self.source, self.object) {
            (Some(Method::Reflink), Some(source), None) => Ok(Some((source.read()?, self.content))),
            (None, None, Some(_)) if !stray => Ok(None),
            _ => Err(BadValue::new(
                "method",
                "an object, or the method reflink with source, is what a line has",
            )),
        }
    }

    fn read_paths(&self) -> Result<Vec<GuestPath>, BadValue> {
        let Some(path) = &self.path else {
            let stray = self.path_b64.is_some() || !self.also.is_empty();
            let bad = BadValue::new("path", "missing");
            return if stray { Err(bad) } else { Ok(Vec::new()) };
        };
        let mut paths = vec![from_text("path", path, self.path_b64.as_deref())?];
        for (i, name) in self.also.iter().enumerate() {
            paths.push(name.read(&format!("also[{i}]"))?);
        }
        Ok(paths)
    }

    fn read_outcome(&self) -> Result<Outcome, BadValue> {
        let word = self.outcome;
        let belongs = [
            ("saved", self.saved.is_some(), word == Word::Done),
            ("refusal", self.refusal.is_some(), word == Word::Refused),
            ("error", self.error.is_some(), word == Word::Failed),
            (
                "made",
                self.made.is_some(),
                self.made.is_some() && word == Word::Done,
            ),
            (
                "mtime",
                self.mtime.is_some(),
                self.mtime.is_some() && word == Word::Done,
            ),
            (
                "uses",
                !self.uses.is_empty(),
                !self.uses.is_empty() && word == Word::Done,
            ),
        ];
        if let Some((field, there, _)) = belongs.iter().find(|(_, there, due)| there != due) {
            let why = if *there {
                "does not belong to this outcome"
            } else {
                "missing"
            };
            return Err(BadValue::new(field, why));
        }
        Ok(match (word, &self.refusal, &self.error) {
            (Word::Refused, Some(refusal), _) => Outcome::Refused(refusal.clone()),
            (Word::Failed, _, Some(error)) => Outcome::Failed(error.clone()),
            (Word::Done, ..) => Outcome::Done {
                made: self.made,
                saved: self.saved.unwrap_or_default(),
                mtime: self.mtime,
            },
            _ => Outcome::AlreadyDone,
        })
    }
}
