//! The choices of `unify plan`, from a policy file and the command line: what was typed wins over the file, lists are
//! united, and patterns of the command line come before the file's.

use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::terminal::exit::Failure;
use crate::engine;
use crate::model::{Policy, PolicySource, Protect};

/// Adds what the file says after what was typed. Returns how objects shall be protected, if the file says so.
pub(super) fn merge(
    policy: &mut Policy,
    protect: &mut Protect,
    file: &Path,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let (read, content) = engine::read_policy(file)?;
    let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    policy.ignore.extend(read.ignore);
    policy.ignore.dedup();
    policy.allow.extend(read.allow);
    policy.allow.sort();
    policy.allow.dedup();
    policy.patterns.extend(read.patterns);
    for (guest, asked) in read.package_databases_of {
        policy
            .package_databases
            .guests
            .entry(guest)
            .or_insert(asked);
    }
    take(&mut policy.same_path, read.same_path, typed("same_path"));
    take(&mut policy.min_size, read.min_size, typed("min_size"));
    take(&mut policy.method, read.method, typed("method"));
    take(&mut policy.within, read.within, typed("within"));
    let config = typed("reflink_config");
    take(&mut policy.reflink_config, read.reflink_config, config);
    take(&mut policy.objects, read.objects, typed("objects"));
    take(&mut policy.skips, read.skips, typed("skips"));
    let on_damaged = typed("on_damaged_database");
    take(
        &mut policy.on_damaged_database,
        read.on_damaged_database,
        on_damaged,
    );
    let clearers = typed("flag_clearers");
    take(&mut policy.flag_clearers, read.flag_clearers, clearers);
    let databases = typed("package_databases");
    take(
        &mut policy.package_databases.all,
        read.package_databases,
        databases,
    );
    take(protect, read.protect, typed("protect"));
    let path = file.to_string_lossy().into_owned();
    policy.file = Some(PolicySource { path, content });
    Ok(())
}

fn take<T>(chosen: &mut T, from_file: Option<T>, typed: bool) {
    if let Some(value) = from_file.filter(|_| !typed) {
        *chosen = value;
    }
}
