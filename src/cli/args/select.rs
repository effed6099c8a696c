//! The selectors: which lines of a plan, or which names of a base, a command is about. The same words everywhere.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};

use crate::cli::terminal::exit::Failure;
use crate::model::parse_size;
use crate::rules::selectors::{Selection, Selectors, reason_codes};

/// All selectors of a plan's lines.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct SelectArgs {
    /// Only this guest; a glob over names unless a guest has just this name, and may be given several times, as all
    /// selectors
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = HEADING)]
    guest: Vec<String>,
    #[command(flatten)]
    names: NameSelectArgs,
    #[command(flatten)]
    facts: FactSelectArgs,
}

/// Selectors by names, without the guests that are wanted: commands take those in their own way.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct NameSelectArgs {
    /// Not this guest
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = HEADING)]
    not_guest: Vec<String>,
    /// Only files with a name that this glob covers: what it matches and everything below, as with plan's --exclude; in
    /// all guests, or as GUEST:/GLOB in one. Links are followed as the guest follows them
    #[arg(long, value_name = "GLOB", value_parser = NonEmptyStringValueParser::new(), help_heading = HEADING)]
    path: Vec<String>,
    /// No file with such a name
    #[arg(long, value_name = "GLOB", value_parser = NonEmptyStringValueParser::new(), help_heading = HEADING)]
    not_path: Vec<String>,
}

/// Selectors by what a plan says of a file.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct FactSelectArgs {
    /// Only lines with this reason, by its code (`unify show --by reason`). The flag line of a shared file goes with
    /// its link lines, whatever is asked of reasons
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(reason_codes()), hide_possible_values = true, help_heading = HEADING)]
    reason: Vec<String>,
    /// No line with this reason
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(reason_codes()), hide_possible_values = true, help_heading = HEADING)]
    not_reason: Vec<String>,
    /// Only files of this package; a glob over package names
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = HEADING)]
    package: Vec<String>,
    /// No file of this package
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = HEADING)]
    not_package: Vec<String>,
    /// Only files that give back at least so much: bytes, or with K, M, G. The file that an object is made from counts
    /// as its length
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = HEADING)]
    min_saves: Option<u64>,
}

const HEADING: &str = "Selectors";

impl SelectArgs {
    /// What was asked for, compiled.
    pub(in crate::cli) fn take(&self) -> Result<Selection, Failure> {
        self.names.take(self.guest.clone(), &self.facts)
    }
}

impl NameSelectArgs {
    /// The same for a command that takes guests in its own way, and perhaps nothing else.
    pub(in crate::cli) fn take(
        &self,
        guests: Vec<String>,
        facts: &FactSelectArgs,
    ) -> Result<Selection, Failure> {
        compiled(&self.asked(guests, facts))
    }

    /// The same for a command that follows the links of its guests for the paths that are wanted.
    pub(in crate::cli) fn take_but_paths(
        &self,
        guests: Vec<String>,
        facts: &FactSelectArgs,
    ) -> Result<Selection, Failure> {
        compiled(&Selectors {
            paths: Vec::new(),
            ..self.asked(guests, facts)
        })
    }

    /// The globs of paths that are wanted, as they were typed.
    pub(in crate::cli) fn paths(&self) -> &[String] {
        &self.path
    }

    fn asked(&self, guests: Vec<String>, facts: &FactSelectArgs) -> Selectors {
        Selectors {
            guests,
            not_guests: self.not_guest.clone(),
            paths: self.path.clone(),
            not_paths: self.not_path.clone(),
            reasons: facts.reason.clone(),
            not_reasons: facts.not_reason.clone(),
            packages: facts.package.clone(),
            not_packages: facts.not_package.clone(),
            min_saves: facts.min_saves,
        }
    }
}

fn compiled(selectors: &Selectors) -> Result<Selection, Failure> {
    Selection::new(selectors).map_err(|bad| Failure::Usage(bad.to_string()))
}
