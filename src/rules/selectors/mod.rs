//! Which lines of a plan are meant: `--guest --path --reason --package --min-saves` and their `--not-…` forms, the same
//! in every command.
//!
//! A line is selected if each kind that was given has a value that fits it, and no `--not-…` fits it. A link line moves
//! as a whole: one of its names that fits is enough, in both forms. A line about a directory is selected by the
//! directory.
//!
//! Names of guests and packages are globs over the whole name; what is the name of a known guest, as names with a
//! bracket are, means that guest alone ([`Selection::among`]). Paths are globs as `--exclude` takes them: they cover
//! what they match and everything below, in all guests or, as `GUEST:/GLOB`, in one. They are compared with the paths
//! of the plan, byte by byte, and also as a guest's links lead where it was looked at ([`FollowedPaths`]).
//!
//! A flag line has neither guest nor path: it goes with the link lines of its object ([`SelectedLines`]), whatever is
//! asked of reasons, so that an object whose names stay keeps its protection, and one whose names go leaves no flag
//! behind. Only the flag of an object without links in the plan is asked about by itself.

mod lines;

use super::pattern::glob::Wildcard;
use super::pattern::links::Links;
use super::pattern::{BadPattern, Patterns};
use crate::model::{
    Action, FileLine, FlagReason, GuestName, GuestPath, Link, LinkReason, Pattern, PatternKind,
    SkipReason,
};

pub use lines::{FollowedPaths, SelectedLines};

/// What was asked for, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    /// Only lines of these guests.
    pub guests: Vec<String>,
    /// No line of these.
    pub not_guests: Vec<String>,
    /// Only lines with a name that one of these globs covers.
    pub paths: Vec<String>,
    /// No line with such a name.
    pub not_paths: Vec<String>,
    /// Only lines with one of these codes.
    pub reasons: Vec<String>,
    /// No line with one of these.
    pub not_reasons: Vec<String>,
    /// Only lines about files of these packages.
    pub packages: Vec<String>,
    /// No line about a file of these.
    pub not_packages: Vec<String>,
    /// Only link lines that give back so many bytes.
    pub min_saves: Option<u64>,
}

/// The same, compiled.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    guests: WantedNames,
    paths: WantedPaths,
    reasons: WantedCodes,
    packages: WantedNames,
    min_saves: Option<u64>,
}

/// Globs over whole names, as they were typed.
#[derive(Debug, Clone, Default)]
struct WantedNames {
    only: Vec<(String, Wildcard)>,
    not: Vec<(String, Wildcard)>,
}

#[derive(Debug, Clone, Default)]
struct WantedPaths {
    only: PathGlobs,
    not: PathGlobs,
}

/// Globs over paths, each of all guests or of one.
#[derive(Debug, Clone, Default)]
struct PathGlobs {
    typed: Vec<Pattern>,
    compiled: Patterns,
}

#[derive(Debug, Clone, Default)]
struct WantedCodes {
    only: Vec<String>,
    not: Vec<String>,
}

/// Every code that a line of a plan can have.
pub fn reason_codes() -> Vec<&'static str> {
    let links = LinkReason::ALL.iter().map(|reason| reason.code());
    let flags = FlagReason::ALL.iter().map(|reason| reason.code());
    let skips = SkipReason::ALL.iter().map(|reason| reason.code());
    links.chain(flags).chain(skips).collect()
}

impl Selection {
    /// Compiles what was typed.
    pub fn new(selectors: &Selectors) -> Result<Selection, BadPattern> {
        let Selectors {
            guests,
            not_guests,
            paths,
            not_paths,
            reasons,
            not_reasons,
            packages,
            not_packages,
            min_saves,
        } = selectors;
        Ok(Selection {
            guests: WantedNames {
                only: guest_names(guests),
                not: guest_names(not_guests),
            },
            paths: WantedPaths {
                only: PathGlobs::new(paths, "--path")?,
                not: PathGlobs::new(not_paths, "--not-path")?,
            },
            reasons: WantedCodes {
                only: reasons.clone(),
                not: not_reasons.clone(),
            },
            packages: WantedNames {
                only: names(packages, "--package")?,
                not: names(not_packages, "--not-package")?,
            },
            min_saves: *min_saves,
        })
    }

    /// Was nothing asked for? Then every line is meant.
    pub fn is_all(&self) -> bool {
        self.guests.is_all() && self.paths.is_all() && !self.needs_lines()
    }

    /// Was something asked for that only lines of a plan tell?
    pub fn needs_lines(&self) -> bool {
        let codes = !self.reasons.only.is_empty() || !self.reasons.not.is_empty();
        codes || !self.packages.is_all() || self.min_saves.is_some()
    }

    /// Were guests asked for, or left out?
    pub fn has_guests(&self) -> bool {
        !self.guests.is_all()
    }

    /// Were paths asked for? They can lead through links of guests.
    pub fn has_paths(&self) -> bool {
        !self.paths.is_all()
    }

    /// Guests that were asked for, as they were typed.
    pub fn asked_guests(&self) -> impl Iterator<Item = &str> {
        self.guests.only.iter().map(|(typed, _)| typed.as_str())
    }

    /// Is the guest meant?
    pub fn has_guest(&self, guest: &GuestName) -> bool {
        self.guests.want(guest.as_str())
    }

    /// The same among these guests: the name of one of them is no glob. Or the first guest that was asked for, or left
    /// out, and that is none of these.
    pub fn among<'g>(
        &self,
        known: &(impl Iterator<Item = &'g GuestName> + Clone),
    ) -> Result<Selection, String> {
        let mut among = self.clone();
        let guests = &mut among.guests;
        for (text, glob) in guests.only.iter_mut().chain(&mut guests.not) {
            if known.clone().any(|name| name.as_str() == text) {
                *glob = Wildcard::of_bytes(text.as_bytes());
            }
        }
        match among.unknown_guest(known) {
            Some(name) => Err(name.to_owned()),
            None => Ok(among),
        }
    }

    fn unknown_guest<'g>(
        &self,
        known: &(impl Iterator<Item = &'g GuestName> + Clone),
    ) -> Option<&str> {
        let mut typed = self.guests.only.iter().chain(&self.guests.not);
        let lost = |glob: &Wildcard| !known.clone().any(|name| matches(glob, name.as_str()));
        let lost = typed.find(|(_, glob)| lost(glob));
        let mut of_paths = self.paths.only.typed.iter().chain(&self.paths.not.typed);
        let no_guest = |name: &&GuestName| !known.clone().any(|known| known == *name);
        let named = of_paths.find_map(|path| path.guest.as_ref().filter(no_guest));
        let lost = lost.map(|(text, _)| text.as_str());
        lost.or_else(|| named.map(GuestName::as_str))
    }

    /// Is the line of a link or a skip meant? A flag line says too little to tell.
    pub fn has_line(&self, action: &Action) -> bool {
        self.has_line_by(action, |_| &self.paths)
    }

    /// The same, with the paths that are wanted in each guest.
    fn has_line_by<'p>(
        &self,
        action: &Action,
        paths_in: impl Fn(&GuestName) -> &'p WantedPaths,
    ) -> bool {
        match action {
            Action::Link(link) => self.has_shared(link.into(), worth(link), paths_in),
            Action::Reflink(line) => self.has_shared(line.into(), line.saves, paths_in),
            Action::Flag(_) => self.is_all(),
            Action::Skip(skip) => {
                let named = |guest| {
                    let names = skip.path().into_iter();
                    self.has_guest(guest) && paths_in(guest).want(guest, names)
                };
                self.min_saves.is_none()
                    && skip.guest().is_some_and(named)
                    && self.reasons.want(skip.reason.code())
                    && self.packages.want_maybe(skip.package.as_deref())
            }
        }
    }

    fn has_shared<'p>(
        &self,
        line: FileLine<'_>,
        worth: u64,
        paths_in: impl Fn(&GuestName) -> &'p WantedPaths,
    ) -> bool {
        let owner = line.owner.map(|owner| owner.package.as_str());
        paths_in(line.guest).want(line.guest, line.names())
            && self.has_guest(line.guest)
            && self.reasons.want(line.reason.code())
            && self.packages.want_maybe(owner)
            && self.min_saves.is_none_or(|least| worth >= least)
    }
}

/// What the line gives back. The file that an object is made from gives nothing back by itself, but without it its
/// twins would not either: it counts as one of them.
fn worth(link: &Link) -> u64 {
    match link.makes {
        Some(_) => link.size,
        None => link.saves,
    }
}

impl WantedNames {
    fn is_all(&self) -> bool {
        self.only.is_empty() && self.not.is_empty()
    }

    fn want(&self, name: &str) -> bool {
        let any = |globs: &[(String, Wildcard)]| globs.iter().any(|(_, glob)| matches(glob, name));
        (self.only.is_empty() || any(&self.only)) && !any(&self.not)
    }

    /// What has no name is none of those that were asked for, and none of those that were left out.
    fn want_maybe(&self, name: Option<&str>) -> bool {
        name.map_or(self.only.is_empty(), |name| self.want(name))
    }
}

impl WantedPaths {
    fn is_all(&self) -> bool {
        self.only.typed.is_empty() && self.not.typed.is_empty()
    }

    /// The same, and what it means by the links of a guest.
    fn followed(&self, guest: &GuestName, links: &dyn Links) -> WantedPaths {
        WantedPaths {
            only: self.only.followed(guest, links),
            not: self.not.followed(guest, links),
        }
    }

    fn want<'p>(&self, guest: &GuestName, names: impl Iterator<Item = &'p GuestPath>) -> bool {
        let mut is_wanted = self.only.typed.is_empty();
        for name in names {
            if self.not.cover(guest, name) {
                return false;
            }
            is_wanted = is_wanted || self.only.cover(guest, name);
        }
        is_wanted
    }
}

impl PathGlobs {
    fn new(globs: &[String], from: &str) -> Result<PathGlobs, BadPattern> {
        let pattern = |glob: &String| Pattern::of(PatternKind::Include, glob, false, from);
        let typed: Vec<Pattern> = globs.iter().map(pattern).collect();
        Ok(PathGlobs {
            compiled: Patterns::new(&typed)?,
            typed,
        })
    }

    fn followed(&self, guest: &GuestName, links: &dyn Links) -> PathGlobs {
        PathGlobs {
            typed: self.typed.clone(),
            compiled: self.compiled.of_guest(guest, links),
        }
    }

    fn cover(&self, guest: &GuestName, name: &GuestPath) -> bool {
        if self.compiled.is_empty() {
            return false;
        }
        let covering = self.compiled.all_that_cover(name.as_bytes());
        let is_for = |number: usize| self.typed.get(number).is_some_and(|one| one.is_for(guest));
        covering.into_iter().any(is_for)
    }
}

impl WantedCodes {
    fn want(&self, code: &str) -> bool {
        let any = |codes: &[String]| codes.iter().any(|one| one == code);
        (self.only.is_empty() || any(&self.only)) && !any(&self.not)
    }
}

fn matches(glob: &Wildcard, name: &str) -> bool {
    glob.matches(name.as_bytes())
}

fn names(globs: &[String], from: &str) -> Result<Vec<(String, Wildcard)>, BadPattern> {
    let compiled = globs.iter().map(|text| {
        let glob = Wildcard::new(text).map_err(|why| BadPattern {
            from: from.into(),
            pattern: text.clone(),
            why: why.into(),
        })?;
        Ok((text.clone(), glob))
    });
    compiled.collect()
}

/// Text that is no glob can still be a name.
fn guest_names(typed: &[String]) -> Vec<(String, Wildcard)> {
    let glob = |text: &String| {
        let glob = Wildcard::new(text).unwrap_or_else(|_| Wildcard::of_bytes(text.as_bytes()));
        (text.clone(), glob)
    };
    typed.iter().map(glob).collect()
}
#[cfg(test)]
mod tests;
