//! `unify schema`

use std::io::{self, Write};

use clap::ValueEnum;

use super::terminal::exit::{Exit, Failure};
use crate::ledger::{IMAGE_PLAN_SCHEMA, PLAN_SCHEMA, RECEIPT_SCHEMA};

/// Print the JSON Schema of a format
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which format
    #[arg(value_enum, default_value = "plan")]
    what: SchemaName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaName {
    Plan,
    ImagePlan,
    Receipt,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let schema = match args.what {
        SchemaName::Plan => PLAN_SCHEMA,
        SchemaName::ImagePlan => IMAGE_PLAN_SCHEMA,
        SchemaName::Receipt => RECEIPT_SCHEMA,
    };
    io::stdout().lock().write_all(schema.as_bytes())?;
    Ok(Exit::Done)
}
