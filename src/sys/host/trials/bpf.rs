//! BPF as a security module: may programs for it be loaded, and does the kernel ask them?

use std::path::Path;

use super::{btf, failed};
use crate::model::Trial;
use crate::sys::fault::call;
use crate::sys::own::papers;
use crate::sys::{SysError, ffi};

/// The function of the kernel that stands for the hook at which writers are met.
const HOOK: &[u8] = b"bpf_lsm_file_open";

/// `bpf_probe_read_kernel(r10 - 8, 8, 0); r0 = 0; exit`: it allows everything.
const PROGRAM: [[u8; 8]; 7] = [
    [0xbf, 0xa1, 0, 0, 0, 0, 0, 0],
    [0x07, 0x01, 0, 0, 0xf8, 0xff, 0xff, 0xff],
    [0xb7, 0x02, 0, 0, 8, 0, 0, 0],
    [0xb7, 0x03, 0, 0, 0, 0, 0, 0],
    [0x85, 0, 0, 0, 113, 0, 0, 0],
    [0xb7, 0, 0, 0, 0, 0, 0, 0],
    [0x95, 0, 0, 0, 0, 0, 0, 0],
];

/// What security modules the kernel asks, where securityfs is mounted as it is everywhere.
const MODULES: &str = "/sys/kernel/security/lsm";

/// The security modules that the kernel asks, in their order; `None` where it does not tell.
pub fn security_modules() -> Option<String> {
    let text = papers::read_text(Path::new(MODULES), 4096).ok()?;
    Some(String::from_utf8_lossy(&text).trim().to_owned()).filter(|text| !text.is_empty())
}

/// Loads a program that allows everything, attaches it nowhere, and lets it go. It reads of the kernel's memory, as the
/// guard must, which a kernel forbids that is locked down for confidentiality.
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
    let loaded = call("bpf", || ffi::load_lsm_program(hook, &PROGRAM));
    let loaded = loaded.map_err(|e| SysError::new("load", "a program that allows everything", e));
    loaded.map(drop).map_err(|error| {
        let trial = failed(&error);
        Trial {
            detail: format!("a program cannot be loaded: {}", trial.detail),
            ..trial
        }
    })
}
