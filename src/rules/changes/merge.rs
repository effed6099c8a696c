//! The lines of two plans side by side.

use std::collections::HashMap;
use std::iter::Peekable;

use crate::model::{Action, GuestName, GuestPath, Left, SideOf, SkipReason};

/// A line of one plan, or the lines of both at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedLine {
    /// As the old plan has it.
    pub old: Option<Action>,
    /// As the new plan has it.
    pub new: Option<Action>,
    /// Has it no place, as a flag? Then the other plan may have the same line elsewhere.
    pub is_loose: bool,
}

impl MergedLine {
    /// A line of one plan.
    pub fn only(side: SideOf, line: Action, is_loose: bool) -> MergedLine {
        let (old, new) = match side {
            SideOf::Old => (Some(line), None),
            SideOf::New => (None, Some(line)),
        };
        MergedLine { old, new, is_loose }
    }

    /// The line, and the plan that has it, where that is only one.
    pub fn alone(&self) -> Option<(SideOf, &Action)> {
        match (&self.old, &self.new) {
            (Some(old), None) => Some((SideOf::Old, old)),
            (None, Some(new)) => Some((SideOf::New, new)),
            _ => None,
        }
    }
}

/// The lines of both, each side in the order that it has. What has no place comes as soon as it can.
pub fn merged<E>(
    order: &[GuestName],
    old: impl Iterator<Item = Result<Action, E>>,
    new: impl Iterator<Item = Result<Action, E>>,
) -> impl Iterator<Item = Result<MergedLine, E>> {
    let order: HashMap<GuestName, usize> = order.iter().cloned().zip(0..).collect();
    let (mut old, mut new) = (old.peekable(), new.peekable());
    std::iter::from_fn(move || {
        let place = |action: &Action| place_of(&order, action).is_none();
        if let Some(loose) = old.next_if(|line| line.as_ref().is_ok_and(place)) {
            return Some(loose.map(|line| MergedLine::only(SideOf::Old, line, true)));
        }
        if let Some(loose) = new.next_if(|line| line.as_ref().is_ok_and(place)) {
            return Some(loose.map(|line| MergedLine::only(SideOf::New, line, true)));
        }
        match nearer(&order, &mut old, &mut new)? {
            Nearer::Both => Some(both(old.next()?, new.next()?)),
            Nearer::One(SideOf::Old) => Some(only(SideOf::Old, old.next()?)),
            Nearer::One(SideOf::New) => Some(only(SideOf::New, new.next()?)),
        }
    })
}

fn both<E>(old: Result<Action, E>, new: Result<Action, E>) -> Result<MergedLine, E> {
    Ok(MergedLine {
        old: Some(old?),
        new: Some(new?),
        is_loose: false,
    })
}

fn only<E>(side: SideOf, line: Result<Action, E>) -> Result<MergedLine, E> {
    Ok(MergedLine::only(side, line?, false))
}

/// Where the next line is.
enum Nearer {
    Both,
    One(SideOf),
}

/// An error is nearest: nothing is known of what would come after it.
fn nearer<E>(
    order: &HashMap<GuestName, usize>,
    old: &mut Peekable<impl Iterator<Item = Result<Action, E>>>,
    new: &mut Peekable<impl Iterator<Item = Result<Action, E>>>,
) -> Option<Nearer> {
    let side = match (old.peek(), new.peek()) {
        (None, None) => return None,
        (Some(_), None) | (Some(Err(_)), _) => SideOf::Old,
        (None, Some(_)) | (_, Some(Err(_))) => SideOf::New,
        (Some(Ok(old)), Some(Ok(new))) => match place_of(order, old).cmp(&place_of(order, new)) {
            std::cmp::Ordering::Less => SideOf::Old,
            std::cmp::Ordering::Greater => SideOf::New,
            std::cmp::Ordering::Equal => return Some(Nearer::Both),
        },
    };
    Some(Nearer::One(side))
}

/// The place of a line: its guest, its path, and the reason of one that stands for a directory.
type PlaceOf<'a> = (usize, &'a GuestPath, Option<SkipReason>);

/// `None` for a flag, which has none.
fn place_of<'a>(order: &HashMap<GuestName, usize>, action: &'a Action) -> Option<PlaceOf<'a>> {
    let (guest, path, beneath) = match action {
        Action::Link(link) => (&link.guest, &link.path, None),
        Action::Reflink(line) => (&line.guest, &line.path, None),
        Action::Flag(_) => return None,
        Action::Skip(skip) => match &skip.left {
            Left::Name { guest, path, .. } => (guest, path, None),
            Left::Beneath { guest, top, .. } => (guest, top, Some(skip.reason)),
            Left::Flag { .. } => return None,
        },
    };
    // The reader of a plan has refused lines of guests that it does not list.
    let guest = order.get(guest).copied().unwrap_or(usize::MAX);
    Some((guest, path, beneath))
}
