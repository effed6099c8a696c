//! What is the same for all directories.

use crate::model::{Ability, Trial, TriedAbility};
use crate::sys::host::machine;
use crate::sys::host::presence::sees_all_processes;
use crate::sys::host::trials;
use crate::sys::host::trials::UserNamespace;
use crate::sys::keeps_from_writing;
use crate::sys::own::scratch::Scratch;

/// Each ability of the host. Where there is a scratch directory, it is the place for what needs one.
pub(super) fn tried(
    scratch: Option<&Scratch>,
    namespace: Result<&UserNamespace, &Trial>,
    modules: Option<&str>,
) -> Vec<TriedAbility> {
    let tried = |ability| TriedAbility {
        ability,
        trial: match ability {
            Ability::FullRoot => full_root(),
            Ability::AllProcesses => all_processes(),
            Ability::Freezer => trials::freezer(),
            Ability::Landlock => landlock(scratch),
            Ability::UserNamespaces => namespace.map_or_else(Trial::clone, |_| Trial::can("")),
            _ => trials::bpf_lsm(modules),
        },
    };
    Ability::OF_HOST.map(tried).to_vec()
}

fn full_root() -> Trial {
    match (machine::is_root(), machine::sees_all_attributes()) {
        (_, true) => Trial::can(""),
        (true, false) => Trial::cannot("root without CAP_SYS_ADMIN, or within a user namespace"),
        (false, _) => Trial::cannot("another user than root"),
    }
}

fn all_processes() -> Trial {
    match sees_all_processes() {
        true => Trial::can(""),
        false => Trial::cannot(
            "not in the host's first PID namespace, or /proc is not its own: a guest that runs would look stopped",
        ),
    }
}

fn landlock(scratch: Option<&Scratch>) -> Trial {
    let elsewhere = machine::temporary();
    let place = scratch.map_or(elsewhere.as_path(), |scratch| scratch.dir().path());
    match keeps_from_writing(place) {
        Ok(Some(version)) => Trial::can(version),
        Ok(None) => Trial::cannot("a thread that may not write can write all the same"),
        Err(why) => Trial::cannot(why),
    }
}
