//! The fields of a journal's records. Only this program reads them, so they are short and plain.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::record::{Intent, Record};
use crate::ledger::json;
use crate::ledger::name::{NameWire, SourceWire, from_text, to_text};
use crate::model::{CommonBlocks, Digest, FileId, GuestName, ObjectId, RunId, RunKind};

/// Device and inode.
type Inode = (u64, u64);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum RecordWire<'a> {
    Begin {
        run: RunId,
        what: RunKind,
    },
    #[serde(borrow)]
    Intent(IntentWire<'a>),
    #[serde(borrow)]
    Blocks(BlocksWire<'a>),
    Lift {
        object: ObjectId,
        inode: Inode,
    },
    Commit {
        upto: u64,
    },
    Done {
        upto: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntentWire<'a> {
    seq: u64,
    guest: GuestName,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    parent: Inode,
    was: Inode,
    becomes: Inode,
    object: ObjectId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlocksWire<'a> {
    seq: u64,
    guest: GuestName,
    #[serde(borrow)]
    paths: Vec<NameWire<'a>>,
    ino: u64,
    #[serde(borrow)]
    source: SourceWire<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    shared: u64,
}

/// The text of the record.
pub(super) fn write_payload(record: &Record) -> Vec<u8> {
    let mut text = Vec::new();
    let written = json::write(&to_wire(record), &mut text);
    debug_assert!(written.is_ok(), "text is written into memory");
    text
}

/// The record again; `None` where it is not one.
pub(super) fn read_payload(text: &[u8]) -> Option<Record> {
    let wire: RecordWire = serde_json::from_slice(text).ok()?;
    Some(match wire {
        RecordWire::Begin { run, what } => Record::Begin { run, what },
        RecordWire::Intent(wire) => Record::Intent(read_intent(wire)?),
        RecordWire::Blocks(wire) => read_blocks(wire)?,
        RecordWire::Lift { object, inode } => Record::Lift {
            object,
            inode: file_id(inode),
        },
        RecordWire::Commit { upto } => Record::Commit { upto },
        RecordWire::Done { upto } => Record::Done { upto },
    })
}

fn to_wire(record: &Record) -> RecordWire<'_> {
    match record {
        Record::Begin { run, what } => RecordWire::Begin {
            run: run.clone(),
            what: *what,
        },
        Record::Intent(intent) => RecordWire::Intent(intent_to_wire(intent)),
        Record::Blocks { seq, blocks } => RecordWire::Blocks(blocks_to_wire(*seq, blocks)),
        Record::Lift { object, inode } => RecordWire::Lift {
            object: *object,
            inode: inode_of(*inode),
        },
        Record::Commit { upto } => RecordWire::Commit { upto: *upto },
        Record::Done { upto } => RecordWire::Done { upto: *upto },
    }
}

fn intent_to_wire(intent: &Intent) -> IntentWire<'_> {
    let (path, path_b64) = to_text(&intent.path);
    IntentWire {
        seq: intent.seq,
        guest: intent.guest.clone(),
        path,
        path_b64,
        parent: inode_of(intent.parent),
        was: inode_of(intent.was),
        becomes: inode_of(intent.becomes),
        object: intent.object,
    }
}

fn read_intent(wire: IntentWire) -> Option<Intent> {
    Some(Intent {
        seq: wire.seq,
        path: from_text("path", &wire.path, wire.path_b64.as_deref()).ok()?,
        guest: wire.guest,
        parent: file_id(wire.parent),
        was: file_id(wire.was),
        becomes: file_id(wire.becomes),
        object: wire.object,
    })
}

fn blocks_to_wire(seq: u64, blocks: &CommonBlocks) -> BlocksWire<'_> {
    BlocksWire {
        seq,
        guest: blocks.guest.clone(),
        paths: blocks.paths.iter().map(NameWire::from).collect(),
        ino: blocks.ino,
        source: SourceWire::from(&blocks.source),
        content: blocks.content,
        size: blocks.size,
        shared: blocks.shared,
    }
}

fn read_blocks(wire: BlocksWire) -> Option<Record> {
    let paths = wire.paths.iter().map(|name| name.read("paths"));
    let blocks = CommonBlocks {
        guest: wire.guest,
        paths: paths.collect::<Result<_, _>>().ok()?,
        ino: wire.ino,
        source: wire.source.read().ok()?,
        content: wire.content,
        size: wire.size,
        shared: wire.shared,
        left: 0,
    };
    let seq = wire.seq;
    Some(Record::Blocks { seq, blocks })
}

fn inode_of(id: FileId) -> Inode {
    (id.dev, id.ino)
}

fn file_id((dev, ino): Inode) -> FileId {
    FileId { dev, ino }
}
