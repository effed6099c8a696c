//! Could what runs in a guest take the flag off a shared file? A guest that runs is judged by its processes, and every
//! guest by what its manager is configured to start there next, which also says what line ends it: the worse of both
//! counts. A process of the host that only has a file of the guest open, such as the monitor of LXC, says nothing of
//! the guest.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Activity;
use crate::discover::{ManagerPlaces, Managers};
use crate::engine::Guest;
use crate::model::{ClearsFlags, FlagClearer, FlagClearing, GuestName};
use crate::sys::Inside;

/// The managers of this host, to be asked about these guests.
pub(in crate::engine) fn managers<'p>(roots: impl Iterator<Item = &'p Path>) -> Managers {
    let roots = roots.map(Path::to_owned).collect::<Vec<PathBuf>>();
    Managers::new(ManagerPlaces::default(), roots)
}

/// Could what is in the guest at `root` take flags off, or what its manager will start there? The answer stands in
/// plans, so no process is named: the same guests have the same answer again.
pub(in crate::engine) fn flag_clearing(
    managers: &Managers,
    root: &Path,
    condition: &Activity,
) -> FlagClearing {
    let configured = managers.flag_clearing(root);
    match now(condition) {
        None => configured,
        Some(now) => both(now, &configured),
    }
}

/// Could what runs in it do so? `None` where that is not known, and where nothing runs.
fn now(condition: &Activity) -> Option<ClearsFlags> {
    let mut inside = condition
        .inside
        .iter()
        .filter(|one| !one.is_of_host)
        .peekable();
    let is_seen_to_run = inside.peek().is_some();
    if inside.any(|process| process.may_clear_flags) {
        return Some(ClearsFlags::Yes);
    }
    (is_seen_to_run && condition.unknown.is_none()).then_some(ClearsFlags::No)
}

/// What runs now, and what will be started next: both are said, and the worse counts. Of a guest that no manager is
/// known of, what runs tells all that is known.
fn both(now: ClearsFlags, next: &FlagClearing) -> FlagClearing {
    let known = |answer, why: String, remedy| FlagClearing {
        answer,
        why,
        remedy,
        manager: next.manager.clone(),
    };
    let (runs, why) = (now == ClearsFlags::Yes, &next.why);
    match (runs, next.answer, &next.remedy) {
        (true, ClearsFlags::Yes, Some(line)) => known(
            ClearsFlags::Yes,
            format!("at its next start {why}; now {HAS}"),
            Some(format!("{line}, and restart the guest")),
        ),
        (true, ClearsFlags::No, _) => known(
            ClearsFlags::Yes,
            format!("{HAS}, though at its next start {why}"),
            Some(format!(
                "{END}, which came in by another way, or restart the guest: {why}"
            )),
        ),
        (true, ..) => known(
            ClearsFlags::Yes,
            format!("{HAS}, and its next start is not known: {why}"),
            Some(format!(
                "{END}, or start the guest without CAP_LINUX_IMMUTABLE: what starts it is not known here ({why})"
            )),
        ),
        (false, ClearsFlags::Yes, line) => known(
            ClearsFlags::Yes,
            format!("{HAS_NOT}, but at its next start {why}"),
            line.clone(),
        ),
        (false, ClearsFlags::No, _) => {
            let why = format!("{HAS_NOT}, and at its next start {why}");
            known(ClearsFlags::No, why, None)
        }
        (false, ClearsFlags::Unknown, _) if next.manager.is_none() => {
            known(ClearsFlags::No, format!("it runs, and {HAS_NOT}"), None)
        }
        (false, ClearsFlags::Unknown, _) => known(
            ClearsFlags::Unknown,
            format!("{HAS_NOT}, and its next start is not known: {why}"),
            None,
        ),
    }
}

const HAS: &str = "a process in it may take flags off files (CAP_LINUX_IMMUTABLE)";
const HAS_NOT: &str = "none of its processes has CAP_LINUX_IMMUTABLE";
const END: &str = "end that process";

/// The process in a guest that could, for people who look for it now.
pub(in crate::engine) fn who_could(condition: &Activity) -> Option<String> {
    let mut inside = condition.inside.iter();
    let process = inside.find(|one| !one.is_of_host && one.may_clear_flags)?;
    Some(could(process))
}

/// Why a guest with this process is not frozen.
pub(super) fn could(process: &Inside) -> String {
    format!(
        "process {} may take flags off files (CAP_LINUX_IMMUTABLE)",
        process.pid
    )
}

/// What keeps such a process out, by what the guest's manager is configured to start.
fn remedy(configured: &FlagClearing, process: &Inside) -> String {
    let pid = &process.pid;
    if process.is_of_host {
        return format!(
            "end process {pid}, which is of this host and has a file of the guest open; if it is the guest's own monitor (LXC has one), stop the guest instead"
        );
    }
    match (configured.answer, &configured.remedy) {
        (ClearsFlags::Yes, Some(line)) => format!("{line}, and restart the guest"),
        (ClearsFlags::No, _) => format!(
            "end process {pid}, which came in by another way, or restart the guest: {}",
            configured.why
        ),
        _ => format!(
            "end process {pid}, or start the guest without CAP_LINUX_IMMUTABLE: its manager is not known here ({})",
            configured.why
        ),
    }
}

/// The guests of a run that were not frozen because of such a process, and what ends that.
#[derive(Default)]
pub(super) struct RunningClearers(RefCell<BTreeMap<GuestName, String>>);

impl RunningClearers {
    /// What ends it for the guest number `at`. Files of the host are read for it once, and never while guests wait.
    pub fn remedy(
        &self,
        guests: &[&Guest],
        at: usize,
        process: &Inside,
        may_read: bool,
    ) -> Option<String> {
        let guest = guests.get(at)?;
        let mut known = self.0.borrow_mut();
        if !known.contains_key(&guest.name) && may_read {
            let managers = managers(guests.iter().map(|guest| guest.path.as_path()));
            let remedy = remedy(&managers.flag_clearing(&guest.path), process);
            known.insert(guest.name.clone(), remedy);
        }
        known.get(&guest.name).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<FlagClearer> {
        let known = self.0.borrow();
        let one = |(guest, remedy): (&GuestName, &String)| FlagClearer {
            guest: guest.clone(),
            remedy: remedy.clone(),
        };
        known.iter().map(one).collect()
    }
}
