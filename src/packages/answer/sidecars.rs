//! What package managers leave beside a config file: the new version, the old one, a backup.
//!
//! They are found by listing each directory that holds a config file once, not by asking for nine names a file. A
//! config file that is a link has sidecars in two places: dpkg follows the link before it writes (`conffderef`),
//! others do not.

use std::collections::{BTreeMap, HashMap};

use crate::model::GuestPath;
use crate::packages::listing::Claim;
use crate::packages::read::fault::Problem;
use crate::packages::read::limits;
use crate::packages::read::lookup::{find, is_out_of_reach};
use crate::packages::read::source::Source;
use crate::sys::guest::Resolved;

/// Endings that dpkg (lib/dpkg/dpkg.h), ucf (ucf(1)), rpm, pacman, apk, opkg and packages of Slackware add to the
/// name of a config file.
const SUFFIXES: &[&[u8]] = &[
    b".dpkg-new",
    b".dpkg-dist",
    b".dpkg-old",
    b".dpkg-tmp",
    b".dpkg-bak",
    b".dpkg-remove",
    b".ucf-new",
    b".ucf-old",
    b".ucf-dist",
    b".rpmnew",
    b".rpmsave",
    b".rpmorig",
    b".pacnew",
    b".pacsave",
    b".apk-new",
    b"-opkg",
    b".new",
    b".orig",
];

/// The places where sidecars may lie: directory, name of the config file there, and what says that it is one.
#[derive(Default)]
pub(super) struct Sidecars<'c> {
    places: BTreeMap<GuestPath, HashMap<Vec<u8>, &'c Claim>>,
    directories: HashMap<&'c [u8], Option<GuestPath>>,
}

impl<'c> Sidecars<'c> {
    /// Adds the places beside a claimed path and beside the file that it leads to. The path itself need not exist.
    pub fn beside(
        &mut self,
        source: &Source<'_>,
        claim: &'c Claim,
        target: Option<&Resolved>,
    ) -> Result<(), Problem> {
        let (directory, name) = split(&claim.path);
        let directory = match self.directories.get(directory) {
            Some(known) => known.clone(),
            None => {
                let found = find(source, directory)?.map(|found| found.path);
                self.directories.insert(directory, found.clone());
                found
            }
        };
        if let Some(directory) = directory {
            self.add(directory, name, claim);
        }
        if let Some(target) = target {
            self.add(target.path.parent(), target.path.file_name(), claim);
        }
        Ok(())
    }

    /// The sidecars that are there.
    pub fn search(self, source: &Source<'_>) -> Result<Vec<(GuestPath, &'c Claim)>, Problem> {
        let mut found = Vec::new();
        for (directory, names) in &self.places {
            source.in_time()?;
            for entry in entries(source, directory)? {
                let claim = stems(&entry).find_map(|stem| names.get(stem));
                let path = claim.and_then(|_| directory.join(&entry).ok());
                found.extend(path.zip(claim.copied()));
            }
        }
        Ok(found)
    }

    fn add(&mut self, directory: GuestPath, name: &[u8], claim: &'c Claim) {
        let names = self.places.entry(directory).or_default();
        names.entry(name.to_vec()).or_insert(claim);
    }
}

fn entries(source: &Source<'_>, directory: &GuestPath) -> Result<Vec<Vec<u8>>, Problem> {
    match source.guest().list(directory.as_bytes(), limits::ENTRIES) {
        Err(error) if is_out_of_reach(&error) => Ok(Vec::new()),
        listed => Ok(listed?.unwrap_or_default()),
    }
}

/// The names of which this one may be a sidecar.
fn stems(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let by_suffix = SUFFIXES.iter().filter_map(|s| name.strip_suffix(*s));
    by_suffix.chain(xbps_stem(name)).chain(portage_stem(name))
}

/// `NAME.new-VERSION`; a version holds no hyphen (xbps: lib/package_config_files.c).
fn xbps_stem(name: &[u8]) -> Option<&[u8]> {
    let hyphen = name.iter().rposition(|&b| b == b'-')?;
    name.get(..hyphen)?.strip_suffix(b".new")
}

/// `._cfgNNNN_NAME` (portage: `new_protect_filename`).
fn portage_stem(name: &[u8]) -> Option<&[u8]> {
    let (number, rest) = name.strip_prefix(b"._cfg")?.split_at_checked(4)?;
    let stem = rest.strip_prefix(b"_")?;
    number.iter().all(u8::is_ascii_digit).then_some(stem)
}

/// Directory and last component of an absolute path.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
    path.split_at_checked(slash + 1).unwrap_or((path, b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_of_names() {
        let stem = |name: &'static str| stems(name.as_bytes()).next();
        assert_eq!(stem("a.conf.dpkg-old"), Some(b"a.conf".as_slice()));
        assert_eq!(stem("a.ucf-dist"), Some(b"a".as_slice()));
        assert_eq!(stem("a.conf"), None);
        assert_eq!(stem("a.dpkg-olds"), None);
        assert_eq!(stem("a-b.conf.new-1.0_1"), Some(b"a-b.conf".as_slice()));
        assert_eq!(stem("a.conf-1.0_1"), None);
        assert_eq!(stem("._cfg0012_a_b"), Some(b"a_b".as_slice()));
        for none in ["._cfg012_a", "._cfg00x0_a", "._cfg00120_a", "_cfg0012_a"] {
            assert_eq!(stem(none), None, "{none}");
        }
    }

    #[test]
    fn splitting() {
        assert_eq!(split(b"/etc/a"), (b"/etc/".as_slice(), b"a".as_slice()));
        assert_eq!(split(b"/a"), (b"/".as_slice(), b"a".as_slice()));
    }
}
