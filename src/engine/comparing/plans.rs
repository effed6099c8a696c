//! Two plans side by side, line by line. Neither is held: memory does not grow with them, but for twelve bytes of each
//! flag that only one of them has, and what selectors take.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead};
use std::path::Path;

use crate::engine::error::RefusedPlan;
use crate::engine::paths::selected::{select_known, selected_among};
use crate::engine::plan_file::whole;
use crate::engine::{EngineError, PlanFile, WholePlan};
use crate::ledger::{PlanReader, plan_facts};
use crate::model::{
    Action, Escaped, GuestChanges, GuestName, HeaderChange, LineChange, PlanChanges, PlanSide,
    PlannedGuest, SideOf,
};
use crate::rules::changes::{
    Depth, LooseLines, MergedLine, changed_fields, common_order, header_changes, merged,
};
use crate::rules::selectors::{SelectedLines, Selection};

/// Lines that are decoded at once.
const LINES_IN_HAND: usize = 1024;

/// What is compared of two plans.
#[derive(Debug, Clone, Copy)]
pub struct CompareHow<'s> {
    /// Which lines.
    pub selection: &'s Selection,
    /// What counts of them.
    pub depth: Depth,
}

/// Two plans that are compared.
pub struct TwoPlans {
    old: PlanFile,
    new: PlanFile,
    /// The guests of both.
    order: Vec<GuestName>,
    old_lines: SelectedLines,
    new_lines: SelectedLines,
    /// Flags that only one plan has.
    loose: LooseLines,
    depth: Depth,
    whole: bool,
}

/// Takes a change, and says whether it wants more.
type TellChange<'t> = dyn FnMut(&LineChange) -> io::Result<bool> + 't;

impl TwoPlans {
    /// Takes the guests of both together. Where selectors are given each plan is read for them.
    pub fn new(
        mut old: PlanFile,
        mut new: PlanFile,
        how: CompareHow<'_>,
    ) -> Result<TwoPlans, EngineError> {
        let (old_guests, new_guests) = (old.guests()?, new.guests()?);
        let order = common_order(&names(&old_guests), &names(&new_guests));
        let order = order.ok_or(RefusedPlan::OtherOrder)?;
        let selection = selected_among(how.selection, &order.iter())?;
        let old_lines = select_known(&mut old, &old_guests, selection.clone())?;
        let new_lines = select_known(&mut new, &new_guests, selection)?;
        Ok(TwoPlans {
            old,
            new,
            order,
            old_lines,
            new_lines,
            loose: LooseLines::default(),
            depth: how.depth,
            whole: how.selection.is_all(),
        })
    }

    /// Reads both plans whole, and says what all changes come to.
    pub fn compare(&mut self) -> Result<PlanChanges, EngineError> {
        self.loose = LooseLines::default();
        let mut sums: BTreeMap<GuestName, GuestChanges> = BTreeMap::new();
        let mut loose = LooseLines::default();
        let with_generation = self.depth == Depth::Evidence;
        let both = self.side_by_side(&mut |line, depth| {
            match line.alone() {
                Some((side, flag)) if line.is_loose => loose.add(side, flag, with_generation),
                _ => count(&mut sums, &line, depth),
            }
            Ok(true)
        })?;
        self.loose = loose;
        let Some((old, new)) = both else {
            return Err(RefusedPlan::Rewritten.into());
        };
        let guests = self.order.iter().map(|name| {
            let only_in = only_in(name, &old.guests, &new.guests);
            let empty = || GuestChanges::of(name.clone(), only_in);
            let known = sums.remove(name).unwrap_or_else(empty);
            GuestChanges { only_in, ..known }
        });
        Ok(PlanChanges {
            guests: guests.collect(),
            header: self.header(&old, &new),
            new_flags: self.loose.only_in(SideOf::New),
            gone_flags: self.loose.only_in(SideOf::Old),
            evidence: with_generation,
            old: side(self.old.path(), &old),
            new: side(self.new.path(), &new),
        })
    }

    /// Hands out every change, in the order of the lines, once they were compared.
    pub fn each_change(&mut self, tell: &mut TellChange<'_>) -> Result<(), EngineError> {
        let mut loose = std::mem::take(&mut self.loose);
        let with_generation = self.depth == Depth::Evidence;
        self.side_by_side(&mut |line, depth| {
            let is_told = match line.alone() {
                Some((side, flag)) if line.is_loose => loose.take(side, flag, with_generation),
                _ => true,
            };
            let change = is_told.then(|| changed(line, depth)).flatten();
            change.map_or(Ok(true), |change| tell(&change))
        })?;
        Ok(())
    }

    /// Hands out the lines that are selected, and what both plans say besides; `None` where no more lines were wanted.
    fn side_by_side(
        &mut self,
        take: &mut dyn FnMut(MergedLine, Depth) -> io::Result<bool>,
    ) -> Result<Option<(WholePlan, WholePlan)>, EngineError> {
        let paths = [self.old.path().to_owned(), self.new.path().to_owned()];
        let opened = self.old.reader().map_err(|error| error.in_file(&paths[0]));
        let mut old = opened?;
        let opened = self.new.reader().map_err(|error| error.in_file(&paths[1]));
        let mut new = opened?;
        let both = merged(
            &self.order,
            lines(&mut old, &paths[0]),
            lines(&mut new, &paths[1]),
        );
        for line in both {
            let line = line?;
            let in_old = |line| self.old_lines.has(line);
            let in_new = |line| self.new_lines.has(line);
            let is_selected =
                line.old.as_ref().is_some_and(in_old) || line.new.as_ref().is_some_and(in_new);
            if is_selected && !take(line, self.depth).map_err(EngineError::Output)? {
                return Ok(None);
            }
        }
        let old = whole(old).map_err(|error| error.in_file(&paths[0]))?;
        let new = whole(new).map_err(|error| error.in_file(&paths[1]))?;
        Ok(Some((old, new)))
    }

    fn header(&self, old: &WholePlan, new: &WholePlan) -> Vec<HeaderChange> {
        if !self.whole {
            return Vec::new();
        }
        let has = |guests: &[PlannedGuest], name: &str| {
            guests.iter().any(|guest| guest.name.as_str() == name)
        };
        let in_both = |name: &str| has(&old.guests, name) && has(&new.guests, name);
        let facts = |plan: &WholePlan| plan_facts(&plan.header, &plan.guests);
        header_changes(&facts(old), &facts(new), &in_both, self.depth)
    }
}

/// The lines of a plan, one by one, decoded by all cores.
fn lines<'r, R: BufRead>(
    reader: &'r mut PlanReader<R>,
    path: &'r Path,
) -> impl Iterator<Item = Result<Action, EngineError>> + 'r {
    let mut ahead = VecDeque::new();
    let mut is_over = false;
    std::iter::from_fn(move || {
        if ahead.is_empty() && !is_over {
            match reader.next_actions(LINES_IN_HAND) {
                Ok(lines) => ahead.extend(lines.into_iter().map(|line| line.action)),
                Err(error) => {
                    is_over = true;
                    return Some(Err(EngineError::from(error).in_file(path)));
                }
            }
        }
        is_over |= ahead.is_empty();
        ahead.pop_front().map(Ok)
    })
}

fn names(guests: &[PlannedGuest]) -> Vec<GuestName> {
    guests.iter().map(|guest| guest.name.clone()).collect()
}

fn side(path: &Path, plan: &WholePlan) -> PlanSide {
    PlanSide {
        name: Escaped::of(path).to_string(),
        created: plan.header.created.clone(),
        digest: plan.closing.digest_now,
    }
}

fn only_in(name: &GuestName, old: &[PlannedGuest], new: &[PlannedGuest]) -> Option<SideOf> {
    let has = |guests: &[PlannedGuest]| guests.iter().any(|guest| guest.name == *name);
    match (has(old), has(new)) {
        (true, false) => Some(SideOf::Old),
        (false, true) => Some(SideOf::New),
        _ => None,
    }
}

/// `None` where both plans say the same.
fn changed(line: MergedLine, depth: Depth) -> Option<LineChange> {
    let fields = match (&line.old, &line.new) {
        (Some(old), Some(new)) => changed_fields(old, new, depth),
        _ => Vec::new(),
    };
    let is_change = line.alone().is_some() || !fields.is_empty();
    is_change.then_some(LineChange {
        old: line.old,
        new: line.new,
        fields,
    })
}

fn count(sums: &mut BTreeMap<GuestName, GuestChanges>, line: &MergedLine, depth: Depth) {
    let one = line.old.as_ref().or(line.new.as_ref());
    let Some(name) = one.and_then(guest_of) else {
        return;
    };
    if !sums.contains_key(name) {
        sums.insert(name.clone(), GuestChanges::of(name.clone(), None));
    }
    let Some(sum) = sums.get_mut(name) else {
        return;
    };
    line.old.iter().for_each(|old| sum.old.add(old));
    line.new.iter().for_each(|new| sum.new.add(new));
    let number = match (&line.old, &line.new) {
        (Some(old), Some(new)) if changed_fields(old, new, depth).is_empty() => return,
        (Some(_), Some(_)) => &mut sum.changed_lines,
        (Some(_), None) => &mut sum.gone_lines,
        (None, _) => &mut sum.new_lines,
    };
    *number += 1;
}

fn guest_of(action: &Action) -> Option<&GuestName> {
    match action {
        Action::Link(_) | Action::Reflink(_) => action.shares().map(|file| file.guest),
        Action::Skip(skip) => skip.guest(),
        Action::Flag(_) => None,
    }
}
