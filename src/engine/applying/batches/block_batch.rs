//! Lines of reflinks that wait to be done together.

use crate::model::{GuestName, GuestPath, Reflink};
use crate::sys::host::machine;

/// Most bytes of a batch, so that a signal does not wait for long: the kernel reads two files of this length.
const BYTES: u64 = 1 << 30;

/// Lines of reflinks that were gathered.
pub struct BlockBatch {
    /// Most lines of a batch, each of which keeps two files open at most. A batch waits for the disk three times,
    /// whatever is in it.
    most: usize,
    lines: Vec<Reflink>,
    names: usize,
    bytes: u64,
    /// Files that share only some of their data with their source, of all batches.
    partial: u64,
    /// Were all lines of the plan taken?
    is_over: bool,
}

impl BlockBatch {
    /// None so far.
    pub fn new() -> BlockBatch {
        BlockBatch {
            most: machine::pairs_a_batch(),
            lines: Vec::new(),
            names: 0,
            bytes: 0,
            partial: 0,
            is_over: false,
        }
    }

    pub fn clear(&mut self) {
        self.lines.clear();
        (self.names, self.bytes) = (0, 0);
    }

    pub fn gather(&mut self, line: Reflink) {
        self.names += 1 + line.also.len();
        // The plan's word, which may be any number.
        self.bytes = self.bytes.saturating_add(line.size);
        self.lines.push(line);
    }

    /// All of them; those of one source stand beside each other.
    pub fn take(&mut self) -> Vec<Reflink> {
        (self.names, self.bytes) = (0, 0);
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by(|a, b| by_source(a).cmp(&by_source(b)));
        lines
    }

    /// Has one more line room, of so many lines and names at most? One has in any case.
    pub fn has_room_for(&self, line: &Reflink, lines: usize, names: usize) -> bool {
        self.lines.is_empty()
            || self.lines.len() < self.most.min(lines)
                && self.names + 1 + line.also.len() <= names
                && self.bytes.saturating_add(line.size) <= BYTES
    }

    /// All lines of the plan were taken: those that come again were done.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// One file more is done.
    pub fn tell_of(&mut self, is_partial: bool) {
        self.partial += u64::from(is_partial);
    }

    /// How many files share only some of their data.
    pub fn partial(&self) -> u64 {
        self.partial
    }
}

fn by_source(line: &Reflink) -> (&GuestPath, &GuestName) {
    (&line.source.path, &line.source.guest)
}
