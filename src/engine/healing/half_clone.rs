//! What a clone left that was cut short.

use crate::base::Base;
use crate::model::{Escaped, Event, Observer};

/// Removes half a clone: nothing refers to it, and what cannot be removed is in nobody's way.
pub(super) fn clear(base: &Base, observer: &dyn Observer) {
    let told = match base.clear_clone() {
        Ok(None) => return,
        Ok(Some(place)) => format!(
            "removed {}, which a `clone` left that was cut short",
            Escaped::of(&place)
        ),
        Err(error) => format!("{error}; what a `clone` left that was cut short is still there"),
    };
    observer.notice(&Event::Warning(&told));
}
