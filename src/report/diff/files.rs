//! One file of two guests, for people: every fact side by side, then the text.
//!
//! The text is as `diff -u` has it, but for what would hide or command: that is escaped, and a backslash stands twice.

use std::io::{self, Write};

use super::DiffView;
use super::words::kind_word;
use crate::model::{
    ContentCompared, Digest, EntrySide, Escaped, FileCompared, FileSide, HunkLine, LineFrom,
    TextHunk, TextOfTwo,
};
use crate::report::layout::size::count;
use crate::report::layout::table::{Column, TextTable};

/// Every fact, and the text unless the sums alone are wanted.
pub fn text(found: &FileCompared, view: DiffView, out: &mut dyn Write) -> io::Result<()> {
    let FileCompared { old, new, .. } = found;
    facts(found, view).text(out)?;
    for side in [old, new] {
        for link in &side.links {
            let target = Escaped(&link.target);
            writeln!(out, "({}:{} is a link to {target})", side.guest, link.at)?;
        }
    }
    match (&old.entry, &new.entry) {
        (None, None) => writeln!(out, "\nNeither has it.")?,
        (None, _) => writeln!(out, "\n{} has no such name.", old.guest)?,
        (_, None) => writeln!(out, "\n{} has no such name.", new.guest)?,
        _ => {}
    }
    match found.content {
        Some(ContentCompared::Same) => writeln!(out, "\nThe content is the same.")?,
        Some(ContentCompared::DifferAt(Some(byte))) => {
            writeln!(out, "\nThe content differs from byte {} on.", count(byte))?;
        }
        Some(ContentCompared::DifferAt(None)) => writeln!(out, "\nThe content differs.")?,
        None => {}
    }
    match &found.text {
        _ if view.stat || found.content.is_none() => Ok(()),
        TextOfTwo::NotShown(why) => writeln!(out, "The lines are not shown: {}.", why.sentence()),
        TextOfTwo::Hunks(hunks) => lines(found, hunks, out),
    }
}

fn lines(found: &FileCompared, hunks: &[TextHunk], out: &mut dyn Write) -> io::Result<()> {
    if hunks.is_empty() {
        return Ok(());
    }
    let name = |side: &FileSide| format!("{}:{}", side.guest, side.path);
    writeln!(out, "\n--- {}\n+++ {}", name(&found.old), name(&found.new))?;
    for hunk in hunks {
        let span = |(first, lines): (u64, u64)| format!("{first},{lines}");
        writeln!(out, "@@ -{} +{} @@", span(hunk.old), span(hunk.new))?;
        for line in &hunk.lines {
            hunk_line(line, out)?;
        }
    }
    if !found.fewest {
        writeln!(
            out,
            "(Finding the fewest lines took too long: more are shown than differ.)"
        )?;
    }
    Ok(())
}

fn hunk_line(line: &HunkLine, out: &mut dyn Write) -> io::Result<()> {
    let sign = match line.from {
        LineFrom::Both => ' ',
        LineFrom::Old => '-',
        LineFrom::New => '+',
    };
    writeln!(out, "{sign}{}", Escaped(&line.text))?;
    match line.ended {
        true => Ok(()),
        false => writeln!(out, "\\ No newline at end of file"),
    }
}

/// A fact of one file.
type Fact<'f> = (&'static str, Box<dyn Fn(&EntrySide) -> Option<String> + 'f>);

fn facts(found: &FileCompared, view: DiffView) -> TextTable {
    let name = |side: &FileSide| format!("{}:{}", side.guest, side.path);
    let (old, new) = (name(&found.old), name(&found.new));
    let columns = [
        ("", Column::Words),
        ("", Column::Words),
        ("", Column::Name),
        ("", Column::Name),
    ];
    let mut table = TextTable::new(&columns);
    table.row([String::new(), String::new(), old, new]);
    for (key, fact) in entry_facts(view) {
        let said = |side: &FileSide| side.entry.as_ref().and_then(&fact);
        row(&mut table, key, said(&found.old), said(&found.new));
    }
    let digest = |side: &FileSide| side.digest.map(|digest| short(&digest));
    row(&mut table, "digest", digest(&found.old), digest(&found.new));
    table
}

/// Digits of a digest that tell it from others; JSON has all.
const DIGITS: usize = "sha256:".len() + 16;

fn short(digest: &Digest) -> String {
    let text = digest.to_string();
    format!("{}…", text.get(..DIGITS).unwrap_or(&text))
}

fn row(table: &mut TextTable, key: &str, old: Option<String>, new: Option<String>) {
    if old.is_none() && new.is_none() {
        return;
    }
    let sign = if old == new { " " } else { "~" };
    let shown = |fact: Option<String>| fact.unwrap_or_else(|| "-".to_owned());
    table.row([sign.to_owned(), key.to_owned(), shown(old), shown(new)]);
}

fn entry_facts<'f>(view: DiffView) -> Vec<Fact<'f>> {
    let owner = |side: &EntrySide| {
        let owner = side.owner.as_ref()?;
        let version = owner.version.as_deref().unwrap_or_default();
        Some(format!("{} {version}", owner.package).trim_end().to_owned())
    };
    let xattrs = |side: &EntrySide| {
        let all = side.metadata.as_ref()?.xattrs.iter();
        let all: Vec<String> = all
            .map(|xattr| xattr_text(&xattr.name, &xattr.value))
            .collect();
        (!all.is_empty()).then(|| all.join(" "))
    };
    vec![
        (
            "type",
            Box::new(|side| Some(kind_word(side.state.kind).to_owned())),
        ),
        (
            "target",
            Box::new(|side| Some(Escaped(side.target.as_deref()?).to_string())),
        ),
        (
            "size",
            Box::new(move |side| {
                let is_file = side.metadata.is_some();
                is_file.then(|| view.sizes.of(side.state.size))
            }),
        ),
        (
            "mode",
            Box::new(|side| Some(format!("{:04o}", side.state.mode))),
        ),
        ("uid", Box::new(|side| Some(side.state.uid.to_string()))),
        ("gid", Box::new(|side| Some(side.state.gid.to_string()))),
        ("mtime", Box::new(|side| Some(side.state.mtime.to_string()))),
        ("xattrs", Box::new(xattrs)),
        (
            "flags",
            Box::new(|side| {
                let flags = side.metadata.as_ref()?.chosen_flags();
                (flags != 0).then(|| format!("{flags:#x}"))
            }),
        ),
        ("package", Box::new(owner)),
    ]
}

/// Bytes of a value that are shown.
const VALUE: usize = 32;

fn xattr_text(name: &[u8], value: &[u8]) -> String {
    let begin = value.get(..VALUE).unwrap_or(value);
    let hex: String = begin.iter().map(|byte| format!("{byte:02x}")).collect();
    let more = if begin.len() < value.len() { "…" } else { "" };
    format!("{}=0x{hex}{more}", Escaped(name))
}
