//! What stands for one machine may lie behind links of the guest: directories, files, chains, absolute and relative
//! ones. What they lead to is left out, and told by the name that it has.

use std::fs;

use super::clone;
use crate::support::{Disk, File, Guest, Lab, content};

/// Links of the guest, and where they lead.
const LINKS: &[(&str, &str)] = &[
    ("/etc/ssh", "/data/ssh"),
    ("/etc/machine-id", "../data/id"),
    ("/data/id", "/data/deeper/id"),
    ("/etc/dropbear/dropbear_rsa_host_key", "/data/dropbear"),
    ("/data/dropbear", "deeper/dropbear"),
    ("/var/lib/dhcp", "../../data/leases"),
    ("/data/leases", "/data/deeper/leases"),
    ("/var/lib/systemd", "/data/systemd"),
    ("/etc/ssl", "/data/ssl"),
    // Those that lead to what has its own rule, nowhere, in a circle, or out of the guest.
    ("/var/lib/dbus/machine-id", "/etc/machine-id"),
    ("/var/lib/random-seed", "/nowhere"),
    ("/var/lib/urandom", "/var/lib/urandom"),
    ("/etc/dhcpcd.duid", "../../../../../../etc/hostname"),
];

const GONE: &[&str] = &[
    "/data/ssh/ssh_host_rsa_key",
    "/data/deeper/dropbear",
    "/data/deeper/leases/dhclient.leases",
    "/data/systemd/random-seed",
    "/data/systemd/credential.secret",
];

/// It stays, with nothing in it.
const EMPTIED: &str = "/data/deeper/id";

const KEPT: &[&str] = &[
    "/data/ssh/sshd_config",
    "/data/ssl/private/key.pem",
    "/data/other",
];

fn guest(lab: &Lab) -> Guest {
    let guest = lab.guest("web");
    for (at, to) in LINKS {
        std::fs::create_dir_all(guest.host(at).parent().unwrap()).unwrap();
        guest.symlink(to, at);
    }
    for path in GONE.iter().chain(KEPT).chain(&[EMPTIED]) {
        guest.put(path, &File::new(content(path)));
    }
    guest
}

fn behind_links(disk: Disk) {
    let lab = lab!(disk);
    let guest = guest(&lab);
    let (out, new) = clone(&lab, &guest, "new", &["--json", "--not-a-root"]);
    let said = out.expect(0).json();
    let left_out = said["left_out_files"].as_array().unwrap().iter();
    let told: Vec<&str> = left_out.map(|one| one["path"].as_str().unwrap()).collect();
    for path in GONE {
        assert!(!new.host(path).exists(), "{disk:?}: {path} is in the clone");
        assert!(told.contains(path), "{path} is not told: {told:?}");
    }
    assert_eq!(fs::read(new.host(EMPTIED)).unwrap(), b"");
    assert!(told.contains(&EMPTIED), "{told:?}");
    for path in KEPT {
        assert_eq!(fs::read(new.host(path)).unwrap(), content(path), "{path}");
    }
    let secrets = &said["remarks"]["secrets"];
    assert!(
        secrets.to_string().contains("/data/ssl/private/key.pem"),
        "{said}"
    );
    // And all of it stays where that is asked for.
    let (out, whole) = clone(&lab, &guest, "whole", &["--keep-identity", "--not-a-root"]);
    out.expect(0);
    for path in GONE.iter().chain(&[EMPTIED]) {
        assert_eq!(fs::read(whole.host(path)).unwrap(), content(path), "{path}");
    }
}

#[test]
fn identity_behind_links_is_left_out_on_ext4() {
    behind_links(Disk::Ext4);
}

#[test]
fn identity_behind_links_is_left_out_on_btrfs() {
    behind_links(Disk::Btrfs);
}
