//! What a plan says about itself, worked out once for every format and for both `plan` and `show`.
//!
//! Two sources are kept apart. The *lines* that were read ([`Tally`]) are what `apply` would do, so all promises
//! come from them. The plan's *summary* is what it held when it was made: it alone knows of unique files, which
//! have no lines, and the difference of the two is what a reviewer took out.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{
    Count, Database, DatabaseState, GuestName, Header, PlanDigest, PlanMethods, PlanTarget,
    PlannedGuest, Protect, Protection, SameSecret, Shared, Sign, SkipReason, Summary,
};

use super::alarms::shared_unprotected;
use super::audit;
use super::layout::size::{Sizes, counted, percent};
use super::totals::Tally;
use super::words::flag_clearers;
use super::words::sentence::safe;
use super::words::{idle, root_notes};

/// A plan whose actions have been counted.
#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    /// Its first keys.
    pub header: &'a Header,
    /// Its guests.
    pub guests: &'a [PlannedGuest],
    /// What it said about itself when it was made.
    pub summary: &'a Summary,
    /// The actions that were read.
    pub tally: &'a Tally,
    /// The digests of the actions *that were read*; never those that the file claims.
    pub digest: Option<PlanDigest>,
    /// The file that it was just written to.
    pub file: Option<&'a Path>,
}

/// The base's own use of the disk, which no plan can promise.
pub(super) const ON_TOP: &str =
    "the base's own folders and records come on top of this and are not counted";

/// Secrets, and files of each, that a screen has room for.
const MOST_SECRETS: usize = 10;
const MOST_TWINS: usize = 4;

/// What is left alone for one reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Skipped<'a> {
    /// The code; untrusted where no reason has it.
    pub code: &'a str,
    /// Files and bytes.
    pub count: Count,
    /// The bare sentence; empty for a code that this version does not know.
    pub sentence: &'static str,
}

/// Two guests and what they would share.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    /// The plan's own line.
    pub shared: &'a Shared,
    /// How much of each guest that is, in percent of its bytes, where the guest is known.
    pub percent: (Option<u64>, Option<u64>),
}

/// Links and flags that a reviewer took out, or that a hand put in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Edited {
    /// Link lines missing.
    pub links_removed: u64,
    /// Flag lines missing.
    pub flags_removed: u64,
    /// Lines, links or flags, that the summary does not know of.
    pub added: u64,
}

impl<'a> PlanView<'a> {
    /// Everything that is left alone: the summary's counts, and from the lines what it does not know of (held
    /// back by the reviewer). In the order of the reasons, unknown codes last.
    pub(super) fn skipped(&self) -> Vec<Skipped<'a>> {
        let mut counts = self.counted_skips();
        for (code, count) in &self.summary.skipped {
            counts.insert(code, *count);
        }
        rows_of(counts)
    }

    /// What the lines that were read leave alone.
    pub(super) fn left_alone(&self) -> Vec<Skipped<'a>> {
        rows_of(self.counted_skips())
    }

    fn counted_skips(&self) -> BTreeMap<&'a str, Count> {
        let skipped = self.tally.skipped().iter();
        skipped
            .map(|(reason, count)| (reason.code(), *count))
            .collect()
    }

    /// Pairs of guests, the ones that share most first.
    pub(super) fn pairs(&self) -> Vec<Pair<'a>> {
        let bytes: BTreeMap<&GuestName, u64> = self
            .guests
            .iter()
            .map(|guest| (&guest.name, guest.bytes))
            .collect();
        let part = |shared: u64, guest| bytes.get(guest).and_then(|all| percent(shared, *all));
        let pair = |shared: &'a Shared| Pair {
            percent: (
                part(shared.bytes, &shared.guests.0),
                part(shared.bytes, &shared.guests.1),
            ),
            shared,
        };
        let mut pairs: Vec<Pair<'a>> = self.summary.shared.iter().map(pair).collect();
        pairs.sort_by_key(|pair| Reverse(pair.shared.bytes));
        pairs
    }

    /// What differs between the lines and the summary.
    pub(super) fn edited(&self) -> Edited {
        let (now, made) = (self.tally.totals(), &self.summary.totals);
        let added_links = now.links.saturating_sub(made.links);
        let added_flags = now.flags.saturating_sub(made.flags);
        Edited {
            links_removed: made.links.saturating_sub(now.links),
            flags_removed: made.flags.saturating_sub(now.flags),
            added: added_links.saturating_add(added_flags),
        }
    }

    /// Can nothing be applied from it?
    pub(super) fn is_audit(&self) -> bool {
        self.header.target.is_none()
    }

    /// How objects will be protected; an audit does not know.
    pub(super) fn protection(&self) -> Option<&'a Protection> {
        self.header.target.as_ref()?.protection.as_ref()
    }

    /// Do its lines share blocks, and no inode?
    pub(super) fn is_of_reflinks(&self) -> bool {
        self.header.mode() == PlanMethods::Reflink
    }

    /// Has it lines of both methods?
    pub(super) fn is_of_both(&self) -> bool {
        self.header.mode() == PlanMethods::Both
    }

    /// What objects have while they are protected.
    pub(super) fn sign(&self) -> Sign {
        let target = self.header.target.as_ref();
        let by = target.and_then(PlanTarget::protect);
        by.map(Protect::sign).unwrap_or_default()
    }

    /// [`PlanView::edited`] in sentences; empty for a plan as it was made.
    pub(super) fn edits(&self) -> Vec<String> {
        let (edited, made) = (self.edited(), &self.summary.totals);
        let mut lines = Vec::new();
        if edited.links_removed > 0 {
            let (removed, all) = (edited.links_removed, counted(made.links, "action"));
            lines.push(format!(
                "{removed} of {all} removed by hand: the promise is an upper bound"
            ));
        }
        if edited.flags_removed > 0 {
            let (removed, all) = (edited.flags_removed, counted(made.flags, "flag"));
            let its = self.sign().its();
            lines.push(format!(
                "{removed} of {all} removed by hand: an object without {its} is not protected"
            ));
        }
        if edited.added > 0 {
            let added = counted(edited.added, "action");
            lines.push(format!("{added} more than the plan had when it was made"));
        }
        lines
    }

    /// What guests share without protection: it comes before all else.
    pub(super) fn alarm(&self, sizes: Sizes) -> Vec<String> {
        shared_unprotected::lines(&self.summary.unprotected, self.is_audit(), sizes)
    }

    /// What a reviewer must not overlook, each as a word in capitals and a sentence.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.is_audit() {
            warnings.extend(audit::remarks(self.guests));
        }
        for guest in self.guests {
            warnings.extend(left_out(guest));
            if guest.left_out.is_none() {
                warnings.extend(damaged(guest));
            }
            warnings.extend(ignored(guest));
            warnings.extend(self.running(guest));
            warnings.extend(self.uses_unknown(guest));
        }
        warnings.extend(root_notes::warnings(self.guests, self.header));
        warnings.extend(flag_clearers::warnings(self.guests, self.header));
        warnings.extend(self.unseen());
        warnings.extend(idle::lines(self.summary));
        warnings.extend(self.same_secrets());
        let protection = self.protection();
        if protection.is_some_and(|protection| protection.mode == Protect::None) {
            warnings.push(
                "NOT PROTECTED: an in-place write by one guest changes a shared file for all"
                    .into(),
            );
        }
        warnings
    }

    /// Those of the warnings that nobody can leave as they are: what runs is refused by itself.
    pub(super) fn needs_person(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for guest in self.guests {
            lines.extend(left_out(guest));
            if guest.left_out.is_none() {
                lines.extend(damaged(guest));
            }
            if guest.unread > 0 {
                let unread = counted(guest.unread, "name");
                lines.push(format!(
                    "UNREAD: {}: {unread} could not be read",
                    guest.name
                ));
            }
        }
        lines.extend(flag_clearers::could(self.guests, self.header));
        lines.extend(self.same_secrets());
        lines
    }

    fn unseen(&self) -> Option<String> {
        let unseen: Vec<String> = self
            .header
            .unseen_attributes
            .iter()
            .map(|name| safe(name))
            .collect();
        let end = match self.is_audit() {
            true => "files that differ in them are called equal",
            false => "apply looks again, and refuses files that differ in them",
        };
        let line = format!(
            "NOT SEEN: {} attributes cannot be seen by whoever made this plan; {end}",
            unseen.join(", ")
        );
        (!unseen.is_empty()).then_some(line)
    }

    /// Keys and identities that guests have in common: the scan has seen them, whatever the plan is about.
    fn same_secrets(&self) -> Vec<String> {
        let all = &self.summary.same_secrets;
        let line = |secret: &SameSecret| {
            let files: Vec<String> = secret
                .files
                .iter()
                .take(MOST_TWINS)
                .map(|f| safe(f))
                .collect();
            let unlisted = secret.files.len().saturating_sub(MOST_TWINS);
            let more = (unlisted as u64).saturating_add(secret.more);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!(
                "SAME SECRET: {}{more}: who holds one guest can pretend to be the other; give each its own",
                files.join(" = ")
            )
        };
        let mut lines: Vec<String> = all.iter().take(MOST_SECRETS).map(line).collect();
        let unlisted = all.len().saturating_sub(MOST_SECRETS) as u64;
        let unlisted = unlisted.saturating_add(self.summary.more_same_secrets);
        if unlisted > 0 {
            let more = counted(unlisted, "more secret");
            lines.push(format!("SAME SECRET: and {more}, see the plan's summary"));
        }
        lines
    }

    /// A guest of which it is not even known whether it runs has the line that says so.
    fn uses_unknown(&self, guest: &PlannedGuest) -> Option<String> {
        let why = guest.uses_unknown.as_ref()?;
        let is_told = guest.running_unknown.is_some();
        let concerns = !self.is_audit() && self.tally.hard_links_of(&guest.name) > 0;
        (concerns && !is_told).then(|| {
            format!(
                "NOT KNOWN: which files of {} are locked, watched or open ({}); apply looks again",
                guest.name,
                safe(why)
            )
        })
    }

    fn running(&self, guest: &PlannedGuest) -> Option<String> {
        let name = &guest.name;
        let links = self.tally.hard_links_of(name);
        let concerns = !self.is_audit();
        (guest.running && links > 0 && concerns).then(|| {
            let links = counted(links, "link");
            match &guest.running_unknown {
                None => format!("RUNNING: {name}: apply refuses its {links} until it is stopped"),
                Some(why) => format!(
                    "NOT KNOWN: whether {name} runs, and which of its files are in use ({}); apply looks again, and refuses its {links} unless it can tell",
                    safe(why)
                ),
            }
        })
    }
}

/// In the order of the reasons, unknown codes last.
fn rows_of(mut counts: BTreeMap<&str, Count>) -> Vec<Skipped<'_>> {
    let mut rows: Vec<Skipped<'_>> = Vec::with_capacity(counts.len());
    for reason in SkipReason::ALL {
        let code = reason.code();
        let sentence = reason.sentence();
        rows.extend(counts.remove(code).map(|count| Skipped {
            code,
            count,
            sentence,
        }));
    }
    let unknown = counts.into_iter();
    rows.extend(unknown.map(|(code, count)| Skipped {
        code,
        count,
        sentence: "",
    }));
    rows
}

fn left_out(guest: &PlannedGuest) -> Option<String> {
    let why = guest.left_out.as_deref()?;
    Some(format!("LEFT OUT: {}: {}", guest.name, safe(why)))
}

fn ignored(guest: &PlannedGuest) -> Option<String> {
    guest.databases_ignored.then(|| {
        format!(
            "NOT ASKED: {}: its package databases; only care rules and patterns keep its config files",
            guest.name
        )
    })
}

/// A warning for each guest that takes part although its database is damaged.
fn damaged(guest: &PlannedGuest) -> Vec<String> {
    let damaged = guest
        .databases
        .iter()
        .filter(|database| database.state == DatabaseState::Damaged);
    let tell = |database: &Database| {
        let manager = safe(&database.manager);
        let problem = safe(
            database
                .problem
                .as_deref()
                .unwrap_or("it does not say where"),
        );
        format!(
            "DAMAGED: {}: {manager} database, so only care rules and patterns keep its config files: {problem}",
            guest.name
        )
    };
    damaged.map(tell).collect()
}

#[cfg(test)]
mod tests;
