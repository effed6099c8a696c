//! What the base records of writes to shared files, and of who used these files then, a JSON object a line. The last
//! line may be torn, and what is no line of this version is passed over: nothing rests on them.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use serde::{Deserialize, Serialize};

use super::json;
use super::lines::{FoundLine, LineReader};
use super::name::NameWire;
use super::plan::frames::MAX_VALUE;
use crate::model::{
    DeniedOnce, FileUse, FileUsed, GuestName, GuestPath, ObjectId, UsesMet, WriteMet, WriterLine,
};

#[derive(Serialize, Deserialize)]
struct WriteWire<'a> {
    at: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<GuestName>,
    /// One alone: a file may have so many names that a few lines of them all would leave no room for other guests. A
    /// line of an earlier program has all of them, and no count.
    #[serde(borrow)]
    paths: Vec<NameWire<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectId>,
    by: Cow<'a, str>,
    command: Cow<'a, str>,
    process: u32,
    bytes: u64,
    micros: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    once: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct UsesWire<'a> {
    at: Cow<'a, str>,
    guest: GuestName,
    looked: u64,
    #[serde(borrow)]
    used: Vec<FileUsedWire<'a>>,
}

#[derive(Serialize, Deserialize)]
struct FileUsedWire<'a> {
    #[serde(borrow)]
    name: NameWire<'a>,
    uses: Vec<MetUseWire<'a>>,
}

#[derive(Serialize, Deserialize)]
struct MetUseWire<'a> {
    code: Cow<'a, str>,
    who: Cow<'a, str>,
}

/// The line of one write, with its newline.
pub fn encode(met: &WriteMet) -> Vec<u8> {
    let wire = WriteWire {
        at: Cow::Borrowed(&met.at),
        guest: met.guest.clone(),
        paths: met.path.iter().map(NameWire::from).collect(),
        names: Some(met.names),
        object: met.object,
        by: Cow::Borrowed(&met.by),
        command: String::from_utf8_lossy(&met.command),
        process: met.process,
        bytes: met.bytes,
        micros: met.micros,
        denied: met.denied.clone(),
        once: met.once.map(|once| Cow::Borrowed(once.code())),
    };
    line_of(&wire)
}

/// The line of what was seen after some writes.
pub fn encode_uses(met: &UsesMet) -> Vec<u8> {
    let wire_of = |(used, who): &(FileUse, String)| MetUseWire {
        code: Cow::Borrowed(used.reason().code()),
        who: Cow::Owned(who.clone()),
    };
    let used = met.used.iter().map(|file| FileUsedWire {
        name: NameWire::from(&file.path),
        uses: file.uses.iter().map(wire_of).collect(),
    });
    line_of(&UsesWire {
        at: Cow::Borrowed(&met.at),
        guest: met.guest.clone(),
        looked: met.looked,
        used: used.collect(),
    })
}

fn line_of(wire: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::new();
    let written = json::write(wire, &mut line);
    debug_assert!(written.is_ok(), "text is written into memory");
    line.push(b'\n');
    line
}

/// All lines that can be read, in their order.
pub fn read(input: impl Read) -> Vec<WriterLine> {
    let mut lines = LineReader::new(BufReader::new(input), MAX_VALUE as u64);
    let mut all = Vec::new();
    while next(&mut lines) {
        let line = lines.line();
        let write = || decode(line).map(WriterLine::Write);
        all.extend(write().or_else(|| decode_uses(line).map(WriterLine::Uses)));
    }
    all
}

fn next(lines: &mut LineReader<impl BufRead>) -> bool {
    matches!(lines.advance(), Ok(FoundLine::Whole))
}

fn decode(line: &[u8]) -> Option<WriteMet> {
    let wire: WriteWire = serde_json::from_slice(line).ok()?;
    let first = wire.paths.first().map(|name| name.read("paths"));
    Some(WriteMet {
        at: wire.at.into_owned(),
        guest: wire.guest,
        path: first.transpose().ok()?,
        names: wire.names.unwrap_or(wire.paths.len() as u64),
        object: wire.object,
        by: wire.by.into_owned(),
        command: wire.command.into_owned().into_bytes(),
        process: wire.process,
        bytes: wire.bytes,
        micros: wire.micros,
        denied: wire.denied,
        once: wire.once.as_deref().map(DeniedOnce::of_code),
    })
}

fn decode_uses(line: &[u8]) -> Option<UsesMet> {
    let wire: UsesWire = serde_json::from_slice(line).ok()?;
    // One way of a later version is passed over, and the others are told.
    let use_of = |one: &MetUseWire| Some((FileUse::of_code(&one.code)?, one.who.to_string()));
    let file = |file: &FileUsedWire| {
        let path: GuestPath = file.name.read("name").ok()?;
        let uses = file.uses.iter().filter_map(use_of).collect();
        Some(FileUsed { path, uses })
    };
    Some(UsesMet {
        at: wire.at.to_string(),
        guest: wire.guest.clone(),
        looked: wire.looked,
        used: wire.used.iter().map(file).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GuestPath;

    #[test]
    fn what_is_written_is_read_again() {
        let path = |bytes: &[u8]| GuestPath::new(bytes).expect("a path");
        let met = WriteMet {
            at: "2026-01-02T03:04:05Z".into(),
            guest: Some(GuestName::new("web").expect("a name")),
            path: Some(path(b"/usr/\xff\x1b")),
            names: 2,
            object: None,
            by: "open".into(),
            command: b"sh".to_vec(),
            process: 7,
            bytes: 4096,
            micros: 900,
            denied: None,
            once: Some(DeniedOnce::Traced),
        };
        let denied = WriteMet {
            guest: None,
            denied: Some("no guest".into()),
            once: None,
            ..met.clone()
        };
        let uses = UsesMet {
            at: met.at.clone(),
            guest: GuestName::new("web").expect("a name"),
            looked: 3,
            used: vec![FileUsed {
                path: path(b"/usr/\xff\x1b"),
                uses: vec![(FileUse::Locked, "flock of \u{1b}".into())],
            }],
        };
        let lines = [encode(&met), encode_uses(&uses), encode(&denied)];
        let mut bytes = lines.join(&b"{}\nnothing\n"[..]);
        assert!(!bytes.contains(&0x1b), "no terminal obeys it");
        bytes.extend_from_slice(&encode(&met)[..9]);
        let want = [
            WriterLine::Write(met),
            WriterLine::Uses(uses),
            WriterLine::Write(denied),
        ];
        assert_eq!(read(&bytes[..]), want);
    }

    #[test]
    fn all_names_on_a_line_of_an_earlier_program_are_counted() {
        let line = br#"{"at":"2026-01-02T03:04:05Z","guest":"web","paths":[{"path":"/a"},{"path":"/b"}],"by":"open","command":"sh","process":7,"bytes":9,"micros":9}
"#;
        let [WriterLine::Write(met)] = &read(&line[..])[..] else {
            panic!("one line");
        };
        let first = met.path.as_ref().map(ToString::to_string);
        assert_eq!((first.as_deref(), met.names), (Some("/a"), 2));
    }
}
