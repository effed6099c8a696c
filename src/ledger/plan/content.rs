//! The content digest of a plan: what people approve.
//!
//! SHA-256 over what would be done and nothing else: the base, the protection, what metadata may differ and the roots
//! of the guests, then the lines. Each link line adds its guest, names, method
//! and object; each flag line its object and flags; in the order of the lines. Times, inode numbers,
//! sizes, reasons, notes and skips are left out, so an approval survives a new plan that would do
//! the same. Every text has its length in front and every line its kind, so that no two lists of
//! actions have one encoding.

use crate::ledger::codes::{flag_code, method_code};
use crate::model::{Action, Flag, Header, Link, PlanDigest, PlannedGuest};
use crate::sys::hash::ContentHasher;

/// The digest of the lines so far.
pub(super) struct ContentDigest(ContentHasher);

impl ContentDigest {
    /// Of no line yet: what the header and the guests say about where and how it would be done.
    pub fn new(header: &Header, guests: &[PlannedGuest]) -> Self {
        let mut start = Vec::new();
        text(&mut start, b"unify.content.1");
        text(&mut start, header.base.path.as_os_str().as_encoded_bytes());
        let choices = format!("{:?} {:?}", header.protection.mode, header.policy.ignore);
        text(&mut start, choices.as_bytes());
        for guest in guests {
            text(&mut start, guest.name.as_str().as_bytes());
            text(&mut start, guest.root.as_os_str().as_encoded_bytes());
        }
        let mut digest = ContentDigest(ContentHasher::new());
        digest.take(&start);
        digest
    }

    /// Takes in the next line.
    pub fn add(&mut self, action: &Action) {
        let mut bytes = Vec::new();
        add(action, &mut bytes);
        self.take(&bytes);
    }

    /// Takes in what [`add`] made of the next lines.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all lines.
    pub fn finish(&self) -> PlanDigest {
        PlanDigest {
            content: self.0.clone().finish(),
        }
    }
}

/// Appends what the digest covers of a line. Skips leave no trace.
pub fn add(action: &Action, out: &mut Vec<u8>) {
    match action {
        Action::Link(line) => link(line, out),
        Action::Flag(line) => flag(line, out),
        Action::Skip(_) => {}
    }
}

fn link(link: &Link, out: &mut Vec<u8>) {
    text(out, b"link");
    text(out, link.guest.as_str().as_bytes());
    text(out, link.path.as_bytes());
    number(out, link.also.len());
    for name in &link.also {
        text(out, name.as_bytes());
    }
    text(out, method_code(link.method).as_bytes());
    text(out, link.object.to_string().as_bytes());
}

fn flag(flag: &Flag, out: &mut Vec<u8>) {
    text(out, b"flag");
    text(out, flag.object.to_string().as_bytes());
    number(out, flag.set.len());
    for set in &flag.set {
        text(out, flag_code(*set).as_bytes());
    }
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u64).to_le_bytes());
}
