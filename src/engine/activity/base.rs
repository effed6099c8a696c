//! Is the base ours alone? Its staging and quarantine hold files of all guests, and its objects are everybody's.

use std::path::Path;

use super::Sight;
use crate::base::Base;
use crate::engine::EngineError;
use crate::engine::error::CannotHere;
use crate::model::{Event, Observer};
use crate::sys::host::machine;
use crate::sys::{Patience, SysResult};

/// Why the base is in others' hands: another mount namespace has it mounted, an overlay has it as a layer, a process is
/// rooted there, or the kernel serves it.
pub(in crate::engine) fn in_others_hands(base: &Base) -> SysResult<Option<String>> {
    Ok(Sight::take(&[], Some(base.dir()), &[], Patience::ToChange)?.of_the_other())
}

impl Sight {
    /// The same for the directory that was looked at last.
    pub(in crate::engine) fn of_the_other(&self) -> Option<String> {
        let (at, presence) = (self.guests.len(), &self.presence);
        let rooted = presence.rooted(at).map(|process| process.to_string());
        let mounted = || presence.mounted_elsewhere(at, &[]);
        rooted.or_else(mounted).or_else(|| presence.in_use(at))
    }
}

/// Warns of a base that is in others' hands. Only root sees that, and only before it gives up its rights.
pub fn warn_of_base(base: &Path, observer: &dyn Observer) -> Result<(), EngineError> {
    if !machine::is_root() {
        return Ok(());
    }
    if let Some(why) = in_others_hands(&Base::existing(base)?)? {
        observer.notice(&Event::Warning(&shared(&why)));
    }
    Ok(())
}

/// What `plan` and `status` say of it.
pub(in crate::engine) fn shared(why: &str) -> String {
    format!("the base is in other hands ({why}): nothing will be applied or undone until that ends")
}

/// Refuses to change anything while the base is in others' hands.
pub(in crate::engine) fn must_be_ours(base: &Base) -> Result<(), EngineError> {
    match in_others_hands(base)? {
        None => Ok(()),
        Some(why) => Err(CannotHere::BaseShared {
            base: base.path().to_owned(),
            why,
        }
        .into()),
    }
}
