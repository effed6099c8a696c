//! Where managers keep their configuration.

use std::path::PathBuf;

/// Where managers keep their configuration.
#[derive(Debug, Clone)]
pub struct ManagerPlaces {
    /// Where systemd-nspawn believes all settings, the strongest first.
    pub nspawn: Vec<PathBuf>,
    /// Where its machines are.
    pub machines: PathBuf,
    /// The file that says where LXC keeps its containers.
    pub lxc: PathBuf,
    /// Where they are if it does not.
    pub containers: PathBuf,
}

impl Default for ManagerPlaces {
    fn default() -> ManagerPlaces {
        ManagerPlaces {
            nspawn: ["/etc/systemd/nspawn", "/run/systemd/nspawn"]
                .map(PathBuf::from)
                .to_vec(),
            machines: "/var/lib/machines".into(),
            lxc: "/etc/lxc/lxc.conf".into(),
            containers: "/var/lib/lxc".into(),
        }
    }
}
