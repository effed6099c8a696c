//! What changed between two plans.

use crate::model::{Action, GuestName, Link, PlanDigest, Reflink};

/// Which of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideOf {
    /// The first one.
    Old,
    /// The second one.
    New,
}

/// A line that only one of two plans has, or that says something else in the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
    /// As the old plan has it. One of the two is always there.
    pub old: Option<Action>,
    /// As the new plan has it.
    pub new: Option<Action>,
    /// Which keys of the line differ, where both have it; never empty then.
    pub fields: Vec<&'static str>,
}

/// A fact of the header or of a guest that is another in the other plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderChange {
    /// Its keys, such as `policy.min_size`.
    pub field: String,
    /// What the old plan says, as JSON; `None` where it says nothing.
    pub old: Option<String>,
    /// What the new plan says.
    pub new: Option<String>,
    /// Is it a part of what is decided? The rest says where and by what.
    pub decides: bool,
}

/// What the lines of one plan come to, of those that are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineTotals {
    /// Link lines.
    pub links: u64,
    /// Names that they would exchange.
    pub names: u64,
    /// Allocated bytes that come back at most.
    pub saves: u64,
    /// Skip lines.
    pub skips: u64,
}

impl LineTotals {
    /// One more line. Sums stop at the largest number.
    pub fn add(&mut self, action: &Action) {
        match action {
            Action::Link(Link { also, saves, .. })
            | Action::Reflink(Reflink { also, saves, .. }) => {
                self.links += 1;
                self.names = self.names.saturating_add(1 + also.len() as u64);
                self.saves = self.saves.saturating_add(*saves);
            }
            Action::Skip(_) => self.skips += 1,
            Action::Flag(_) => {}
        }
    }
}

/// What changed about one guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestChanges {
    /// Which guest.
    pub name: GuestName,
    /// The plan that alone has it, if not both have.
    pub only_in: Option<SideOf>,
    /// Lines that only the new plan has.
    pub new_lines: u64,
    /// Lines that only the old plan has.
    pub gone_lines: u64,
    /// Lines that say something else.
    pub changed_lines: u64,
    /// Its lines in the old plan.
    pub old: LineTotals,
    /// Its lines in the new plan.
    pub new: LineTotals,
}

impl GuestChanges {
    /// Nothing is known of it yet.
    pub fn of(name: GuestName, only_in: Option<SideOf>) -> GuestChanges {
        GuestChanges {
            name,
            only_in,
            new_lines: 0,
            gone_lines: 0,
            changed_lines: 0,
            old: LineTotals::default(),
            new: LineTotals::default(),
        }
    }

    /// How many lines changed in any way.
    pub fn lines(&self) -> u64 {
        self.new_lines + self.gone_lines + self.changed_lines
    }
}

/// One of two plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSide {
    /// How it is called.
    pub name: String,
    /// When it was made.
    pub created: String,
    /// The digests of its lines.
    pub digest: PlanDigest,
}

/// What changed between two plans, without the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanChanges {
    /// The old plan.
    pub old: PlanSide,
    /// The new plan.
    pub new: PlanSide,
    /// What changed before the lines; not looked at where only some lines were asked for.
    pub header: Vec<HeaderChange>,
    /// The guests of both, in their order.
    pub guests: Vec<GuestChanges>,
    /// Flag lines, and flags that a reviewer turned into skips, that only the new plan has.
    pub new_flags: u64,
    /// The same that only the old plan has.
    pub gone_flags: u64,
    /// Did everything count, or what is decided alone?
    pub evidence: bool,
}

impl PlanChanges {
    /// How many lines changed.
    pub fn lines(&self) -> u64 {
        let guests = self.guests.iter().map(GuestChanges::lines);
        guests.sum::<u64>() + self.new_flags + self.gone_flags
    }

    /// Is there anything that was asked for?
    pub fn has_something(&self) -> bool {
        let counts = |change: &HeaderChange| change.decides || self.evidence;
        let guests = self.guests.iter().any(|guest| guest.only_in.is_some());
        guests || self.lines() > 0 || self.header.iter().any(counts)
    }
}
