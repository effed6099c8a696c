//! Must a file have a package? What guests make for themselves need not: state, homes, what is local, and what
//! packages' own scripts make of the files of others.

use crate::rules::pattern::path_index::PathIndex;

/// Made on the guest, by people or at run time.
const LOCAL: &[&str] = &[
    "/var",
    "/etc",
    "/run",
    "/home",
    "/root",
    "/srv",
    "/tmp",
    "/dev",
    "/proc",
    "/sys",
    "/mnt",
    "/media",
    "/opt",
    "/usr/local",
    "/nix",
    "/gnu",
    "/lost+found",
    "/.dockerenv",
    "/.dockerinit",
    "/lib/apk/db",
    "/usr/lib/apk/db",
    "/usr/lib/sysimage",
];

/// Made of the files of packages, by the triggers and scripts of these.
const MADE: &[&str] = &[
    "/usr/share/info/dir",
    "/usr/share/info/dir.old",
    "/usr/share/mime/**",
    "mime.cache",
    "mimeinfo.cache",
    "gschemas.compiled",
    "giomodule.cache",
    "immodules.cache",
    "loaders.cache",
    "icon-theme.cache",
    "fonts.dir",
    "fonts.scale",
    ".uuid",
    "/usr/lib/locale/locale-archive",
    "/usr/lib/locale/C.utf8/**",
    "/usr/lib/udev/hwdb.bin",
    "/usr/lib/systemd/catalog/database",
    "/usr/share/X11/locale/compose.dir",
    "/lib/modules/*/modules.*",
    "/usr/lib/modules/*/modules.*",
    "/boot/initrd*",
    "/boot/initramfs*",
    "/boot/grub",
    "/boot/grub2",
    "/boot/loader",
    "/boot/efi",
    "/efi",
    "ls-R",
];

/// The places, compiled.
#[derive(Debug)]
pub struct NoPackageNeeded {
    places: PathIndex,
}

impl NoPackageNeeded {
    /// The built-in places, and those of a policy. A glob that is none is told.
    pub fn new<'a>(owned: impl IntoIterator<Item = &'a str>) -> Result<NoPackageNeeded, String> {
        let mut places = PathIndex::default();
        for pattern in LOCAL.iter().chain(MADE).copied().chain(owned) {
            let pushed = places.push(pattern);
            pushed.map_err(|why| format!("{pattern}: {why}"))?;
        }
        Ok(NoPackageNeeded { places })
    }

    /// Need this file no package?
    pub fn covers(&self, path: &[u8]) -> bool {
        self.places.first(path).is_some()
    }
}

/// The source that Python compiled, of `DIR/__pycache__/NAME.cpython-311.pyc` (PEP 3147) and of `DIR/NAME.pyc`.
pub fn python_source(path: &[u8]) -> Option<Vec<u8>> {
    let slash = path.iter().rposition(|&b| b == b'/')?;
    let (directory, name) = path.split_at_checked(slash + 1)?;
    let stem = name.strip_suffix(b".pyc")?;
    let Some(above) = directory.strip_suffix(b"__pycache__/") else {
        return Some([directory, stem, b".py"].concat());
    };
    let stem = stem
        .strip_suffix(b".opt-1")
        .or(stem.strip_suffix(b".opt-2"))
        .unwrap_or(stem);
    let dot = stem.iter().rposition(|&b| b == b'.')?;
    Some([above, stem.get(..dot)?, b".py"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guests_make_themselves_needs_no_package() {
        let none = NoPackageNeeded::new(["/usr/share/agent/**"]).unwrap();
        for path in [
            "/etc/x",
            "/usr/local/bin/x",
            "/usr/share/info/dir",
            "/usr/share/agent/a/b",
        ] {
            assert!(none.covers(path.as_bytes()), "{path}");
        }
        for path in ["/usr/bin/x", "/usr/share/info/x", "/bin/x", "/boot/vmlinuz"] {
            assert!(!none.covers(path.as_bytes()), "{path}");
        }
        assert!(NoPackageNeeded::new(["/a//b"]).is_err());
    }

    #[test]
    fn python_compiles_beside_the_source() {
        let of = |path: &str| python_source(path.as_bytes()).map(|p| String::from_utf8(p).unwrap());
        let want = |path: &str| Some(path.to_owned());
        assert_eq!(of("/a/__pycache__/b.cpython-311.pyc"), want("/a/b.py"));
        assert_eq!(
            of("/a/__pycache__/b.cpython-311.opt-1.pyc"),
            want("/a/b.py")
        );
        assert_eq!(of("/a/b.pyc"), want("/a/b.py"));
        assert_eq!(of("/a/__pycache__/b.pyc"), None);
        assert_eq!(of("/a/b.py"), None);
    }
}
