//! Adds up the actions of a plan while they stream by.
//!
//! Memory grows with the number of guests, reasons and (if asked for) groups, never with the number of actions.
//! All sums stop at the largest number instead of wrapping: a plan is an attacker's file until it is proven, and
//! a wrapped sum would be a lie.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::{
    Action, Count, FileLine, GuestName, GuestPath, Left, Link, Reflink, Skip, SkipReason, Totals,
};

/// What actions are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Whose file it is.
    Guest,
    /// The reason code.
    Reason,
    /// The first two components of its directory, such as `/usr/lib`.
    Directory,
    /// The package that the file belongs to, and its version.
    Package,
}

/// What a group has in common. Ordered for stable output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// A guest.
    Guest(GuestName),
    /// A reason code.
    Reason(&'static str),
    /// A directory.
    Directory(GuestPath),
    /// A package and its version, as the plan names them: untrusted text.
    Package(String),
    /// The action says nothing about it.
    None,
}

/// The sums of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Link lines.
    pub links: u64,
    /// Lengths of the files to be linked.
    pub bytes: u64,
    /// Allocated bytes that come back.
    pub saves: u64,
    /// Flag lines.
    pub flags: u64,
    /// What is left alone.
    pub skipped: Count,
    /// Whose files these are.
    pub guests: BTreeSet<GuestName>,
}

/// Bytes of a page on most machines; where they are larger, more is spared.
const PAGE: u64 = 4096;

/// The sums over all actions that were fed to it.
#[derive(Debug, Default)]
pub struct Tally {
    by: Option<By>,
    totals: Totals,
    memory: u64,
    skipped: BTreeMap<SkipReason, Count>,
    links: BTreeMap<GuestName, u64>,
    hard_links: BTreeMap<GuestName, u64>,
    groups: BTreeMap<GroupKey, Group>,
}

impl Tally {
    /// Has counted nothing yet; groups are kept only where `by` says so.
    pub fn new(by: Option<By>) -> Tally {
        Tally {
            by,
            ..Tally::default()
        }
    }

    /// Adds one action.
    pub fn take(&mut self, action: &Action) {
        match action {
            Action::Link(link) => {
                self.take_shared(link.into());
                count_for(&mut self.hard_links, &link.guest);
                add(&mut self.totals.objects, u64::from(link.makes.is_some()));
                // The file that the object is made from is in memory as before.
                let pages = link.size.checked_next_multiple_of(PAGE);
                let spared = pages.filter(|_| link.makes.is_none());
                add(&mut self.memory, spared.unwrap_or(0));
            }
            Action::Reflink(line) => {
                self.take_shared(line.into());
                self.take_reflink(line);
            }
            Action::Flag(_) => add(&mut self.totals.flags, 1),
            Action::Skip(skip) => self.take_skip(skip),
        }
        if let Some(by) = self.by {
            self.groups.entry(key(by, action)).or_default().take(action);
        }
    }

    /// The sums over all lines.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Bytes of page cache that are spared where all files are read that become one inode, in pages of 4 KiB. Files
    /// that share blocks only have each its own.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// The skip lines by reason, in the order of [`SkipReason::ALL`]. A line that stands for a directory counts
    /// the files beneath it.
    pub fn skipped(&self) -> &BTreeMap<SkipReason, Count> {
        &self.skipped
    }

    /// How many link lines a guest has.
    pub fn links_of(&self, guest: &GuestName) -> u64 {
        self.links.get(guest).copied().unwrap_or(0)
    }

    /// How many of them make it refer to an object.
    pub fn hard_links_of(&self, guest: &GuestName) -> u64 {
        self.hard_links.get(guest).copied().unwrap_or(0)
    }

    /// The groups: what saves most first, then what is left alone most, then by key.
    pub fn groups(&self) -> Vec<(&GroupKey, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, g)| std::cmp::Reverse((g.saves, g.bytes, g.skipped.bytes)));
        groups
    }

    fn take_shared(&mut self, line: FileLine<'_>) {
        let totals = &mut self.totals;
        add(&mut totals.links, 1);
        add(&mut totals.names, 1 + line.also.len() as u64);
        add(&mut totals.bytes, line.size);
        add(&mut totals.saves, line.saves);
        count_for(&mut self.links, line.guest);
    }

    fn take_reflink(&mut self, line: &Reflink) {
        let part = &mut self.totals.reflinks;
        add(&mut part.links, 1);
        add(&mut part.names, 1 + line.also.len() as u64);
        add(&mut part.bytes, line.size);
        add(&mut part.saves, line.saves);
    }

    fn take_skip(&mut self, skip: &Skip) {
        add(&mut self.totals.skips, 1);
        let sum = self.skipped.entry(skip.reason).or_default();
        add_count(sum, stands_for(skip));
    }
}

impl Group {
    fn take(&mut self, action: &Action) {
        if let Some(guest) = guest(action).filter(|guest| !self.guests.contains(*guest)) {
            self.guests.insert(guest.clone());
        }
        match action {
            Action::Link(Link { size, saves, .. })
            | Action::Reflink(Reflink { size, saves, .. }) => {
                add(&mut self.links, 1);
                add(&mut self.bytes, *size);
                add(&mut self.saves, *saves);
            }
            Action::Flag(_) => add(&mut self.flags, 1),
            Action::Skip(skip) => add_count(&mut self.skipped, stands_for(skip)),
        }
    }
}

/// Where an action belongs.
fn key(by: By, action: &Action) -> GroupKey {
    let key = match by {
        By::Guest => guest(action).cloned().map(GroupKey::Guest),
        By::Reason => Some(GroupKey::Reason(reason(action))),
        By::Directory => directory_of(action).map(GroupKey::Directory),
        By::Package => package(action).map(GroupKey::Package),
    };
    key.unwrap_or(GroupKey::None)
}

fn guest(action: &Action) -> Option<&GuestName> {
    match action {
        Action::Link(Link { guest, .. }) | Action::Reflink(Reflink { guest, .. }) => Some(guest),
        Action::Flag(_) => None,
        Action::Skip(skip) => skip.guest(),
    }
}

fn reason(action: &Action) -> &'static str {
    match action {
        Action::Link(Link { reason, .. }) | Action::Reflink(Reflink { reason, .. }) => {
            reason.code()
        }
        Action::Flag(flag) => flag.reason.code(),
        Action::Skip(skip) => skip.reason.code(),
    }
}

fn directory_of(action: &Action) -> Option<GuestPath> {
    match action {
        Action::Link(Link { path, .. }) | Action::Reflink(Reflink { path, .. }) => {
            Some(directory(&path.parent()))
        }
        Action::Flag(_) => None,
        Action::Skip(skip) => skip_directory(skip),
    }
}

/// `perl-base 5.36.0-7`, or the name alone.
fn package(action: &Action) -> Option<String> {
    let (package, version) = match action {
        Action::Link(Link { owner, .. }) | Action::Reflink(Reflink { owner, .. }) => {
            let owner = owner.as_ref()?;
            (owner.package.as_str(), owner.version.as_deref())
        }
        Action::Flag(_) => return None,
        Action::Skip(skip) => (skip.package.as_deref()?, skip.version.as_deref()),
    };
    Some(match version {
        Some(version) => format!("{package} {version}"),
        None => package.to_owned(),
    })
}

fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

fn add_count(sum: &mut Count, more: Count) {
    add(&mut sum.files, more.files);
    add(&mut sum.bytes, more.bytes);
}

/// Looks before it copies the name: there are few guests and many actions.
fn count_for(links: &mut BTreeMap<GuestName, u64>, guest: &GuestName) {
    match links.get_mut(guest) {
        Some(count) => add(count, 1),
        None => drop(links.insert(guest.clone(), 1)),
    }
}

/// One file, all files beneath a directory, or none (a flag that was turned into a skip).
fn stands_for(skip: &Skip) -> Count {
    let (files, bytes) = match skip.left {
        Left::Name { size, .. } => (1, size.unwrap_or(0)),
        Left::Beneath { files, bytes, .. } => (files, bytes),
        Left::Flag { .. } => (0, 0),
    };
    Count { files, bytes }
}

fn skip_directory(skip: &Skip) -> Option<GuestPath> {
    match &skip.left {
        Left::Name { path, .. } => Some(directory(&path.parent())),
        Left::Beneath { top, .. } => Some(directory(top)),
        Left::Flag { .. } => None,
    }
}

/// The first two components of a directory.
fn directory(path: &GuestPath) -> GuestPath {
    let bytes = path.as_bytes();
    let slashes = bytes.iter().enumerate().filter(|(_, b)| **b == b'/');
    let third = slashes.map(|(at, _)| at).nth(2);
    let cut = third.and_then(|end| bytes.get(..end));
    cut.and_then(|top| GuestPath::new(top).ok())
        .unwrap_or_else(|| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ReflinkTotals;
    use crate::report::samples::{flag_line, guest, link_line, path, skip_dir, small_plan};

    fn tally(by: By, actions: &[Action]) -> Tally {
        let mut tally = Tally::new(Some(by));
        actions.iter().for_each(|action| tally.take(action));
        tally
    }

    fn keys(tally: &Tally) -> Vec<GroupKey> {
        tally
            .groups()
            .into_iter()
            .map(|(key, _)| key.clone())
            .collect()
    }

    #[test]
    fn sums_of_a_small_plan() {
        let tally = tally(By::Guest, &small_plan());
        let want = Totals {
            links: 3,
            names: 4,
            bytes: 3 * 4_000_000,
            saves: 2 * 4_000_000,
            objects: 1,
            flags: 1,
            skips: 3,
            reflinks: ReflinkTotals::default(),
        };
        assert_eq!(*tally.totals(), want);
        assert_eq!(tally.links_of(&guest("web1")), 2);
        assert_eq!(tally.links_of(&guest("nobody")), 0);
        let cache = Count {
            files: 120,
            bytes: 5_000_000,
        };
        assert_eq!(tally.skipped().get(&SkipReason::Cache), Some(&cache));
    }

    #[test]
    fn groups_add_up_to_the_totals_whatever_they_are_by() {
        for by in [By::Guest, By::Reason, By::Directory, By::Package] {
            let tally = tally(by, &small_plan());
            let sum = |field: fn(&Group) -> u64| -> u64 {
                tally.groups().iter().map(|(_, group)| field(group)).sum()
            };
            assert_eq!(sum(|g| g.links), 3, "{by:?}");
            assert_eq!(sum(|g| g.saves), 8_000_000, "{by:?}");
            assert_eq!(sum(|g| g.flags), 1, "{by:?}");
            assert_eq!(sum(|g| g.skipped.files), 122, "{by:?}");
        }
    }

    #[test]
    fn directories_have_at_most_two_components() {
        let of = |text| directory(&path(text)).to_string();
        assert_eq!(of("/"), "/");
        assert_eq!(of("/etc"), "/etc");
        assert_eq!(of("/usr/lib"), "/usr/lib");
        assert_eq!(of("/usr/lib/x/y"), "/usr/lib");
        let actions = [
            Action::Link(link_line("web1", "/vmlinuz", 1)),
            Action::Skip(skip_dir("web1", "/var/cache", SkipReason::Cache, 1, 1)),
        ];
        let want = [path("/"), path("/var/cache")].map(GroupKey::Directory);
        assert_eq!(keys(&tally(By::Directory, &actions)), want);
    }

    #[test]
    fn what_names_no_package_has_its_own_group() {
        let want = [GroupKey::None, GroupKey::Package("openssh-server".into())];
        assert_eq!(keys(&tally(By::Package, &small_plan())), want);
    }

    #[test]
    fn huge_numbers_stop_at_the_largest() {
        let line = Action::Link(link_line("web1", "/a", u64::MAX));
        let tally = tally(By::Guest, &[line.clone(), line, Action::Flag(flag_line(1))]);
        assert_eq!(tally.totals().bytes, u64::MAX);
        assert_eq!(tally.totals().saves, u64::MAX);
        assert_eq!(tally.groups()[0].1.saves, u64::MAX);
    }
}
