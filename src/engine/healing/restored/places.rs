//! Where guests of a base that was brought elsewhere may be.

use std::path::{Path, PathBuf};

/// Where the guest was last, and every place that is to the base, or to a directory above it, as that was to some
/// directory above: what has more of the old path in common comes first, and then what is nearer to the base.
pub(super) fn places(root: &Path, base: &Path) -> Vec<PathBuf> {
    let parts: Vec<_> = root.iter().skip(1).collect();
    let mut all = vec![root.to_owned()];
    for from in 0..parts.len() {
        let rest: PathBuf = parts[from..].iter().collect();
        let beside = base.ancestors().skip(1).map(|above| above.join(&rest));
        let apart = beside.filter(|place| !base.starts_with(place) && !place.starts_with(base));
        all.extend(apart.filter(|place| place != root));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_looked_for_where_it_was_to_the_base() {
        let found = places(
            Path::new("/srv/lxc/web/rootfs"),
            Path::new("/mnt/srv/.unify"),
        );
        let found: Vec<&str> = found.iter().filter_map(|place| place.to_str()).collect();
        let wanted = [
            "/srv/lxc/web/rootfs",
            "/mnt/srv/srv/lxc/web/rootfs",
            "/mnt/srv/lxc/web/rootfs",
            "/mnt/srv/lxc/web/rootfs",
            "/mnt/lxc/web/rootfs",
            "/lxc/web/rootfs",
            "/mnt/srv/web/rootfs",
            "/mnt/web/rootfs",
            "/web/rootfs",
            "/mnt/srv/rootfs",
            "/mnt/rootfs",
            "/rootfs",
        ];
        assert_eq!(found, wanted);
        assert_eq!(
            places(Path::new("/"), Path::new("/.unify")),
            [Path::new("/")]
        );
        let beside = places(Path::new("/a/.unify"), Path::new("/b/.unify"));
        assert!(!beside.contains(&"/b/.unify".into()), "{beside:?}");
    }
}
