//! Which guests are being maintained: they have private copies of what they shared, and no plan links their names until
//! that is over. The paper is durable before the first name is thawed.

use crate::base::Base;
use crate::model::{GuestName, MaintainedGuest, RunId};
use crate::sys::SysResult;
use crate::sys::own::papers;

/// The paper's name.
const PAPER: &str = "maintained";

/// What stands before the run that thawed.
const RUN: &str = "run:";

/// The paper; a line for each guest, `SINCE run:RUN NAME`. Earlier versions wrote `SINCE NAME`; no name has a colon.
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

    /// From now on the guest is being maintained; `run` thaws it. Durable before it returns; the caller holds the lock.
    pub fn begin(base: &Base, guest: &GuestName, since: &str, run: &RunId) -> SysResult<()> {
        let mut all = Self::read(base)?;
        all.retain(|one| one.name != *guest);
        all.push(MaintainedGuest {
            name: guest.clone(),
            since: since.to_owned(),
            run: Some(run.clone()),
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
    let run = one.run.as_ref().map(|run| format!("{RUN}{run} "));
    let (run, name) = (run.unwrap_or_default(), one.name.as_str());
    format!("{} {run}{name}\n", one.since)
}

fn parse(line: &str) -> Option<MaintainedGuest> {
    let (since, rest) = line.split_once(' ')?;
    let named = rest.strip_prefix(RUN).and_then(|rest| rest.split_once(' '));
    let (run, name) = named.map_or((None, rest), |(run, name)| (run.parse().ok(), name));
    Some(MaintainedGuest {
        name: GuestName::new(name).ok()?,
        since: since.to_owned(),
        run,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str, run: Option<&str>) -> MaintainedGuest {
        MaintainedGuest {
            name: GuestName::new(name).unwrap(),
            since: "2026-11-30T12:00:00Z".into(),
            run: run.map(|run| run.parse().unwrap()),
        }
    }

    #[test]
    fn names_may_have_blanks_and_other_lines_are_left_out() {
        for run in [None, Some("20261130T115959Z-0000002a")] {
            let guest = guest("web one", run);
            assert_eq!(parse(line(&guest).trim_end()), Some(guest));
        }
        for odd in ["", "2026", "2026 ", "2026 a/b", "2026 run:", "2026 run:x"] {
            assert_eq!(parse(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn lines_of_earlier_versions_name_no_run() {
        let old = |name| format!("2026-11-30T12:00:00Z {name}");
        for name in ["web", "20261130T115959Z-0000002a web", "run web"] {
            assert_eq!(parse(&old(name)), Some(guest(name, None)));
        }
        // A run that cannot be read is none.
        assert_eq!(parse(&old("run:2026 web")), Some(guest("web", None)));
    }
}
