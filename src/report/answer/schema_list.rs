//! The list of schemas: what `unify schema` says when no name is given.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::layout::json;
use crate::report::layout::table::{Column, TextTable};

/// A schema and what it describes.
#[derive(Debug, Serialize)]
pub struct ListedSchema {
    /// What it is called.
    pub name: &'static str,
    /// The kinds of answers or papers.
    pub kinds: &'static [&'static str],
    /// What these are.
    pub title: &'static str,
    /// The schema itself.
    #[serde(skip)]
    pub text: &'static str,
}

/// For people.
pub fn text(all: &[ListedSchema], out: &mut dyn Write) -> io::Result<()> {
    let mut table = TextTable::new(&[("name", Column::Words), ("describes", Column::Words)]);
    for schema in all {
        table.row([schema.name.to_owned(), schema.title.to_owned()]);
    }
    table.text(out)?;
    writeln!(out, "\n`unify schema NAME` prints one.")
}

/// For programs.
pub fn json(all: &[ListedSchema], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct SchemasJson<'a> {
        kind: &'static str,
        schemas: &'a [ListedSchema],
    }
    let (kind, schemas) = ("unify.schemas", all);
    json::write_line(out, &SchemasJson { kind, schemas })
}
