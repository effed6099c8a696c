//! A disk in memory that remembers in which order it was written to, and which writes each flush made durable.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// What a power cut keeps or loses as a whole: disks write sectors of this size at once.
pub const PIECE: usize = 4096;

/// The content of a disk; pieces that are not there are zeros. A clone costs little.
#[derive(Debug, Clone, Default)]
pub struct Image(BTreeMap<u64, Arc<[u8; PIECE]>>);

/// One change of at most one piece: where, and the bytes. Zeros are zeros written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub offset: u64,
    pub bytes: Vec<u8>,
}

impl Image {
    /// Changes a part of one piece.
    pub fn apply(&mut self, write: &Write) {
        let (number, start) = place(write.offset);
        let mut piece = self.0.get(&number).map_or([0; PIECE], |old| **old);
        piece[start..start + write.bytes.len()].copy_from_slice(&write.bytes);
        if piece == [0; PIECE] {
            self.0.remove(&number);
        } else {
            self.0.insert(number, Arc::new(piece));
        }
    }

    /// `length` bytes.
    pub fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let (number, start) = place(offset + bytes.len() as u64);
            let end = PIECE.min(start + length - bytes.len());
            let piece = self.0.get(&number).map_or(&[0; PIECE], |piece| &**piece);
            bytes.extend_from_slice(&piece[start..end]);
        }
        bytes
    }

    /// As a sparse file, for a person to look into.
    pub fn save(&self, path: &Path, size: u64) {
        let file = std::fs::File::create(path).unwrap();
        file.set_len(size).unwrap();
        for (number, piece) in &self.0 {
            file.write_all_at(&piece[..], number * PIECE as u64)
                .unwrap();
        }
    }
}

/// The number of a piece, and where in it.
fn place(offset: u64) -> (u64, usize) {
    let piece = PIECE as u64;
    (offset / piece, (offset % piece) as usize)
}

/// A change, split at the borders of pieces.
pub fn pieces(offset: u64, bytes: &[u8]) -> impl Iterator<Item = Write> {
    let first = (PIECE - place(offset).1).min(bytes.len());
    let (head, rest) = bytes.split_at(first);
    let rest = rest.chunks(PIECE).enumerate();
    let rest = rest.map(move |(n, bytes)| (offset + (first + n * PIECE) as u64, bytes));
    let all = std::iter::once((offset, head)).chain(rest);
    all.filter(|(_, bytes)| !bytes.is_empty())
        .map(|(offset, bytes)| Write {
            offset,
            bytes: bytes.to_vec(),
        })
}

/// What happened between two flushes.
#[derive(Debug, Clone, Default)]
pub struct Interval {
    /// What the test was doing when the second flush came.
    pub step: String,
    /// In the order in which they came.
    pub writes: Vec<Write>,
}

/// Everything that was written from one moment on.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// The disk at that moment.
    pub base: Image,
    /// Each ended by a flush, and none is empty.
    pub intervals: Vec<Interval>,
    /// What no flush came for.
    open: Vec<Write>,
    step: String,
}

/// The disk as it is now, and what is being recorded.
#[derive(Debug, Default)]
pub struct Medium {
    image: Image,
    recording: Option<Recording>,
}

impl Medium {
    pub fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        self.image.read(offset, length)
    }

    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        for write in pieces(offset, bytes) {
            self.image.apply(&write);
            if let Some(recording) = &mut self.recording {
                recording.open.push(write);
            }
        }
    }

    pub fn flush(&mut self) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        let writes = std::mem::take(&mut recording.open);
        if !writes.is_empty() {
            let step = recording.step.clone();
            recording.intervals.push(Interval { step, writes });
        }
    }

    pub fn record(&mut self) {
        self.recording = Some(Recording {
            base: self.image.clone(),
            ..Recording::default()
        });
    }

    /// Names what comes next.
    pub fn step(&mut self, step: &str) {
        if let Some(recording) = &mut self.recording {
            step.clone_into(&mut recording.step);
        }
    }

    /// Flushes so far.
    pub fn flushes(&self) -> usize {
        let recording = self.recording.as_ref();
        recording.map_or(0, |recording| recording.intervals.len())
    }

    /// Ends the recording and gives it.
    pub fn recorded(&mut self) -> Recording {
        self.recording.take().unwrap_or_default()
    }

    /// Puts another disk in its place.
    pub fn load(&mut self, image: Image) {
        self.image = image;
    }
}
