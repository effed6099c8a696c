//! `unify schema`

use std::io::{self, Write};

use super::terminal::exit::{Exit, Failure};
use crate::ledger::{IMAGE_PLAN_SCHEMA, PLAN_SCHEMA, RECEIPT_SCHEMA};
use crate::report::answer::schema_list;
use crate::report::answer::schema_list::ListedSchema;
use crate::report::answer::schemas::ANSWERS;

/// List the JSON Schemas of plans, receipts and answers, or print one
///
/// Every answer with --json has a `kind`, and a schema (draft 2020-12) that leaves nothing open.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which one; all are listed where none is named
    name: Option<String>,
    /// Print the list as JSON; a schema is JSON anyway
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let all = all();
    let mut out = io::stdout().lock();
    match &args.name {
        Some(name) => {
            let found = all.iter().find(|schema| schema.name == name);
            let schema = found.ok_or_else(|| unknown(&all))?;
            out.write_all(schema.text.as_bytes())?;
        }
        None if args.json => schema_list::json(&all, &mut out)?,
        None => schema_list::text(&all, &mut out)?,
    }
    Ok(Exit::Done)
}

fn all() -> Vec<ListedSchema> {
    let listed = |name, kinds, title, text| ListedSchema {
        name,
        kinds,
        title,
        text,
    };
    let mut all = vec![
        listed("plan", &["unify.plan"][..], "a plan", PLAN_SCHEMA),
        listed(
            "image-plan",
            &["unify.image-plan"],
            "a plan of plan --audit",
            IMAGE_PLAN_SCHEMA,
        ),
        listed(
            "receipt",
            &["unify.receipt", "unify.totals"],
            "one line of a receipt",
            RECEIPT_SCHEMA,
        ),
    ];
    let answers = ANSWERS.iter();
    all.extend(answers.map(|it| listed(it.name, it.kinds, it.title, it.text)));
    all
}

fn unknown(all: &[ListedSchema]) -> Failure {
    let names: Vec<&str> = all.iter().map(|schema| schema.name).collect();
    Failure::Usage(format!(
        "there is no such schema; there are {}",
        names.join(", ")
    ))
}
