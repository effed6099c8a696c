//! File capabilities in words.

/// The permitted capabilities of `struct vfs_cap_data` (linux/capability.h): a magic number with the revision in its
/// top byte and the effective bit in its lowest, then words of permitted and inheritable bits; `None` for an empty one.
pub(super) fn permitted(value: &[u8]) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    let word = |at: usize| {
        let bytes = value.get(at * 4..at * 4 + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let (Some(magic), Some(low)) = (word(0), word(1)) else {
        return Some("capabilities that cannot be read".to_owned());
    };
    let high = word(3).unwrap_or(0);
    let permitted = u64::from(high) << 32 | u64::from(low);
    let bits = (0..64u32).filter(|bit| permitted >> bit & 1 == 1);
    let names: Vec<String> = bits.map(name).collect();
    let inheritable = word(2).unwrap_or(0) != 0 || word(4).unwrap_or(0) != 0;
    let flags = match (magic & 1 == 1, inheritable) {
        (true, false) => "ep",
        (false, false) => "p",
        (true, true) => "eip",
        (false, true) => "ip",
    };
    Some(format!("{}={flags}", names.join(",")))
}

fn name(bit: u32) -> String {
    let known = usize::try_from(bit)
        .ok()
        .and_then(|bit| CAPABILITIES.get(bit));
    known.map_or(format!("{bit}"), |name| format!("cap_{name}"))
}

/// In the order of linux/capability.h.
const CAPABILITIES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_names() {
        let mut value = 0x0200_0001u32.to_le_bytes().to_vec();
        value.extend((1u32 << 13).to_le_bytes());
        value.extend([0; 12]);
        assert_eq!(permitted(&value).unwrap(), "cap_net_raw=ep");
        assert_eq!(
            permitted(b"xx").unwrap(),
            "capabilities that cannot be read"
        );
        assert_eq!(permitted(b""), None);
        assert_eq!(name(63), "63");
        assert_eq!(name(40), "cap_checkpoint_restore");
    }
}
