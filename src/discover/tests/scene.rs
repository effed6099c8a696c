//! A host in a scratch directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{ManagerPlaces, Managers};
use crate::model::{ClearsFlags, FlagClearing};

/// Directories of a host, and files in them.
pub struct Scene(tempfile::TempDir);

impl Scene {
    pub fn new() -> Scene {
        let scene = Scene(tempfile::tempdir().unwrap());
        for dir in ["etc/nspawn", "run/nspawn", "machines", "lxc"] {
            fs::create_dir_all(scene.path(dir)).unwrap();
        }
        scene
    }

    /// A path of the scene, without links.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    /// Writes a file; `TOP` in its text stands for the scene's path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let top = self.path("").display().to_string();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text.replace("TOP", top.trim_end_matches('/'))).unwrap();
        path
    }

    /// The root of a guest.
    pub fn guest(&self, name: &str) -> PathBuf {
        let root = self.path(name);
        fs::create_dir_all(&root).unwrap();
        root
    }

    pub fn places(&self) -> ManagerPlaces {
        ManagerPlaces {
            nspawn: vec![self.path("etc/nspawn"), self.path("run/nspawn")],
            machines: self.path("machines"),
            lxc: self.path("etc/lxc.conf"),
            containers: self.path("lxc"),
        }
    }

    /// What is said of this guest, in a run with no other.
    pub fn asked(&self, root: &Path) -> FlagClearing {
        Managers::new(self.places(), vec![root.to_owned()]).flag_clearing(root)
    }

    /// The answer alone, for an LXC container with this configuration.
    pub fn container(&self, config: &str) -> FlagClearing {
        let root = self.guest("lxc/c/rootfs");
        let config = format!("lxc.rootfs.path = dir:{}\n{config}", root.display());
        self.write("lxc/c/config", &config);
        self.asked(&root)
    }
}

/// Fails unless this is the answer, and says why.
#[track_caller]
pub fn assert_answer(told: &FlagClearing, answer: ClearsFlags, why: &str) {
    assert_eq!(told.answer, answer, "{told:?}");
    assert!(told.why.contains(why), "{told:?}");
    let has_line = told.remedy.is_some();
    assert_eq!(has_line, answer == ClearsFlags::Yes, "{told:?}");
}
