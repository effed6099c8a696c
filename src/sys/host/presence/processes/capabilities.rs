//! Could a process take the immutable flag off a file?

use std::fs;

use crate::sys::host::pids::tasks;

/// `CAP_LINUX_IMMUTABLE` of `linux/capability.h`.
const LINUX_IMMUTABLE: u32 = 9;

/// The sets of a thread: what it has, what it can take up, and what a program that it starts can be given.
const SETS: &[&str] = &["CapPrm:", "CapInh:", "CapEff:", "CapAmb:", "CapBnd:"];

/// May any thread of the process, or what it starts, take the immutable flag off? Only with the capability in one of
/// its sets, and not from a user namespace of its own. A thread that cannot be read may; one that has ended may not.
pub fn may_clear_flags(pid: u32) -> bool {
    let own = fs::read_link("/proc/self/ns/user").ok();
    tasks(&pid.to_string()).iter().any(|task| {
        let namespace = fs::read_link(format!("{task}/ns/user")).ok();
        let is_elsewhere = own.is_some() && namespace.is_some() && namespace != own;
        !is_elsewhere && holds(task)
    })
}

fn holds(task: &str) -> bool {
    match fs::read_to_string(format!("{task}/status")) {
        Ok(status) => in_any_set(&status),
        Err(_) => fs::exists(task).unwrap_or(true),
    }
}

fn in_any_set(status: &str) -> bool {
    let set = |name: &&str| {
        let line = status.lines().find_map(|line| line.strip_prefix(*name));
        let set = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        set.is_none_or(|set| set & (1 << LINUX_IMMUTABLE) != 0)
    };
    SETS.iter().any(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_counts_and_a_missing_one_too() {
        let status = |at: usize| -> String {
            let line = |(n, name): (usize, &&str)| {
                let set = if n == at { 1u64 << 9 } else { 0x1ff };
                format!("{name}\t{set:016x}\n")
            };
            SETS.iter().enumerate().map(line).collect()
        };
        for (at, set) in SETS.iter().enumerate() {
            assert!(in_any_set(&status(at)), "{set}");
        }
        assert!(!in_any_set(&status(SETS.len())));
        assert!(in_any_set("CapPrm:\t0\n"));
    }
}
