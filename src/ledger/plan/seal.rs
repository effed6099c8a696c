//! The seal of a plan's line: says which of its fields a hand has changed.
//!
//! Four hex digits for every sealed field, in fixed order: the first 16 bits of a checksum (xxh3) over the
//! field's name and value. It is there so that a reviewer's slip is named ("`size` was changed") and not silently
//! obeyed. It protects against no attacker: anyone can compute a seal, which is why `apply` proves every line
//! anew. `note` is not sealed, for notes are the reviewer's.

use super::object::ObjectMember;
use crate::ledger::codes::{flag_code, making_code, method_code};
use crate::model::{Action, Before, Flag, GuestPath, Link, Method, ObjectId, Owner, Reflink};
use crate::sys::hash::checksum;

/// The check of one field.
type FieldCheck<'a> = (&'a str, u16);

/// The seal of a link line, 40 digits; 36 where the line has no evidence.
pub(super) fn of_link(link: &Link) -> String {
    text(&link_checks(link))
}

/// The seal of a reflink line, 44 digits; 36 where the line has no evidence.
pub(super) fn of_reflink(line: &Reflink) -> String {
    text(&reflink_checks(line))
}

/// The seal of a flag line, 16 digits.
pub(super) fn of_flag(flag: &Flag) -> String {
    text(&flag_checks(flag))
}

/// The fields of a line that do not fit its seal; `seal` itself where it is not one. A skip has no seal.
pub(super) fn changed(action: &Action, seal: &str) -> Vec<String> {
    match action {
        Action::Link(link) => changed_fields(&link_checks(link), seal),
        Action::Reflink(line) => changed_fields(&reflink_checks(line), seal),
        Action::Flag(flag) => changed_fields(&flag_checks(flag), seal),
        Action::Skip(_) => Vec::new(),
    }
}

/// The seal of an object: four digits for each of its members.
pub(super) fn of_members(members: &[ObjectMember]) -> String {
    text(&member_checks(members))
}

/// The members that do not fit the seal; `seal` itself where it is not one.
pub(super) fn changed_members(members: &[ObjectMember], seal: &str) -> Vec<String> {
    changed_fields(&member_checks(members), seal)
}

fn member_checks(members: &[ObjectMember]) -> Vec<FieldCheck<'_>> {
    let mut checks = Checks::default();
    let members = members.iter();
    members
        .map(|(key, value)| checks.of(key, [value]))
        .collect()
}

fn link_checks(link: &Link) -> Vec<FieldCheck<'static>> {
    let names = link.names();
    let makes = link.makes.map_or("", making_code);
    let mut checks = Checks::default();
    let mut all = Vec::with_capacity(10);
    all.extend([
        checks.of("guest", [link.guest.as_str().as_bytes()]),
        checks.of("path", names.map(GuestPath::as_bytes)),
        checks.of("method", [method_code(Method::Hardlink)]),
        checks.of("object", [object(&link.object)]),
        checks.of("makes", [makes]),
        checks.of("size", [link.size.to_le_bytes()]),
        checks.of("saves", [link.saves.to_le_bytes()]),
        checks.of("reason", [link.reason.code()]),
        checks.of("package", owner(link.owner.as_ref())),
    ]);
    let before = link.before.as_ref().map(before);
    all.extend(before.map(|numbers| checks.of("before", numbers.map(u64::to_le_bytes))));
    all
}

fn reflink_checks(line: &Reflink) -> Vec<FieldCheck<'static>> {
    let names = line.names();
    let source = &line.source;
    let source = [source.guest.as_str().as_bytes(), source.path.as_bytes()];
    let mut checks = Checks::default();
    let mut all = Vec::with_capacity(11);
    all.extend([
        checks.of("guest", [line.guest.as_str().as_bytes()]),
        checks.of("path", names.map(GuestPath::as_bytes)),
        checks.of("method", [method_code(Method::Reflink)]),
        checks.of("source", source),
        checks.of("content", [line.content.0]),
        checks.of("size", [line.size.to_le_bytes()]),
        checks.of("saves", [line.saves.to_le_bytes()]),
        checks.of("reason", [line.reason.code()]),
        checks.of("package", owner(line.owner.as_ref())),
    ]);
    for (field, evidence) in [
        ("before", &line.before),
        ("source_before", &line.source_before),
    ] {
        let evidence = evidence.as_ref().map(before);
        all.extend(evidence.map(|numbers| checks.of(field, numbers.map(u64::to_le_bytes))));
    }
    all
}

fn flag_checks(flag: &Flag) -> [FieldCheck<'static>; 4] {
    let mut checks = Checks::default();
    [
        checks.of("object", [object(&flag.object)]),
        checks.of("set", flag.set.iter().map(|flag| flag_code(*flag))),
        checks.of("names", [flag.names.to_le_bytes()]),
        checks.of("reason", [flag.reason.code()]),
    ]
}

fn owner(owner: Option<&Owner>) -> impl Iterator<Item = &str> {
    let owner = owner.into_iter();
    owner.flat_map(|owner| std::iter::once(&*owner.package).chain(owner.version.as_deref()))
}

fn object(id: &ObjectId) -> [u8; 52] {
    let mut bytes = [0; 52];
    bytes[..32].copy_from_slice(&id.content.0);
    bytes[32..48].copy_from_slice(&id.metadata.0);
    bytes[48..].copy_from_slice(&id.generation.to_le_bytes());
    bytes
}

fn before(b: &Before) -> [u64; 11] {
    let narrow = [b.nlink, b.mode, b.uid, b.gid, b.mtime.nsec, b.ctime.nsec].map(u64::from);
    let [nlink, mode, uid, gid, mtime_nsec, ctime_nsec] = narrow;
    let [mtime, ctime] = [b.mtime.sec, b.ctime.sec].map(i64::cast_unsigned);
    [
        b.dev, b.ino, nlink, mode, uid, gid, b.size, mtime, mtime_nsec, ctime, ctime_nsec,
    ]
}

/// Makes checks, in one piece of memory.
#[derive(Default)]
struct Checks(Vec<u8>);

impl Checks {
    fn of<'f, P: AsRef<[u8]>>(
        &mut self,
        field: &'f str,
        parts: impl IntoIterator<Item = P>,
    ) -> FieldCheck<'f> {
        let Checks(bytes) = self;
        bytes.clear();
        bytes.extend_from_slice(field.as_bytes());
        for part in parts {
            let part = part.as_ref();
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        let [first, second, ..] = checksum(bytes).to_be_bytes();
        (field, u16::from_be_bytes([first, second]))
    }
}

fn text(checks: &[FieldCheck<'_>]) -> String {
    let digit = |number: u16| char::from(b"0123456789abcdef"[usize::from(number & 15)]);
    let mut text = String::with_capacity(4 * checks.len());
    for (_, check) in checks {
        text.extend([12, 8, 4, 0].map(|at| digit(check >> at)));
    }
    text
}

fn changed_fields(checks: &[FieldCheck<'_>], seal: &str) -> Vec<String> {
    let well_formed = seal.len() == 4 * checks.len()
        && seal.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !well_formed {
        return vec!["seal".to_owned()];
    }
    let expected = text(checks);
    let digits = seal.as_bytes().chunks(4).zip(expected.as_bytes().chunks(4));
    let pairs = checks.iter().zip(digits);
    pairs
        .filter(|(_, (found, want))| found != want)
        .map(|((field, _), _)| (*field).to_owned())
        .collect()
}
