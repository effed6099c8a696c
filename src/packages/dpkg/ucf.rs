//! ucf's database: config files that packages generate and ucf looks after. `/etc/ssh/sshd_config` is one; dpkg
//! does not know it.
//!
//! ```text
//! /var/lib/ucf/hashfile   digest blanks path
//! /var/lib/ucf/registry   package blanks path
//! ```
//!
//! Both are written by a shell script (ucf(1), ucfr(1)); either may name a file that the other does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::SkipReason;
use crate::packages::database::PackageDatabase;
use crate::packages::formats::lines::{is_blank, short_lines, trim_start};
use crate::packages::formats::name::package_name;
use crate::packages::listing::Claim;
use crate::packages::listing::Listing;
use crate::packages::listing::Package;
use crate::packages::listing::PackageState;
use crate::packages::read::fault::{Defect, Fault, Problem};
use crate::packages::read::limits;
use crate::packages::read::source::Source;

const HASHFILE: &[u8] = b"var/lib/ucf/hashfile";
const REGISTRY: &[u8] = b"var/lib/ucf/registry";

/// The backend.
pub struct Ucf;

type Paths = BTreeMap<Vec<u8>, Option<Arc<str>>>;

impl PackageDatabase for Ucf {
    fn manager(&self) -> &'static str {
        "ucf"
    }

    fn lists_files(&self) -> bool {
        false
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let registry = source.text(REGISTRY)?;
        let hashes = source.text(HASHFILE)?;
        if registry.is_none() && hashes.is_none() {
            return Ok(None);
        }
        let mut paths = Paths::new();
        parse(REGISTRY, registry.as_deref(), registry_line, &mut paths)?;
        parse(HASHFILE, hashes.as_deref(), hash_line, &mut paths)?;
        let names: BTreeSet<_> = paths.values().flatten().collect();
        let named = names.into_iter().map(|name| Package {
            name: Arc::clone(name),
            version: None,
            state: PackageState::Installed,
        });
        let packages = named.collect();
        Ok(Some(Listing {
            silent: false,
            packages,
            config_files: paths.len(),
            owned: Vec::new(),
            partial: false,
            claims: paths.into_iter().map(config_file).collect(),
        }))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Ucf {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let mut paths = Paths::new();
        for line in short_lines(data) {
            let (at, line) = line?;
            add(line, hash_line, &mut paths).map_err(|what| what.at(at))?;
        }
        Ok(paths.len())
    }
}

type UcfEntry<'a> = (&'a [u8], Option<Arc<str>>);

/// Adds the entries of one of the files; what is there already stays.
fn parse(
    file: &[u8],
    data: Option<&[u8]>,
    entry: impl Fn(&[u8]) -> Result<UcfEntry<'_>, Defect>,
    paths: &mut Paths,
) -> Result<(), Problem> {
    for line in short_lines(data.unwrap_or_default()) {
        let added = line.and_then(|(at, line)| add(line, &entry, paths).map_err(|w| w.at(at)));
        added.map_err(|fault: Fault| Problem::malformed(file, fault))?;
    }
    Ok(())
}

fn add(
    line: &[u8],
    entry: impl Fn(&[u8]) -> Result<UcfEntry<'_>, Defect>,
    paths: &mut Paths,
) -> Result<(), Defect> {
    let (path, package) = entry(line)?;
    if path.len() > limits::PATH {
        return Err(Defect::LongPath);
    }
    paths.entry(path.to_vec()).or_insert(package);
    if paths.len() > limits::CONFIG_FILES {
        return Err(Defect::TooMany);
    }
    Ok(())
}

fn hash_line(line: &[u8]) -> Result<UcfEntry<'_>, Defect> {
    let (digest, path) = word_and_path(line).ok_or(Defect::HashLine)?;
    if digest.len() < 32 || !digest.iter().all(u8::is_ascii_hexdigit) {
        return Err(Defect::HashLine);
    }
    Ok((path, None))
}

fn registry_line(line: &[u8]) -> Result<UcfEntry<'_>, Defect> {
    let (package, path) = word_and_path(line).ok_or(Defect::RegistryLine)?;
    Ok((path, package_name(package)))
}

fn word_and_path(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|&b| is_blank(b))?;
    let (word, rest) = line.split_at_checked(end)?;
    let path = trim_start(rest);
    (!word.is_empty() && path.starts_with(b"/")).then_some((word, path))
}

fn config_file((path, package): (Vec<u8>, Option<Arc<str>>)) -> Claim {
    Claim {
        path,
        why: SkipReason::ConfigFile,
        per: "ucf",
        package,
        sidecars: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_files() {
        let hash = b"0123456789abcdef0123456789abcdef  /etc/a b";
        assert_eq!(hash_line(hash), Ok((b"/etc/a b".as_slice(), None)));
        let (path, package) = registry_line(b"openssh-server \t /etc/ssh/sshd_config").unwrap();
        assert_eq!(path, b"/etc/ssh/sshd_config");
        assert_eq!(package.as_deref(), Some("openssh-server"));
    }

    #[test]
    fn violations() {
        for bad in [
            "",
            "x",
            "/etc/a",
            " /etc/a",
            "0123456789abcdef  /etc/a",
            "0123456789abcdef0123456789abcdef  etc/a",
            "0123456789abcdef0123456789abcdeg  /etc/a",
        ] {
            assert_eq!(hash_line(bad.as_bytes()), Err(Defect::HashLine), "{bad:?}");
        }
        for bad in ["", "x", "x etc/a", "\t/etc/a"] {
            let got = registry_line(bad.as_bytes());
            assert_eq!(got, Err(Defect::RegistryLine), "{bad:?}");
        }
    }
}
