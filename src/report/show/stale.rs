//! Which lines of a plan are stale: the lines first, as they are found, then how many there are.
//!
//! The JSON form is one object: `kind` (`unify.stale`), `lines`, an array of `StaleLineJson`, then the fields of
//! `FreshnessJson`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Freshness, StaleLine, WhyStale};
use crate::report::layout::json::{self, PathJson};
use crate::report::layout::size::{count, counted};

/// Lines that a person is shown; a program gets all.
const SHOWN: u64 = 20;

/// An answer for programs up to its first line.
const BEGINNING: &str = "{\"kind\":\"unify.stale\",\"lines\":[";

/// A report that is written while the plan is read.
pub struct StaleReport<'w> {
    json: bool,
    out: &'w mut dyn Write,
    lines: u64,
}

#[derive(Serialize)]
struct StaleLineJson<'a> {
    guest: &'a str,
    #[serde(flatten)]
    path: PathJson,
    /// What differs, or `gone`, `path-changed`, `root-changed`.
    fields: Vec<&'static str>,
    sentence: String,
}

#[derive(Serialize)]
struct FreshnessJson<'a> {
    /// Is no line stale, and was each looked at?
    ok: bool,
    fresh: u64,
    done: u64,
    stale_lines: u64,
    unread: u64,
    /// Stale lines by what differs.
    by: &'a BTreeMap<&'static str, u64>,
}

impl<'w> StaleReport<'w> {
    /// Nothing was found yet.
    pub fn new(json: bool, out: &'w mut dyn Write) -> StaleReport<'w> {
        StaleReport {
            json,
            out,
            lines: 0,
        }
    }

    /// Where an answer for programs has begun that something keeps from its end.
    pub fn begun(self) -> Option<&'w mut dyn Write> {
        (self.json && self.lines > 0).then_some(self.out)
    }

    /// One stale line.
    pub fn line(&mut self, line: &StaleLine<'_>) -> io::Result<()> {
        self.lines += 1;
        if self.json {
            match self.lines {
                1 => writeln!(self.out, "{BEGINNING}")?,
                _ => self.out.write_all(b",\n")?,
            }
            let line = StaleLineJson {
                guest: line.guest.as_str(),
                path: PathJson::from(line.path),
                fields: line.why.codes(),
                sentence: sentence(&line.why),
            };
            return json::write(self.out, &line);
        }
        match self.lines {
            ..=SHOWN => writeln!(
                self.out,
                "{}:{}: {}",
                line.guest,
                line.path,
                sentence(&line.why)
            ),
            _ => Ok(()),
        }
    }

    /// How many there are.
    pub fn end(self, found: &Freshness) -> io::Result<()> {
        let StaleReport { json, out, lines } = self;
        if json {
            if lines == 0 {
                write!(out, "{BEGINNING}")?;
            }
            return end_json(found, out);
        }
        if let Some(more @ 1..) = lines.checked_sub(SHOWN) {
            let more = counted(more, "more line");
            writeln!(out, "… and {more}: --json lists all")?;
        }
        if lines > 0 {
            writeln!(out)?;
        }
        let (fresh, done) = (count(found.fresh), count(found.done));
        let stale = counted(found.stale, "stale line");
        writeln!(
            out,
            "{stale}; {fresh} as the plan saw them, {done} done already"
        )?;
        let by = found.by.iter();
        let by: Vec<String> = by
            .map(|(code, n)| format!("{code} {}", count(*n)))
            .collect();
        if !by.is_empty() {
            writeln!(out, "  by what differs: {}", by.join(", "))?;
        }
        if found.unread > 0 {
            let unread = counted(found.unread, "line");
            writeln!(
                out,
                "  of {unread} the names could not be looked at, so nothing is known of them"
            )?;
        }
        Ok(())
    }
}

fn sentence(why: &WhyStale) -> String {
    match why {
        WhyStale::Changed(_) => format!("changed since the plan: {}", why.codes().join(", ")),
        WhyStale::Gone => "does not exist any more".into(),
        WhyStale::PathChanged => "a directory on the way is not one any more, or is a link".into(),
        WhyStale::RootChanged => "the guest's root is gone or another directory".into(),
    }
}

fn end_json(found: &Freshness, out: &mut dyn Write) -> io::Result<()> {
    let value = FreshnessJson {
        ok: found.stale == 0 && found.unread == 0,
        fresh: found.fresh,
        done: found.done,
        stale_lines: found.stale,
        unread: found.unread,
        by: &found.by,
    };
    let mut text = Vec::new();
    json::write(&mut text, &value)?;
    out.write_all(b"\n],")?;
    out.write_all(text.strip_prefix(b"{").unwrap_or(&text))?;
    writeln!(out)
}
