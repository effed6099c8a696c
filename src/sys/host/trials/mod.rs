//! What the kernel and a file system can do, each found by doing it once on something of ours that nobody else sees:
//! files without a name, mounts that are attached nowhere, a program for the kernel that is never attached, a thread
//! that ends.
//!
//! A trial never fails: where it could not be made, it says so. Nothing is concluded from a version or a name.

mod bpf;
pub(in crate::sys) mod btf;
mod cgroup;
mod files;
mod mounts;
mod user_namespace;

use crate::model::Trial;
use crate::sys::host::machine::sees_all_attributes;
use crate::sys::{Meaning, SysError, SysResult};

pub use bpf::{bpf_lsm, security_modules};
pub use cgroup::freezer;
pub use files::{guard_marks, leases, nameless_files, no_access_times, projects, verity};
pub use mounts::{idmapped_mounts, mount_ids, overlay_mounts, private_clone};
pub use user_namespace::{UserNamespace, stand_in_namespace};

/// What an error says. Who has all rights is refused for no lack of them.
pub fn failed(error: &SysError) -> Trial {
    match error.meaning() {
        Meaning::Denied if !sees_all_attributes() => {
            Trial::untried(format!("needs root: {}", error.said()))
        }
        Meaning::NoSpace => Trial::untried(error.said()),
        _ => Trial::cannot(error.said()),
    }
}

/// It works where it was done, and else what the error says.
fn done(result: SysResult<()>) -> Trial {
    match result {
        Ok(()) => Trial::can(""),
        Err(error) => failed(&error),
    }
}
