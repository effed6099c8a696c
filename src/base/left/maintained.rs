//! Which guests are being maintained: they have private copies of what they shared, and no plan links their names until
//! that is over. The paper is durable before the first name is thawed.

use crate::base::Base;
use crate::model::{GuestName, MaintainedGuest};
use crate::sys::SysResult;
use crate::sys::own::papers;

/// The paper's name.
const PAPER: &str = "maintained";

/// The paper; a line for each guest, `SINCE NAME`.
pub struct MaintainedPaper;

impl MaintainedPaper {
    /// What it says; nothing where it is not there. Lines that cannot be read are left out.
    pub fn read(base: &Base) -> SysResult<Vec<MaintainedGuest>> {
        if !base.is_made() {
            return Ok(Vec::new());
        }
        let text = papers::read_small(&base.paper(PAPER))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().filter_map(parse).collect())
    }

    /// What it says of one guest.
    pub fn of(base: &Base, guest: &GuestName) -> SysResult<Option<MaintainedGuest>> {
        let all = Self::read(base)?;
        Ok(all.into_iter().find(|one| one.name == *guest))
    }

    /// From now on the guest is being maintained. Durable before it returns; the caller holds the lock.
    pub fn begin(base: &Base, guest: &GuestName, since: &str) -> SysResult<()> {
        let mut all = Self::read(base)?;
        all.retain(|one| one.name != *guest);
        all.push(MaintainedGuest {
            name: guest.clone(),
            since: since.to_owned(),
        });
        Self::write(base, &all)
    }

    /// It is over. The caller holds the lock.
    pub fn end(base: &Base, guest: &GuestName) -> SysResult<()> {
        let mut all = Self::read(base)?;
        let before = all.len();
        all.retain(|one| one.name != *guest);
        match all.len() {
            same if same == before => Ok(()),
            0 => papers::remove(&base.paper(PAPER)),
            _ => Self::write(base, &all),
        }
    }

    fn write(base: &Base, all: &[MaintainedGuest]) -> SysResult<()> {
        let text: String = all.iter().map(line).collect();
        papers::write_whole(&base.paper(PAPER), text.as_bytes())
    }
}

fn line(one: &MaintainedGuest) -> String {
    format!("{} {}\n", one.since, one.name.as_str())
}

fn parse(line: &str) -> Option<MaintainedGuest> {
    let (since, name) = line.split_once(' ')?;
    Some(MaintainedGuest {
        name: GuestName::new(name).ok()?,
        since: since.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_blanks_and_other_lines_are_left_out() {
        let guest = MaintainedGuest {
            name: GuestName::new("web one").unwrap(),
            since: "2026-11-30T12:00:00Z".into(),
        };
        assert_eq!(parse(line(&guest).trim_end()), Some(guest));
        for odd in ["", "2026", "2026 ", "2026 a/b"] {
            assert_eq!(parse(odd), None, "{odd:?}");
        }
    }
}
