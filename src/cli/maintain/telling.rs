//! What all three commands say.

use crate::cli::terminal::screen::Screen;
use crate::cli::terminal::voice::remark;
use crate::model::GuestName;

/// The first reasons why names were refused.
pub(super) fn refused(screen: Screen) -> String {
    let not_done = screen.not_done();
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
