//! How images are given, named and refused, and what can be asked about them.

use std::path::Path;
use std::process::{Command, Stdio};

use super::archives::*;
use super::{images, names_of, try_images};
use crate::support::{BIN, Disk, Lab, Planned, unify};

fn write(lab: &Lab, name: &str, bytes: &[u8]) -> String {
    let path = lab.path(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A small root with a package and a machine id.
fn root(own: &str) -> Vec<u8> {
    let status = "Package: ssh\nStatus: install ok installed\nVersion: 1\nConffiles:\n /etc/ssh/config 0\n\n";
    archive(&[
        directory("./"),
        directory("./etc"),
        link(b'2', "./lib", "usr/lib"),
        file("./etc/machine-id", b"0123456789abcdef0123456789abcdef\n"),
        file("./etc/ssh/config", &[b'c'; 100]),
        file("./usr/lib/tool", &[b't'; 5000]),
        file("./usr/share/own", own.as_bytes()),
        file("./usr/share/near", &[b'n'; 300]),
        file("./var/lib/dpkg/status", status.as_bytes()),
    ])
}

#[test]
fn images_are_called_by_their_files() {
    let lab = lab!(Disk::Own);
    let web = write(&lab, "web.tar.gz", &gzip(&root("web")));
    let db = write(&lab, "db.tar", &root("db"));
    let plan = images(&lab, &[&web, &db]);
    let names: Vec<&str> = plan.json["guests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|guest| guest["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["db", "web"]);
    assert_eq!(
        plan.link("web", "/usr/lib/tool").unwrap()["reason"],
        "identical"
    );
    let config = plan.skip("web", "/etc/ssh/config").unwrap();
    assert_eq!(
        (&config["reason"], &config["per"]),
        (&"config-file".into(), &"dpkg".into())
    );
    assert_eq!(
        plan.json["summary"]["same_secrets"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let (out, _) = try_images(&lab, &[&web, &format!("web={db}")]);
    out.expect(2);
}

#[test]
fn an_image_comes_from_standard_input() {
    let lab = lab!(Disk::Own);
    let db = write(&lab, "db.tar", &root("db"));
    let plan = lab.path("plan.json");
    let run = |args: &[&str]| {
        let mut command = Command::new(BIN);
        command
            .args(["plan", "-o", plan.to_str().unwrap()])
            .args(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = zstd::encode_all(&root("web")[..], 3).unwrap();
        std::io::Write::write_all(&mut stdin, &bytes).ok();
        drop(stdin);
        let out = child.wait_with_output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, said) = run(&["web=-", &db]);
    assert_eq!(code, Some(0), "{said}");
    let read = Planned::read(&plan);
    assert_eq!(read.json["guests"][1]["root"], "/dev/stdin");
    assert!(read.link("web", "/usr/lib/tool").is_some());
    let told = unify(&["explain", "--plan", plan.to_str().unwrap(), "web:/lib/tool"]);
    assert!(told.expect(2).stderr.contains("plan the image as a file"));
    let (code, said) = run(&["-"]);
    assert!(code == Some(2) && said.contains("NAME=-"), "{said}");
    let (code, said) = run(&["a=-", "b=-"]);
    assert!(code == Some(2) && said.contains("given twice"), "{said}");
}

#[test]
fn an_image_is_compared_with_a_directory_only_in_an_audit() {
    let lab = lab!(Disk::Ext4);
    let web = write(&lab, "web.tar", &root("web"));
    let guest = lab.guest("db");
    let unpacked = Command::new("tar")
        .args(["-xf", &web, "-C"])
        .arg(guest.root())
        .status();
    assert!(unpacked.unwrap().success());
    std::fs::write(guest.host("/usr/share/near"), [b'n'; 300]).unwrap();
    let args = [&*web, &guest.arg()];
    let (out, _) = try_images(&lab, &args);
    assert!(out.expect(2).stderr.contains("--audit"));
    let plan = images(&lab, &[&["--audit"][..], &args].concat());
    let [one, other] =
        ["web", "db"].map(|name| plan.link(name, "/usr/lib/tool").unwrap()["object"].clone());
    assert_eq!(one, other);
    let near = &plan.json["summary"]["near_misses"]["all"]["files"];
    assert_eq!(*near, 1, "the time differs by more than a form can lose");
    let path = plan.path.to_str().unwrap();
    for args in [&["apply", "--yes", path][..], &["verify", path]] {
        unify(args).expect(5);
    }
    let told = unify(&["explain", "--plan", path, "web:/lib/tool"])
        .expect(0)
        .stdout;
    assert!(told.contains("db:/usr/lib/tool"), "{told}");
    let told = unify(&["explain", "--plan", path, "web:/etc/ssh/config"])
        .expect(0)
        .stdout;
    assert!(told.contains("dpkg"), "{told}");
    for view in [
        &["show", path][..],
        &["show", "--by", "package", path],
        &["show", "--json", path],
    ] {
        unify(view).expect(0);
    }
    unify(&["show", "--path", "/lib/*", path]).expect(0);
}

/// Times between two seconds that an archive has lost are nobody's miss, and that is said.
#[test]
fn what_a_form_cannot_hold_is_no_finding() {
    let lab = lab!(Disk::Ext4);
    let guest = lab.guest("db");
    for name in ["/usr/share/a", "/usr/share/b"] {
        guest.put(
            name,
            &crate::support::File::new(crate::support::content(name)).mtime(7, 5),
        );
    }
    let tar = lab.path("web.tar");
    let made = Command::new("tar")
        .args(["--format=gnu", "-cf"])
        .arg(&tar)
        .arg("-C")
        .arg(guest.root())
        .arg(".")
        .status();
    assert!(made.unwrap().success());
    let (out, plan) = try_images(&lab, &["--audit", tar.to_str().unwrap(), &guest.arg()]);
    let (said, plan) = (out.expect(0).stderr, plan.unwrap());
    assert!(
        plan.json["summary"]["near_misses"].is_null(),
        "{}",
        plan.json["summary"]
    );
    assert_eq!(plan.actions("link").len(), 0);
    assert!(
        said.contains("2 kinds of files differ from others only in what an image cannot hold"),
        "{said}"
    );
    assert_eq!(plan.json["guests"][1]["image"]["lacks"][0], "nanoseconds");
}

#[test]
fn other_forms_are_named_with_the_way_to_read_them() {
    let lab = lab!(Disk::Own);
    let squashfs = write(&lab, "a.sqfs", b"hsqs and more");
    let bzip2 = write(&lab, "a.tar.bz2", b"BZh91AY");
    let text = write(&lab, "a.txt", b"just text");
    for (path, words) in [
        (&squashfs, "sqfs2tar IMAGE | unify plan NAME=-"),
        (&bzip2, "bzip2 -dc IMAGE | unify plan NAME=-"),
        (&text, "an OCI layout or what `docker save` writes"),
    ] {
        let (out, _) = try_images(&lab, &[path]);
        let said = out.expect(2).stderr;
        assert!(said.contains(words), "{said}");
    }
    let packed = write(&lab, "b.gz", &gzip(b"just text"));
    let (out, _) = try_images(&lab, &[&packed]);
    out.expect(1);
}

/// A plan over an image would destroy it.
#[test]
fn a_plan_does_not_lie_on_its_image() {
    let lab = lab!(Disk::Own);
    let web = write(&lab, "web.tar", &root("web"));
    let before = std::fs::read(&web).unwrap();
    unify(&["plan", "-o", &web, &web]).expect(2);
    assert_eq!(std::fs::read(&web).unwrap(), before);
    assert!(Path::new(&web).exists());
}

/// Images of Incus and LXD have their root in `rootfs/`.
#[test]
fn the_root_of_an_incus_image_is_found() {
    let lab = lab!(Disk::Own);
    let status = b"Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n /etc/a 0\n\n";
    let bytes = archive(&[
        file("metadata.yaml", b"architecture: x86_64\n"),
        directory("templates"),
        file("rootfs/etc/a", b"config"),
        file("rootfs/usr/bin/tool", &[b't'; 100]),
        link(b'1', "rootfs/usr/bin/twin", "rootfs/usr/bin/tool"),
        file("rootfs/var/lib/dpkg/status", status),
    ]);
    let path = write(&lab, "incus.tar", &bytes);
    let plan = images(&lab, &[&path]);
    assert_eq!(plan.json["guests"][0]["image"]["form"], "incus-archive");
    assert_eq!(plan.json["guests"][0]["databases"][0]["manager"], "dpkg");
    let names = names_of(&plan);
    assert!(names.contains(&"usr/bin/twin".to_owned()), "{names:?}");
    assert_eq!(
        plan.skip("incus", "/etc/a").unwrap()["reason"],
        "config-file"
    );
    let half = write(
        &lab,
        "half.tar",
        &archive(&[file("metadata.yaml", b"a: b\n")]),
    );
    let (out, _) = try_images(&lab, &[&half]);
    assert!(
        out.expect(1)
            .stderr
            .contains("the first half of an Incus image")
    );
    let both = archive(&[
        file("oci-layout", b"{}"),
        directory("etc"),
        directory("usr"),
    ]);
    let both = write(&lab, "both.tar", &both);
    let (out, _) = try_images(&lab, &[&both]);
    assert!(out.expect(1).stderr.contains("tar: or oci-archive:"));
    images(&lab, &[&format!("tar:{both}")]);
}

/// Nobody needs to be root, and nothing is left behind.
#[test]
fn anybody_may_read_an_image() {
    let lab = lab!(Disk::Own);
    let web = write(&lab, "web.tar", &root("web"));
    let out = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", BIN])
        .args(["plan", "-o", "-", "web=-"])
        .stdin(std::fs::File::open(&web).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    if out.status.code() == Some(127) || out.status.code() == Some(126) {
        skip!("another user cannot run the program here: {said}");
    }
    assert_eq!(out.status.code(), Some(0), "{said}");
}
