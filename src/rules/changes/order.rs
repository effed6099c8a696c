//! The order of the guests of two plans together.

use std::collections::HashMap;

use crate::model::GuestName;

/// The guests of both lists in an order that is that of each; `None` where the two disagree.
pub fn common_order(old: &[GuestName], new: &[GuestName]) -> Option<Vec<GuestName>> {
    let place: HashMap<&GuestName, usize> = old.iter().zip(0..).collect();
    let mut all = Vec::with_capacity(old.len() + new.len());
    let mut next = 0;
    for name in new {
        match place.get(name) {
            None => all.push(name.clone()),
            Some(at) if *at < next => return None,
            Some(at) => {
                all.extend_from_slice(old.get(next..=*at)?);
                next = at + 1;
            }
        }
    }
    all.extend_from_slice(old.get(next..)?);
    Some(all)
}
