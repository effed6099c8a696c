//! Which names of which guest are thawed.

use clap::builder::NonEmptyStringValueParser;

use crate::engine::ThawOptions;
use crate::model::{GuestName, Running};

const HEADING: &str = "What is thawed";

/// The guest, and what of it.
#[derive(Debug, clap::Args)]
pub(super) struct ThawArgs {
    /// The guest, by its name in the base (`unify status` lists them)
    #[arg(value_name = "GUEST", value_parser = guest)]
    guest: GuestName,
    /// Only files of these packages, by the guest's own database, links followed; `upgradable` means those of which its
    /// apt lists know a later version. With them go names of no package in the same directories. An upgrade that brings
    /// or removes other packages needs these, too
    #[arg(long, value_name = "upgradable|NAME", value_delimiter = ',', help_heading = HEADING, value_parser = NonEmptyStringValueParser::new(), conflicts_with = "everything")]
    packages: Vec<String>,
    /// Only files with a name that this glob covers, and what --packages chooses; links are followed as the guest
    /// follows them
    #[arg(long, value_name = "GLOB", help_heading = HEADING, value_parser = NonEmptyStringValueParser::new(), conflicts_with = "everything")]
    path: Vec<String>,
    /// All that the guest shares; so it is, too, where neither --packages nor --path says less
    #[arg(long = "all", id = "everything", help_heading = HEADING)]
    all: bool,
}

impl ThawArgs {
    pub(super) fn options(&self, running: Running) -> ThawOptions {
        ThawOptions {
            guest: self.guest.clone(),
            packages: self.packages.clone(),
            paths: self.path.clone(),
            running,
            is_first: false,
        }
    }
}

pub(super) fn guest(text: &str) -> Result<GuestName, String> {
    GuestName::new(text).map_err(|error| error.to_string())
}
