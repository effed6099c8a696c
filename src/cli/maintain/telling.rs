//! What all three commands say.

use crate::cli::terminal::voice::remark;
use crate::model::GuestName;
use crate::report::run::NotDone;

/// The first reasons why names were refused.
pub(super) fn refused(not_done: &NotDone) -> String {
    let why = not_done.sentences();
    match why.is_empty() {
        true => String::new(),
        false => format!(" ({})", why.join("; ")),
    }
}

/// Where nothing was chosen that is shared.
pub(super) fn nothing(guest: &GuestName) {
    remark(&format!(
        "Nothing to thaw: {guest} shares no name that was chosen."
    ));
}
