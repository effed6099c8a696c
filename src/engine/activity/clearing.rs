//! Could what runs in a guest take the flag off a shared file? A guest that runs is judged by its processes, one that
//! is stopped by the configuration of its manager, which also says what line ends it. A process of the host that only
//! has a file of the guest open, such as the monitor of LXC, says nothing of the guest.

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

/// Could what is in the guest at `root` take flags off, or what its manager will start there?
pub(in crate::engine) fn flag_clearing(
    managers: &Managers,
    root: &Path,
    condition: &Activity,
) -> FlagClearing {
    let configured = managers.flag_clearing(root);
    let inside = condition.inside.iter();
    let mut inside = inside.filter(|process| !process.is_of_host).peekable();
    let is_seen_to_run = inside.peek().is_some();
    if let Some(process) = inside.find(|process| process.may_clear_flags) {
        return FlagClearing {
            answer: ClearsFlags::Yes,
            why: could(process),
            remedy: Some(remedy(&configured, process)),
            manager: configured.manager,
        };
    }
    if !is_seen_to_run || condition.unknown.is_some() {
        return configured;
    }
    FlagClearing {
        answer: ClearsFlags::No,
        why: "it runs, and none of its processes has CAP_LINUX_IMMUTABLE".into(),
        manager: configured.manager,
        remedy: None,
    }
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
