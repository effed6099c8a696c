//! The seal of a plan's line: says which of its fields a hand has changed.
//!
//! Four hex digits for every sealed field, in fixed order: the first 16 bits of a checksum (xxh3) over the
//! field's name and value. It is there so that a reviewer's slip is named ("`size` was changed") and
//! not silently obeyed. It protects against nobody: whoever wants to can compute a seal, which is why
//! `apply` proves every line anew. `note` is not sealed, for notes are the reviewer's.

use std::fmt::Write as _;

use super::codes::{flag_code, making_code, method_code};
use super::object::Member;
use crate::model::{Before, Flag, GuestPath, Link, ObjectId};
use crate::sys::hash::checksum;

/// The check of one field.
type Check<'a> = (&'a str, u16);

/// The seal of a link line, 40 digits.
pub(super) fn of_link(link: &Link) -> String {
    text(&link_checks(link))
}

/// The seal of a flag line, 16 digits.
pub(super) fn of_flag(flag: &Flag) -> String {
    text(&flag_checks(flag))
}

/// The fields of `link` that do not fit its seal; `seal` itself where it is not one.
pub(super) fn changed_in_link(link: &Link, seal: &str) -> Vec<String> {
    changed(&link_checks(link), seal)
}

/// The same for a flag line.
pub(super) fn changed_in_flag(flag: &Flag, seal: &str) -> Vec<String> {
    changed(&flag_checks(flag), seal)
}

/// The seal of an object: four digits for each of its members.
pub(super) fn of_members(members: &[Member]) -> String {
    text(&member_checks(members))
}

/// The members that do not fit the seal; `seal` itself where it is not one.
pub(super) fn changed_members(members: &[Member], seal: &str) -> Vec<String> {
    changed(&member_checks(members), seal)
}

fn member_checks(members: &[Member]) -> Vec<Check<'_>> {
    members
        .iter()
        .map(|(key, value)| check(key, [value]))
        .collect()
}

fn link_checks(link: &Link) -> [Check<'static>; 10] {
    let names = std::iter::once(&link.path).chain(&link.also);
    let makes = link.makes.map_or("", making_code);
    [
        check("guest", [link.guest.as_str().as_bytes()]),
        check("path", names.map(GuestPath::as_bytes)),
        check("method", [method_code(link.method)]),
        check("object", [object(&link.object)]),
        check("makes", [makes]),
        check("size", [link.size.to_le_bytes()]),
        check("saves", [link.saves.to_le_bytes()]),
        check("reason", [link.reason.code()]),
        check("package", owner(link)),
        check("before", before(&link.before).map(u64::to_le_bytes)),
    ]
}

fn flag_checks(flag: &Flag) -> [Check<'static>; 4] {
    [
        check("object", [object(&flag.object)]),
        check("set", flag.set.iter().map(|flag| flag_code(*flag))),
        check("names", [flag.names.to_le_bytes()]),
        check("reason", [flag.reason.code()]),
    ]
}

fn owner(link: &Link) -> impl Iterator<Item = &str> {
    let owner = link.owner.iter();
    owner.flat_map(|owner| std::iter::once(&*owner.package).chain(owner.version.as_deref()))
}

fn object(id: &ObjectId) -> Vec<u8> {
    [
        &id.content.0[..],
        &id.metadata.0,
        &id.generation.to_le_bytes(),
    ]
    .concat()
}

fn before(b: &Before) -> [u64; 11] {
    let narrow = [b.nlink, b.mode, b.uid, b.gid, b.mtime.nsec, b.ctime.nsec].map(u64::from);
    let [nlink, mode, uid, gid, mtime_nsec, ctime_nsec] = narrow;
    let [mtime, ctime] = [b.mtime.sec, b.ctime.sec].map(i64::cast_unsigned);
    [
        b.dev, b.ino, nlink, mode, uid, gid, b.size, mtime, mtime_nsec, ctime, ctime_nsec,
    ]
}

fn check<P: AsRef<[u8]>>(field: &str, parts: impl IntoIterator<Item = P>) -> Check<'_> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(field.as_bytes());
    for part in parts {
        let part = part.as_ref();
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    let [first, second, ..] = checksum(&bytes).to_be_bytes();
    (field, u16::from_be_bytes([first, second]))
}

fn text(checks: &[Check<'_>]) -> String {
    checks.iter().fold(String::new(), |mut text, (_, check)| {
        let _ = write!(text, "{check:04x}");
        text
    })
}

fn changed(checks: &[Check<'_>], seal: &str) -> Vec<String> {
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
