//! BPF as a security module: may programs for it be loaded, and does the kernel ask them?

use std::path::Path;

use super::{btf, failed};
use crate::model::Trial;
use crate::sys::fault::call;
use crate::sys::own::papers;
use crate::sys::{SysError, ffi};

/// The function of the kernel that stands for the hook at which writers are met.
const HOOK: &[u8] = b"bpf_lsm_file_open";

/// What security modules the kernel asks, where securityfs is mounted as it is everywhere.
const MODULES: &str = "/sys/kernel/security/lsm";

/// The security modules that the kernel asks, in their order; `None` where it does not tell.
pub fn security_modules() -> Option<String> {
    let text = papers::read_text(Path::new(MODULES), 4096).ok()?;
    Some(String::from_utf8_lossy(&text).trim().to_owned()).filter(|text| !text.is_empty())
}

/// Loads a program that allows everything, attaches it nowhere, and lets it go.
pub fn bpf_lsm(modules: Option<&str>) -> Trial {
    if let Err(trial) = loads() {
        return trial;
    }
    match modules {
        None => Trial::untried(
            "a program can be loaded; cannot tell whether the kernel asks it: securityfs is not mounted at /sys/kernel/security",
        ),
        Some(modules) if modules.split(',').any(|module| module == "bpf") => {
            Trial::can("a program can be loaded, and `bpf` is among the security modules")
        }
        Some(modules) => Trial::cannot(format!(
            "a program can be loaded, but the kernel asks only {modules}"
        )),
    }
}

fn loads() -> Result<(), Trial> {
    let hook = match btf::function(HOOK) {
        Ok(Some(hook)) => hook,
        Ok(None) => return Err(Trial::cannot("the kernel has no hooks for BPF programs")),
        Err(error) => return Err(failed(&error)),
    };
    let loaded = call("bpf", || ffi::load_lsm_program(hook));
    let loaded = loaded.map_err(|e| SysError::new("load", "a program that allows everything", e));
    loaded.map(drop).map_err(|error| {
        let trial = failed(&error);
        Trial {
            detail: format!("a program cannot be loaded: {}", trial.detail),
            ..trial
        }
    })
}
