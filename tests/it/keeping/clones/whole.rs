//! Real guests, and trees with everything odd in them, on each file system.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, makedev, mknodat};

use super::{assert_equal, clone, differences, left_in};
use crate::support::{
    Disk, File, Guest, Lab, Listing, assert_same, chattr, content, debian, disk_use, id,
    is_immutable, nlink, project_of, set_project, unmount,
};

/// Bytes that the file system of the lab stores, after all reached the disk.
fn used(lab: &Lab) -> u64 {
    assert!(
        Command::new("sync")
            .arg("-f")
            .arg(lab.guests())
            .status()
            .unwrap()
            .success()
    );
    let facts = rustix::fs::statvfs(lab.guests()).unwrap();
    (facts.f_blocks - facts.f_bfree) * facts.f_frsize
}

fn real_guest_with_reflinks(disk: Disk) {
    let lab = memory_lab!(disk);
    let [web, _] = debian(&lab);
    let before = (Listing::of(web.root()), used(&lab));
    let (out, new) = clone(&lab, &web, "new", &["--json"]);
    let said = out.expect(0).json();
    assert_eq!(said["shares_blocks"], true, "{said}");
    assert_equal(&web, &new);
    let (grew, size) = (used(&lab) - before.1, disk_use(&[web.root()]));
    assert!(grew < size / 6, "{grew} bytes more for a guest of {size}");
    assert!(said["needed"].as_u64().unwrap() > grew / 2, "{said}");
    assert!(!new.host("/etc/ssh/ssh_host_rsa_key").exists());
    assert!(new.host("/etc/ssh/sshd_config").exists());
    fs::write(new.host("/usr/bin/perl"), "changed").unwrap();
    assert_same(
        &before.0,
        &Listing::of(web.root()),
        "after a write to the clone",
    );
}

#[test]
fn a_real_guest_on_xfs() {
    real_guest_with_reflinks(Disk::Xfs);
}

#[test]
fn a_real_guest_on_btrfs() {
    real_guest_with_reflinks(Disk::Btrfs);
}

/// Everything that a tree can have.
fn odd(lab: &Lab) -> Guest {
    let guest = lab.guest("odd");
    let plain = File::new(content(1));
    guest.put("/usr/bin/x", &plain.clone().mode(0o4755).owner(7, 8));
    guest.hard_link("/usr/bin/x", "/usr/bin/y");
    guest.hard_link("/usr/bin/x", "/var/z");
    guest.put(
        "/var/attributes",
        &plain.clone().xattr("user.a", b"b").xattr("trusted.t", b"v"),
    );
    guest.put("/var/holes", &File::new("data").in_holes_of(1 << 27));
    guest.put("/var/old", &plain.clone().mtime(-300_000_000, 999_999_999));
    guest.put("/var/append", &plain);
    guest.hard_link("/var/append", "/var/append-too");
    guest.put("/var/kept/in", &plain);
    guest.put("/var/nodump", &plain);
    guest.put("/etc/fixed", &plain);
    guest.put("/etc/fixed.d/in", &plain);
    guest.put("/var/closed/in", &plain.clone().mode(0));
    guest.put("/var/empty-file", &File::new(""));
    guest.put("/var/mount/beneath", &plain);
    odd_nodes(&guest);
    // Who is born in this directory gets an ACL.
    let mut acl = 2u32.to_le_bytes().to_vec();
    for (tag, may, who) in [
        (1u16, 7u16, u32::MAX),
        (2, 5, 99),
        (4, 5, u32::MAX),
        (16, 7, u32::MAX),
        (32, 5, u32::MAX),
    ] {
        acl.extend(
            [
                &tag.to_le_bytes()[..],
                &may.to_le_bytes(),
                &who.to_le_bytes(),
            ]
            .concat(),
        );
    }
    guest.put("/var/acl/older", &plain);
    let acls = guest.host("/var/acl");
    lsetxattr(&acls, "system.posix_acl_default", &acl, XattrFlags::empty()).unwrap();
    for (change, path) in [
        ("+a", "/var/append"),
        ("+a", "/var/kept"),
        ("+d", "/var/nodump"),
        ("+i", "/etc/fixed"),
        ("+i", "/etc/fixed.d"),
    ] {
        chattr(change, &guest.host(path));
    }
    guest
}

/// Links, FIFOs, devices, a socket, and names that no terminal should see.
fn odd_nodes(guest: &Guest) {
    guest.symlink("/etc/nowhere", "/usr/link");
    lsetxattr(
        guest.host("/usr/link"),
        "trusted.l",
        b"v",
        XattrFlags::empty(),
    )
    .unwrap();
    guest.hard_link("/usr/link", "/var/link-too");
    guest.fifo("/var/fifo");
    guest.hard_link("/var/fifo", "/var/fifo-too");
    guest.deep("/var/deep", &"d".repeat(200), 30, b"bottom");
    for name in [
        "/var/bad\u{fffd}",
        "/var/new\nline",
        "/var/escape\u{1b}[31m",
    ] {
        guest.put(name, &File::new(content(1)));
    }
    let bytes = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/var/\xff\xfe");
    guest.put(bytes, &File::new(content(1)));
    let device = |name: &str, kind, number| {
        let mode = Mode::from_raw_mode(0o640);
        mknodat(CWD, guest.host(name), kind, mode, number).unwrap();
    };
    device("/var/null", FileType::CharacterDevice, makedev(1, 3));
    device("/var/whiteout", FileType::CharacterDevice, 0);
    device("/var/disk", FileType::BlockDevice, makedev(7, 99));
    drop(UnixListener::bind(guest.host("/var/socket")).unwrap());
}

fn flags(path: &Path) -> String {
    let out = Command::new("lsattr").arg("-d").arg(path).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.split(' ')
        .next()
        .unwrap_or_default()
        .replace(['-', 'e'], "")
}

fn odd_things(disk: Disk) {
    let lab = memory_lab!(disk);
    let guest = odd(&lab);
    let mounted = guest.host("/var/mount");
    assert!(
        Command::new("mount")
            .args(["-t", "tmpfs", "none"])
            .arg(&mounted)
            .status()
            .unwrap()
            .success()
    );
    fs::write(mounted.join("on-it"), "not the guest's").unwrap();
    let (out, new) = clone(&lab, &guest, "new", &["--json", "--not-a-root"]);
    unmount(&mounted);
    let said = out.expect(0).json();
    let differs = differences(&guest, &new);
    assert_eq!(differs, ["/var/socket: is gone"], "{said}");
    let remarks = &said["remarks"];
    let told = |what: &str| remarks[what]["all"].as_u64().unwrap();
    assert_eq!(
        (told("sockets"), told("mounts"), told("were_immutable")),
        (1, 1, 2),
        "{said}"
    );
    assert_eq!(
        (told("not_kept"), told("changed_meanwhile"), told("foreign")),
        (0, 0, 0),
        "{said}"
    );
    assert!(
        new.host("/var/mount/beneath").exists(),
        "what lies beneath a mount is the guest's"
    );
    let names = ["/usr/bin/x", "/usr/bin/y", "/var/z"].map(|path| id(&new.host(path)));
    assert!(
        names
            .iter()
            .all(|one| *one == names[0] && *one != id(&guest.host("/usr/bin/x")))
    );
    assert_eq!(
        (nlink(&new.host("/var/z")), nlink(&new.host("/var/append"))),
        (3, 2)
    );
    assert_eq!(nlink(&new.host("/usr/link")), 2);
    assert_eq!(nlink(&new.host("/var/fifo-too")), 2);
    assert_eq!(said["more_names"], 5, "{said}");
    for path in ["/var/append", "/var/kept", "/var/nodump", "/var/acl"] {
        assert_eq!(flags(&new.host(path)), flags(&guest.host(path)), "{path}");
    }
    assert!(!is_immutable(&new.host("/etc/fixed")) && !is_immutable(&new.host("/etc/fixed.d")));
    let blocks = |guest: &Guest| fs::metadata(guest.host("/var/holes")).unwrap().blocks();
    assert_eq!(blocks(&guest), blocks(&new), "holes are kept");
    assert!(left_in(&lab.guests()).is_empty());
}

#[test]
fn odd_things_on_ext4() {
    odd_things(Disk::Ext4);
}

#[test]
fn odd_things_on_xfs() {
    odd_things(Disk::Xfs);
}

#[test]
fn odd_things_on_btrfs() {
    odd_things(Disk::Btrfs);
}

/// A subvolume is a file system of its own; what is in it is not part of the guest's tree.
#[test]
fn a_subvolume_is_an_empty_directory() {
    let lab = memory_lab!(Disk::Btrfs);
    let guest = lab.guest("web");
    guest.put("/var/lib/f", &File::new("f"));
    let made = Command::new("btrfs")
        .args(["-q", "subvolume", "create"])
        .arg(guest.host("/var/lib/machines"))
        .status();
    assert!(made.unwrap().success());
    guest.put("/var/lib/machines/in", &File::new("in"));
    let (out, new) = clone(&lab, &guest, "new", &["--json", "--not-a-root"]);
    assert_eq!(
        out.expect(0).json()["remarks"]["foreign"]["listed"][0]["path"],
        "/var/lib/machines"
    );
    assert_eq!(differences(&guest, &new), ["/var/lib/machines/in: is gone"]);
}

/// Identity goes and is told, links to it and configuration stay; with an option all of it stays.
#[test]
fn what_stands_for_one_machine() {
    let lab = lab!(Disk::Own);
    let guest = lab.guest("web");
    let id = "0123456789abcdef0123456789abcdef\n";
    for (path, text) in [
        ("/etc/machine-id", id),
        ("/etc/ssh/ssh_host_rsa_key", "key"),
        ("/etc/ssh/ssh_host_rsa_key.pub", "key"),
        ("/etc/ssh/sshd_config", "config"),
        ("/etc/hostname", "web"),
        ("/etc/ssl/private/web.key", "key"),
        ("/var/lib/systemd/random-seed", "seed"),
        ("/var/lib/cloud/instances/i-1/deep/x", "x"),
        ("/var/lib/cloud/seed/meta-data", "x"),
    ] {
        guest.put(path, &File::new(text));
    }
    guest.symlink("/etc/machine-id", "/var/lib/dbus/machine-id");
    guest.symlink("/var/lib/cloud/instances/i-1", "/var/lib/cloud/instance");
    let planned = clone(&lab, &guest, "new", &["--plan-only", "--json"])
        .0
        .expect(0)
        .json();
    assert!(!lab.there("new").root().exists());
    let (out, new) = clone(&lab, &guest, "new", &["--json"]);
    let said = out.expect(0).json();
    assert_eq!(said["left_out_files"], planned["left_out_files"]);
    assert_eq!(
        said["left_out_files"].as_array().unwrap().len(),
        6,
        "{said}"
    );
    assert_eq!(
        said["remarks"]["secrets"]["listed"][0]["path"],
        "/etc/ssl/private/web.key"
    );
    assert_equal(&guest, &new);
    assert_eq!(new.read("/etc/machine-id"), b"");
    for gone in [
        "/etc/ssh/ssh_host_rsa_key",
        "/var/lib/systemd/random-seed",
        "/var/lib/cloud/instances/i-1",
        "/var/lib/cloud/instance",
    ] {
        assert!(fs::symlink_metadata(new.host(gone)).is_err(), "{gone}");
    }
    assert!(new.host("/var/lib/dbus/machine-id").is_symlink());
    let (out, same) = clone(&lab, &guest, "same", &["--keep-identity"]);
    out.expect(0);
    assert_same(
        &Listing::of(guest.root()),
        &Listing::of(same.root()),
        "with its identity",
    );
}

/// A project is kept; where the new place hands one down, that one is taken, which the kernel wants.
#[test]
fn projects() {
    let lab = match Lab::formatted("xfs", &[], "loop") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let guest = lab.guest("web");
    set_project(guest.root(), 5, true);
    guest.put("/usr/f", &File::new("f"));
    let (out, new) = clone(&lab, &guest, "new", &["--not-a-root"]);
    out.expect(0);
    assert_eq!(project_of(new.root()), (5, true));
    assert_eq!(project_of(&new.host("/usr/f")).0, 5);
    set_project(&lab.guests(), 9, true);
    let (out, other) = clone(&lab, &guest, "other", &["--not-a-root"]);
    out.expect(0);
    assert_eq!(project_of(other.root()), (9, true));
    assert_eq!(project_of(&other.host("/usr/f")).0, 9);
}

/// Another file system: everything is copied, and that is said.
#[test]
fn to_another_file_system() {
    let lab = memory_lab!(Disk::Ext4);
    let other = memory_lab!(Disk::Xfs);
    let [web, _] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &lab.there("db")], &[]).apply().expect(0);
    let new = other.there("new");
    let args = ["clone", "--json", "--not-a-root", &web.arg(), &new.arg()];
    let said = crate::support::unify(&args).expect(0).json();
    assert_eq!(said["shares_blocks"], false);
    assert!(
        said["not_linked"]
            .as_str()
            .unwrap()
            .contains("another file system"),
        "{said}"
    );
    assert_equal(&web, &new);
    assert!(!is_immutable(&new.host("/usr/f")));
}
