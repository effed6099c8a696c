//! What was decided: what people approve for every host with the same guests.
//!
//! SHA-256 over the choices, then the lines: each link line adds its guest, names, method, content, metadata and
//! reason; each reflink line guest, names, method, content and reason; each flag line the content and metadata of its
//! object. Hosts, bases, roots, device and inode numbers, times of this host and what depends on its file system (the
//! numbers of objects with very many names, the kind of flag) are left out, as are sizes, notes and skips. So equal
//! guests have one digest wherever they are, and an image plan of them has it as well, as long as they have hard links
//! only. Of guests that run that holds as long as the same files are in use: a lock, a watch or a reader at the moment
//! of the plan keeps a file, and takes its line out (a choice that lets them in, or an exclude, ends that). Of several
//! equal files one is the source of a reflink, which goes by how they lie on the disk. It has no line, and no line
//! names it; but which files have lines goes with it, so where another file is the source the digest is another one,
//! and has to be approved again. That shared files are protected is covered: whoever approves an image plan approves no
//! plan that leaves them open.

use super::encoding::{self, names, text};
use crate::ledger::json;
use crate::model::{
    Action, Header, Link, Method, ObjectId, PlannedGuest, Policy, Protect, SkipDetail,
};

/// What the header and the guests say about the choices.
pub(super) fn start(header: &Header, guests: &[PlannedGuest]) -> Vec<u8> {
    let mut start = Vec::new();
    text(&mut start, b"unify.decision.1");
    text(&mut start, &choices(&header.policy));
    let protection = header.target.as_ref();
    let protection = protection.and_then(|target| target.protection.as_ref());
    let open = protection.is_some_and(|protection| protection.mode == Protect::None);
    text(&mut start, if open { b"open" } else { b"protected" });
    for guest in guests {
        text(&mut start, guest.name.as_str().as_bytes());
    }
    start
}

/// The choices, in the words of the plan: without what says only where they were made, and what is listed.
fn choices(policy: &Policy) -> Vec<u8> {
    let mut policy = Policy {
        skips: SkipDetail::Summary,
        file: None,
        ..policy.clone()
    };
    for pattern in &mut policy.patterns {
        pattern.from.clear();
    }
    let mut words = Vec::new();
    let written = json::write(&policy, &mut words);
    debug_assert!(written.is_ok(), "choices are written into memory");
    words
}

/// Appends what the digest covers of a line. Skips leave no trace.
pub(super) fn add(action: &Action, out: &mut Vec<u8>) {
    match action {
        Action::Link(line) => link(line, out),
        Action::Reflink(line) => {
            encoding::reflink(out, line);
            text(out, line.reason.code().as_bytes());
        }
        Action::Flag(line) => {
            text(out, b"flag");
            object(&line.object, out);
        }
        Action::Skip(_) => {}
    }
}

fn link(link: &Link, out: &mut Vec<u8>) {
    names(out, (&link.guest, &link.path, &link.also), Method::Hardlink);
    object(&link.object, out);
    text(out, link.reason.code().as_bytes());
}

/// Without its generation.
fn object(object: &ObjectId, out: &mut Vec<u8>) {
    text(out, &object.content.0);
    text(out, &object.metadata.0);
}
