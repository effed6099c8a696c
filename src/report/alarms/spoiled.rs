//! Objects that were changed while they were not protected, and what became of the names that referred to them: a part
//! of the answers of `apply`, `undo`, `recover` and `gc`.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{HeldNames, Moved, ObjectId, Spoiled};
use crate::report::layout::json::PathJson;
use crate::report::layout::size::counted;

/// For people: every name, for each of them somebody has to look after.
pub fn text(spoiled: &[Spoiled], out: &mut dyn Write) -> io::Result<()> {
    if spoiled.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nCHANGED while not protected, by a process that was not seen: {}.",
        counted(spoiled.len() as u64, "shared file")
    )?;
    for one in spoiled {
        writeln!(out, "  {} ({})", one.object, what(one))?;
        names("has a file of its own again, as it was", &one.parted, out)?;
        names("STILL REFERS to the changed file", &one.left, out)?;
        if one.unknown > 0 {
            let names = counted(one.unknown, "more name");
            writeln!(out, "    {names}, in no guest that the base can find")?;
        }
    }
    writeln!(
        out,
        "What was made of them is in quarantine, except where a name still refers to it."
    )
}

fn names(meaning: &str, held: &[HeldNames], out: &mut dyn Write) -> io::Result<()> {
    for HeldNames { guest, paths } in held {
        for path in paths {
            writeln!(out, "    {meaning}: {guest}:{path}")?;
        }
    }
    Ok(())
}

/// What is wrong with it, in a few words.
fn what(one: &Spoiled) -> String {
    let mut words: Vec<String> = one.fields.iter().map(Moved::to_string).collect();
    if one.written {
        words.push("a process has it open for writing".into());
    }
    words.join(", ")
}

/// For programs.
#[derive(Serialize)]
pub struct SpoiledJson<'a> {
    object: &'a ObjectId,
    /// What differs.
    fields: &'a [Moved],
    /// Has a process it open for writing?
    written: bool,
    parted: Vec<NameJson<'a>>,
    left: Vec<NameJson<'a>>,
    unknown: u64,
}

#[derive(Serialize)]
struct NameJson<'a> {
    guest: &'a str,
    #[serde(flatten)]
    path: PathJson,
}

impl<'a> SpoiledJson<'a> {
    /// All of them.
    pub fn all(spoiled: &'a [Spoiled]) -> Vec<SpoiledJson<'a>> {
        let one = |one: &'a Spoiled| SpoiledJson {
            object: &one.object,
            fields: &one.fields,
            written: one.written,
            parted: names_json(&one.parted),
            left: names_json(&one.left),
            unknown: one.unknown,
        };
        spoiled.iter().map(one).collect()
    }
}

fn names_json(held: &[HeldNames]) -> Vec<NameJson<'_>> {
    let names = held.iter().flat_map(|held| {
        let guest = held.guest.as_str();
        held.paths.iter().map(move |path| NameJson {
            guest,
            path: PathJson::from(path),
        })
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GuestPath;
    use crate::report::samples::{assert_tame, guest, object, path, written};

    fn some() -> Spoiled {
        let held = |name, path| HeldNames {
            guest: guest(name),
            paths: vec![path],
        };
        Spoiled {
            object: object(0x5b),
            fields: vec![Moved::Mode],
            written: true,
            parted: vec![held("web", path("/usr/f"))],
            left: vec![held("db", GuestPath::new(b"/usr/\x1b[1m").unwrap())],
            unknown: 2,
        }
    }

    #[test]
    fn every_holder_is_named() {
        let told = written(|out| text(&[some()], out));
        let has = |line: &str| told.lines().any(|told| told.trim() == line);
        assert!(
            has("has a file of its own again, as it was: web:/usr/f"),
            "{told}"
        );
        assert!(
            told.contains("STILL REFERS to the changed file: db:/usr/"),
            "{told}"
        );
        assert!(
            told.contains("(mode, a process has it open for writing)"),
            "{told}"
        );
        assert_tame(&told);
        assert_eq!(written(|out| text(&[], out)), "");
    }
}
