//! What to do to have what was not found. Only what helps where it was tried is advised, so this is where the name of a
//! file system counts.

use crate::model::{Ability, TrialVerdict, TriedAbility};

/// The advice for a row that did not work, or was not tried; `None` where there is none to give.
pub fn of(tried: &TriedAbility, filesystem: &str, modules: Option<&str>) -> Option<String> {
    let is_root_missing = tried.trial.detail.starts_with("needs root");
    match (tried.trial.verdict, is_root_missing) {
        (TrialVerdict::Can, _) => None,
        (_, true) => Some("run this as root".into()),
        (TrialVerdict::Untried, _) if tried.ability != Ability::BpfLsm => None,
        _ => missing(tried, filesystem, modules),
    }
}

fn missing(
    TriedAbility { ability, trial }: &TriedAbility,
    filesystem: &str,
    modules: Option<&str>,
) -> Option<String> {
    let verdict = trial.verdict;
    let text = match (*ability, filesystem) {
        (Ability::FullRoot, _) => "run this as root, outside of every container",
        (Ability::AllProcesses, _) => "run this on the host, in its first PID namespace",
        (Ability::Freezer, _) => {
            "mount the hierarchy (mount -t cgroup2 none /sys/fs/cgroup), or boot with `systemd.unified_cgroup_hierarchy=1`"
        }
        (Ability::BpfLsm, _) => return Some(bpf(verdict, modules)),
        (Ability::Landlock, _) => return Some(kernel_line("landlock", modules)),
        (Ability::UserNamespaces, _) => {
            "sysctl user.max_user_namespaces=10000 (and kernel.unprivileged_userns_clone=1 where there is such a setting)"
        }
        (Ability::Reflink, "xfs") => "mkfs.xfs -m reflink=1, when the file system is made",
        (Ability::Reflink, _) => "guests on XFS (mkfs.xfs -m reflink=1) or btrfs",
        (Ability::Projects, "ext4") => {
            "tune2fs -O project,quota DEVICE while it is not mounted, then mount it with -o prjquota"
        }
        (Ability::Projects, "xfs") => "mount it with -o prjquota",
        (Ability::Verity, "ext4") => "tune2fs -O verity DEVICE, with a kernel that has fs-verity",
        (Ability::Verity, "btrfs") => "a kernel that has fs-verity",
        (Ability::ImmutableFlag | Ability::OlderWriters, "xfs" | "btrfs" | "tmpfs") => {
            "guests and base on ext4, where the flag is asked at every write"
        }
        (Ability::GuardMarks, _) => "guests and base on ext4 or XFS",
        (Ability::ImmutableFlag, _) => "guests and base on ext4",
        (Ability::CaseSensitive, _) => "a base and guests outside of that directory",
        (Ability::Unencrypted, _) => "a base and guests outside of that directory",
        (
            Ability::HardLinks | Ability::Exchange | Ability::LinkLife | Ability::NamelessFiles,
            _,
        ) => "guests and base on ext4, XFS or btrfs",
        _ => return None,
    };
    Some(text.into())
}

/// Where nobody knows whether the kernel asks such programs, they can be loaded; and where they are asked, or it is not
/// known, and it does not work, they cannot.
fn bpf(verdict: TrialVerdict, modules: Option<&str>) -> String {
    let is_asked = |modules: &str| modules.split(',').any(|module| module == "bpf");
    match verdict {
        TrialVerdict::Untried => {
            "mount -t securityfs securityfs /sys/kernel/security, and ask again".into()
        }
        _ if modules.is_none_or(is_asked) => {
            "a kernel that lets root load such programs (CONFIG_BPF_LSM and CONFIG_DEBUG_INFO_BTF, and no lockdown)".into()
        }
        _ => kernel_line("bpf", modules),
    }
}

/// All that the kernel asks now must stay on its command line.
fn kernel_line(module: &str, modules: Option<&str>) -> String {
    match modules {
        Some(modules) => format!("add `lsm={modules},{module}` to the kernel's command line"),
        None => format!("add {module} to `lsm=` on the kernel's command line"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Trial;

    #[test]
    fn what_the_kernel_asks_now_stays() {
        let bpf = |trial| TriedAbility {
            ability: Ability::BpfLsm,
            trial,
        };
        let no = || bpf(Trial::cannot("the kernel asks only landlock,yama"));
        let advised = |modules| of(&no(), "", modules).unwrap_or_default();
        assert_eq!(
            advised(Some("landlock,yama")),
            "add `lsm=landlock,yama,bpf` to the kernel's command line"
        );
        for refused in [None, Some("landlock,bpf")] {
            assert!(advised(refused).starts_with("a kernel that lets root load"));
        }
        let unknown = of(&bpf(Trial::untried("cannot tell")), "", None);
        assert!(unknown.is_some_and(|advice| advice.starts_with("mount -t securityfs")));
    }

    #[test]
    fn nothing_is_advised_where_nothing_is_missing() {
        let tried = |trial| TriedAbility {
            ability: Ability::Projects,
            trial,
        };
        assert_eq!(of(&tried(Trial::can("")), "xfs", None), None);
        let read_only = tried(Trial::untried("it is mounted read-only"));
        assert_eq!(of(&read_only, "xfs", None), None);
        let user = tried(Trial::untried("needs root: Operation not permitted"));
        assert_eq!(of(&user, "xfs", None).as_deref(), Some("run this as root"));
    }
}
