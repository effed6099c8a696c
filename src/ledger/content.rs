//! The content digest of a plan: what people approve.
//!
//! SHA-256 over what would be done and nothing else: the base, the protection, what metadata may differ and the roots
//! of the guests, then the lines. Each link line adds its guest, names, method
//! and object; each flag line its object and flags; in the order of the lines. Times, inode numbers,
//! sizes, reasons, notes and skips are left out, so an approval survives a new plan that would do
//! the same. Every text has its length in front and every line its kind, so that no two lists of
//! actions have one encoding.

use super::codes::{flag_code, method_code};
use crate::model::{Action, Flag, Header, Link, PlanDigest, PlannedGuest};
use crate::sys::hash::ContentHasher;

/// The digest of the lines so far.
pub(super) struct ContentDigest(ContentHasher);

impl ContentDigest {
    /// Of no line yet: what the header and the guests say about where and how it would be done.
    pub(super) fn new(header: &Header, guests: &[PlannedGuest]) -> Self {
        let mut digest = ContentDigest(ContentHasher::new());
        digest.text(b"unify.content.1");
        digest.text(header.base.path.as_os_str().as_encoded_bytes());
        digest.text(format!("{:?} {:?}", header.protection.mode, header.policy.ignore).as_bytes());
        for guest in guests {
            digest.text(guest.name.as_str().as_bytes());
            digest.text(guest.root.as_os_str().as_encoded_bytes());
        }
        digest
    }

    /// Takes in the next line. Skips leave no trace.
    pub(super) fn add(&mut self, action: &Action) {
        match action {
            Action::Link(link) => self.link(link),
            Action::Flag(flag) => self.flag(flag),
            Action::Skip(_) => {}
        }
    }

    /// The digest of all lines.
    pub(super) fn finish(&self) -> PlanDigest {
        PlanDigest {
            content: self.0.clone().finish(),
        }
    }

    fn link(&mut self, link: &Link) {
        self.text(b"link");
        self.text(link.guest.as_str().as_bytes());
        self.text(link.path.as_bytes());
        self.number(link.also.len());
        for name in &link.also {
            self.text(name.as_bytes());
        }
        self.text(method_code(link.method).as_bytes());
        self.text(link.object.to_string().as_bytes());
    }

    fn flag(&mut self, flag: &Flag) {
        self.text(b"flag");
        self.text(flag.object.to_string().as_bytes());
        self.number(flag.set.len());
        for set in &flag.set {
            self.text(flag_code(*set).as_bytes());
        }
    }

    fn text(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }

    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }
}
