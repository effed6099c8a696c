//! One package of dpkg's `status` or journal: a stanza, reduced to the four fields that matter. Pure.

use std::sync::Arc;

use super::deb822::{Events, StanzaEvent, events};
use super::lines::needed;
use super::name::{package_name, plain_word};
use crate::packages::dpkg::conffiles::status_line;
use crate::packages::listing::PackageState;
use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

/// What dpkg knows about one package of one architecture.
#[derive(Debug, PartialEq, Eq)]
pub struct PackageRecord {
    pub package: Arc<str>,
    /// Empty where the stanza has none.
    pub architecture: Vec<u8>,
    /// `false` for the mere mention of a package that is neither installed nor has left config files.
    pub present: bool,
    /// How far it is there.
    pub state: PackageState,
    /// As dpkg writes it; `None` where there is none, or none that can be shown.
    pub version: Option<Arc<str>>,
    /// In the order of the file, whatever state the package is in.
    pub conffiles: Vec<Vec<u8>>,
}

/// The packages of a file; nothing after the first fault may be believed.
pub struct Records<'a> {
    events: Events<'a>,
}

/// Reads a whole file.
pub fn records(data: &[u8]) -> Records<'_> {
    Records {
        events: events(data),
    }
}

impl Iterator for Records<'_> {
    type Item = Result<PackageRecord, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut draft = Draft::default();
        loop {
            let taken = match self.events.next()? {
                Ok(StanzaEvent::Field { at, name, value }) => draft.field(at, name, value),
                Ok(StanzaEvent::More { at, text }) => draft.more(at, text),
                Ok(StanzaEvent::End { at }) => return Some(draft.finish(at)),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = taken {
                return Some(Err(fault));
            }
        }
    }
}

/// What further lines of the current field mean.
#[derive(Default)]
enum Current {
    #[default]
    Unneeded,
    OneLine,
    Conffiles,
}

#[derive(Default)]
struct Draft {
    package: Option<Arc<str>>,
    architecture: Option<Vec<u8>>,
    present: Option<bool>,
    state: Option<PackageState>,
    version: Option<Arc<str>>,
    conffiles: Option<Vec<Vec<u8>>>,
    current: Current,
}

impl Draft {
    fn field(&mut self, at: usize, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        let known = |field: &str| name.eq_ignore_ascii_case(field.as_bytes());
        self.current = Current::OneLine;
        let again = if known("Package") {
            let name = package_name(value).ok_or(Defect::PackageName.at(at))?;
            self.package.replace(name).is_some()
        } else if known("Architecture") {
            let name = architecture(value).ok_or(Defect::Architecture.at(at))?;
            self.architecture.replace(name).is_some()
        } else if known("Status") {
            let present = !value.ends_with(b" not-installed");
            self.state = Some(state(value));
            self.present.replace(present).is_some()
        } else if known("Version") {
            self.version = plain_word(value);
            false
        } else if known("Conffiles") {
            self.current = Current::Conffiles;
            if !value.is_empty() {
                return Err(Defect::ConffilesValue.at(at));
            }
            self.conffiles.replace(Vec::new()).is_some()
        } else {
            self.current = Current::Unneeded;
            false
        };
        if again {
            return Err(Defect::Twice.at(at));
        }
        Ok(())
    }

    fn more(&mut self, at: usize, text: &[u8]) -> Result<(), Fault> {
        match self.current {
            Current::Unneeded => Ok(()),
            Current::OneLine => Err(Defect::Continued.at(at)),
            Current::Conffiles => self.conffile(at, text),
        }
    }

    fn conffile(&mut self, at: usize, text: &[u8]) -> Result<(), Fault> {
        let (at, text) = needed((at, text))?;
        let path = status_line(text).map_err(|what| what.at(at))?;
        let paths = self.conffiles.get_or_insert_default();
        if paths.len() == limits::CONFIG_FILES {
            return Err(Defect::TooMany.at(at));
        }
        paths.push(path);
        Ok(())
    }

    fn finish(self, at: usize) -> Result<PackageRecord, Fault> {
        Ok(PackageRecord {
            package: self.package.ok_or(Defect::NoPackage.at(at))?,
            architecture: self.architecture.unwrap_or_default(),
            present: self.present.unwrap_or(true),
            state: self.state.unwrap_or(PackageState::Installed),
            version: self.version,
            conffiles: self.conffiles.unwrap_or_default(),
        })
    }
}

/// By the last word of the field.
fn state(status: &[u8]) -> PackageState {
    match status.rsplit(|&b| b == b' ').next() {
        Some(b"not-installed" | b"config-files") => PackageState::Removed,
        Some(b"half-installed") => PackageState::Half,
        _ => PackageState::Installed,
    }
}

/// Bounded, because it is kept; otherwise any word will do, it is only a key.
fn architecture(value: &[u8]) -> Option<Vec<u8>> {
    (value.len() <= limits::NAME).then(|| value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> Result<Vec<PackageRecord>, Fault> {
        records(data.as_bytes()).collect()
    }

    #[test]
    fn every_state_counts() {
        let data = "package: A\nStatus: deinstall ok config-files\nArchitecture: all\n\
                    CONFFILES:\n /etc/a 0\n /etc/b 0 obsolete\nDescription: x\n .\n /not/a/conffile 0\n\n\
                    Package: b\nStatus: purge ok not-installed\n";
        let got = read(data).unwrap();
        assert_eq!(&*got[0].package, "a");
        assert_eq!(got[0].architecture, b"all");
        assert_eq!(got[0].conffiles, [b"/etc/a", b"/etc/b"]);
        assert_eq!((got[0].present, got[1].present), (true, false));
        assert_eq!([got[0].state, got[1].state], [PackageState::Removed; 2]);
        assert!(got[1].conffiles.is_empty());
    }

    #[test]
    fn violations() {
        let long = format!("Package: x\nConffiles:\n /{} 0\n", "a".repeat(70_000));
        let cases = [
            ("Version: 1\n", Defect::NoPackage.at(11)),
            ("Package: x\nPackage: y\n", Defect::Twice.at(11)),
            ("Package: x\nConffiles:\nConffiles:\n", Defect::Twice.at(22)),
            ("Package: x y\n", Defect::PackageName.at(0)),
            ("Package:\n", Defect::PackageName.at(0)),
            ("Package: x\n y\n", Defect::Continued.at(11)),
            (
                "Package: x\nConffiles: /etc/a 0\n",
                Defect::ConffilesValue.at(11),
            ),
            (
                "Package: x\nConffiles:\n\t/etc/a 0\n",
                Defect::ConffileIndent.at(22),
            ),
            (&long, Defect::LongLine.at(22)),
        ];
        for (data, want) in cases {
            assert_eq!(read(data), Err(want), "{data:.60?}");
        }
    }

    #[test]
    fn long_lines_of_other_fields_do_not_matter() {
        let data = format!(
            "Package: x\nDepends: {}\n {}\n",
            "a".repeat(70_000),
            "b".repeat(70_000)
        );
        assert_eq!(read(&data).unwrap().len(), 1);
    }
}
