//! What all three commands say.

use std::path::Path;

use crate::cli::terminal::exit::say;
use crate::cli::terminal::voice::remark;
use crate::model::{GuestName, is_harmless};
use crate::report::layout::shell::shell_word;
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

/// Why a guest has its private copies still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StaysThawed {
    /// It was thawed, as it was asked for.
    AsAsked,
    /// It was thawed for a command, and is not refrozen after it.
    ForCommand,
    /// It could not be refrozen whole.
    Still,
}

/// Says that a guest is being maintained from now on, and what ends it.
pub(super) fn being_maintained(base: &Path, guest: &GuestName, why: StaysThawed) {
    say(&maintained_line(base, guest, why));
}

fn maintained_line(base: &Path, guest: &GuestName, why: StaysThawed) -> String {
    let (still, end) = match why {
        StaysThawed::AsAsked => ("", "ends that"),
        StaysThawed::ForCommand => ("", "shares again what is equal"),
        StaysThawed::Still => (" still", "goes on, with --allow-running while guests run"),
    };
    // A name may have blanks. One that deceives is shown escaped, and cannot be pasted.
    let word = match is_harmless(guest.as_str()) {
        true => shell_word(guest.as_str().as_ref()),
        false => guest.to_string(),
    };
    let base = shell_word(base);
    format!("{guest} IS BEING MAINTAINED{still}: `unify refreeze --base {base} {word}` {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_maintenance_can_be_pasted() {
        let guest = GuestName::new("web one").unwrap();
        let line = |why| maintained_line("/srv/.unify".as_ref(), &guest, why);
        assert_eq!(
            line(StaysThawed::AsAsked),
            "web one IS BEING MAINTAINED: `unify refreeze --base /srv/.unify 'web one'` ends that"
        );
        assert_eq!(
            line(StaysThawed::Still),
            "web one IS BEING MAINTAINED still: `unify refreeze --base /srv/.unify 'web one'` goes on, with --allow-running while guests run"
        );
    }
}
