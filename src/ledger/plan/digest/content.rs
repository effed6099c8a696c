//! What would be done, and where: what people approve for one host.
//!
//! SHA-256 over what would be done and nothing else: the base, the protection, what metadata may differ and the roots
//! of the guests, then the lines. Each link line adds its guest, names, method
//! and object; each reflink line its guest, names, method, source and content; each flag line its object and flags; in
//! the order of the lines. Times, inode numbers,
//! sizes, reasons, notes and skips are left out, so an approval survives a new plan that would do
//! the same.

use super::encoding::{self, names, number, text};
use crate::ledger::codes::flag_code;
use crate::model::{Action, Flag, Header, Link, Method, PlannedGuest};

/// What the header and the guests say about where and how it would be done.
pub(super) fn start(header: &Header, guests: &[PlannedGuest]) -> Vec<u8> {
    let mut start = Vec::new();
    match &header.target {
        Some(target) => {
            text(&mut start, b"unify.content.1");
            text(&mut start, target.base.path.as_os_str().as_encoded_bytes());
            let protection = target.protection.as_ref();
            let mode = protection.map_or("Needless".to_owned(), |it| format!("{:?}", it.mode));
            let choices = format!("{mode} {:?}", header.policy.ignore);
            text(&mut start, choices.as_bytes());
        }
        None => {
            text(&mut start, b"unify.image-content.1");
            text(&mut start, format!("{:?}", header.policy.ignore).as_bytes());
        }
    }
    for guest in guests {
        text(&mut start, guest.name.as_str().as_bytes());
        text(&mut start, guest.root.as_os_str().as_encoded_bytes());
    }
    start
}

/// Appends what the digest covers of a line. Skips leave no trace.
pub(super) fn add(action: &Action, out: &mut Vec<u8>) {
    match action {
        Action::Link(line) => link(line, out),
        Action::Reflink(line) => {
            encoding::reflink(out, line);
            text(out, line.source.guest.as_str().as_bytes());
            text(out, line.source.path.as_bytes());
        }
        Action::Flag(line) => flag(line, out),
        Action::Skip(_) => {}
    }
}

fn link(link: &Link, out: &mut Vec<u8>) {
    names(out, (&link.guest, &link.path, &link.also), Method::Hardlink);
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
