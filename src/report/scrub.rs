//! What `unify verify --base` found: every damaged object, and every name that reaches it.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::Scrub;

use super::layout::json;
use super::layout::size::{count, counted, iec};
use super::verify::{DifferenceJson, difference_json, differences};
use super::words::list::ListLimits;

/// For people: the answer first, then the differences, one a line.
pub fn text(found: &Scrub, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    match found.differences.len() as u64 {
        0 if found.interrupted => writeln!(out, "Stopped; nothing wrong so far.")?,
        0 => writeln!(out, "Verified: every object is what its name says.")?,
        n => writeln!(out, "DIFFERENT: {}.", counted(n, "difference"))?,
    }
    let (objects, fresh) = (counted(found.objects, "object"), count(found.fresh));
    let bytes = iec(found.bytes);
    writeln!(
        out,
        "  {objects} read again ({bytes}), {fresh} left out that were read since"
    )?;
    differences(&found.differences, listing, out)
}

#[derive(Serialize)]
struct ScrubJson<'a> {
    /// `unify.scrub`.
    kind: &'static str,
    /// Is everything as it should be?
    ok: bool,
    /// Objects that were read.
    objects: u64,
    /// Their bytes.
    bytes: u64,
    /// Objects that were read by an earlier scrub.
    fresh: u64,
    /// Was it stopped?
    interrupted: bool,
    /// All differences.
    differences: Vec<DifferenceJson<'a>>,
}

/// For programs.
pub fn json(found: &Scrub, out: &mut dyn Write) -> io::Result<()> {
    let value = ScrubJson {
        kind: "unify.scrub",
        ok: found.differences.is_empty(),
        objects: found.objects,
        bytes: found.bytes,
        fresh: found.fresh,
        interrupted: found.interrupted,
        differences: found.differences.iter().map(difference_json).collect(),
    };
    json::write_line(out, &value)
}
