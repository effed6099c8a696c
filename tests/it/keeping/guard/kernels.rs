//! Kernels to boot, and whether this machine can.

use std::path::{Path, PathBuf};

/// What the boot script calls.
const NEEDS: [&str; 7] = [
    "qemu-system-x86_64",
    "busybox",
    "cc",
    "cpio",
    "depmod",
    "zstd",
    "xz",
];

pub(super) fn has(command: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|dir| dir.join(command).exists())
}

/// A kernel and the directory of its modules.
pub(super) struct Kernel {
    pub name: String,
    pub image: PathBuf,
    pub modules: PathBuf,
}

/// What `tests/guard/kernels.sh` has unpacked: an image and its modules may be of two packages.
fn kernels() -> Vec<Kernel> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("kernels");
    let packages = std::fs::read_dir(place).into_iter().flatten().flatten();
    let packages: Vec<PathBuf> = packages.map(|entry| entry.path()).collect();
    let beneath = |inner: &str| {
        let dirs = packages.iter().map(|package| package.join(inner));
        dirs.filter(|dir| dir.is_dir()).collect::<Vec<_>>()
    };
    let trees: Vec<PathBuf> = [beneath("lib/modules"), beneath("usr/lib/modules")].concat();
    let versions = trees.iter().flat_map(|tree| {
        let names = std::fs::read_dir(tree).into_iter().flatten().flatten();
        names.map(|entry| (entry.file_name().into_string().unwrap(), tree.clone()))
    });
    let whole = versions.filter(|(name, tree)| tree.join(name).join("kernel").is_dir());
    let mut all: Vec<Kernel> = whole
        .filter_map(|(name, modules)| {
            let boot = beneath("boot")
                .into_iter()
                .map(|dir| dir.join(format!("vmlinuz-{name}")));
            let beside = trees.iter().map(|tree| tree.join(&name).join("vmlinuz"));
            let image = boot.chain(beside).find(|image| image.exists())?;
            Some(Kernel {
                name,
                image,
                modules,
            })
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all.dedup_by(|later, earlier| release(&later.name) == release(&earlier.name));
    all
}

/// 6.1 of `6.1.0-50-cloud-amd64`: two builds of one release take the same time to show the same.
fn release(name: &str) -> (&str, &str) {
    let mut parts = name.split(['.', '-', '+']);
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The kernels that are here, or why none can be booted.
pub(super) fn bootable() -> Result<Vec<Kernel>, String> {
    if let Some(missing) = NEEDS.iter().find(|command| !has(command)) {
        return Err(format!("{missing} is not here, to boot another kernel"));
    }
    match kernels() {
        all if all.is_empty() => {
            Err("no kernel is unpacked (tests/guard/kernels.sh target/kernels)".into())
        }
        all => Ok(all),
    }
}
