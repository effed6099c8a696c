//! What one guest may cost the plan of all: files with more holes or more names than these are left alone.

use std::collections::BTreeMap;

use crate::model::Tree;

/// Holes cost nothing to make and time to read: a guest could stop every plan with one file of 8 EiB, or with
/// many smaller ones. So many bytes are read of all its files together, which is far more than guests have in
/// files worth sharing.
pub(super) const MOST_HOLES: u64 = 16 << 30;

/// With fewer a file costs no more than one without.
pub(super) const FEW_HOLES: u64 = 1 << 20;

/// Copies that share their extents cost nothing to make either, nor do files that are compressed well. Of all files of
/// a guest together, so many times the bytes are read that its file system stores, or as many as of holes: what is
/// really there is far less.
#[derive(Debug, Default)]
pub struct MostStored(BTreeMap<u64, u64>);

impl MostStored {
    /// A file system stores so many bytes.
    pub fn stores(&mut self, device: u64, used: u64) {
        self.0
            .insert(device, used.saturating_mul(4).max(MOST_HOLES));
    }

    /// Is it known of this file system?
    pub fn knows(&self, device: u64) -> bool {
        self.0.contains_key(&device)
    }

    /// Most bytes of all files of a guest on this file system that are read.
    pub fn on(&self, device: u64) -> u64 {
        self.0.get(&device).copied().unwrap_or(u64::MAX)
    }
}

/// With fewer a file costs about what it costs to make it.
pub(super) const FEW_STORED: u64 = 64 << 10;

/// A line of a plan may be 16 MiB long. All names of a file are in one, and may take a quarter of it.
const LONGEST_NAMES: usize = 4 << 20;

/// Longest path that the walk meets.
const LONGEST_PATH: usize = 4096;

/// Most bytes that one byte of a name takes in JSON: six for a control byte, and for a name that is not text a
/// third more than itself besides.
const LONGEST_BYTE: usize = 8;

/// Could a line with all names of this file be too long?
pub(super) fn has_too_many_names(tree: &Tree, file: usize) -> bool {
    let few = LONGEST_NAMES / (LONGEST_PATH * LONGEST_BYTE);
    let written = || tree.names_of(file).map(|name| written(&tree.path(name)));
    tree.name_count(file) > few && written().sum::<usize>() > LONGEST_NAMES
}

/// At most so many bytes a path takes in a list of names.
fn written(path: &[u8]) -> usize {
    let odd = |byte: &&u8| !(b' '..=b'~').contains(byte) || matches!(byte, b'"' | b'\\' | b'#');
    match path.iter().filter(odd).count() {
        0 => path.len() + 3,
        odd => 2 * path.len() + LONGEST_BYTE * odd + 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Encoded, Form};
    use crate::model::{Action, GuestPath, Skip, SkipReason};

    /// A path never takes more than is assumed, whatever is in it.
    #[test]
    fn no_path_takes_more() {
        let length = |path: &[u8]| {
            let guest = crate::model::GuestName::new("g").expect("a name");
            let skip = Skip::new(
                guest,
                GuestPath::new(path).expect("a path"),
                SkipReason::Etc,
            );
            let encoded = Encoded::new(Form::Lines, &[Action::Skip(skip)]);
            encoded.expect("a line").length()
        };
        let empty = length(b"/a") - 2;
        for byte in 1..=255u8 {
            let byte = if byte == b'/' { b'a' } else { byte };
            let path = [b"/", &[byte; 200][..]].concat();
            let taken = length(&path) - empty;
            assert!(taken <= written(&path), "{byte}: {taken}");
            assert!(written(&path) <= LONGEST_BYTE * LONGEST_PATH);
        }
    }
}
