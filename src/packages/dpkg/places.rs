//! Where dpkg keeps its files, beneath a guest's root.

pub const DIRECTORY: &[u8] = b"var/lib/dpkg";
pub const STATUS: &[u8] = b"var/lib/dpkg/status";
pub const JOURNAL: &[u8] = b"var/lib/dpkg/updates";
pub const INFO: &[u8] = b"var/lib/dpkg/info";
pub const DISTROLESS: &[u8] = b"var/lib/dpkg/status.d";
pub const DIVERSIONS: &[u8] = b"var/lib/dpkg/diversions";
pub const STATOVERRIDE: &[u8] = b"var/lib/dpkg/statoverride";
