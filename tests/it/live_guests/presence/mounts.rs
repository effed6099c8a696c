//! Mounts by which somebody reaches a guest, and what the kernel itself uses of it.

use std::path::Path;
use std::process::Command;

use super::{assert_left_alone, assert_refused, runs, shared, two, unshared};
use crate::support::{BIN, Disk, File, Lab, Planned, content, id, unify};

fn assert_mounted(lab: &Lab, script: &str, args: &[&Path], why: &str) {
    let [web, db] = two(lab);
    let Some(process) = unshared(script, args) else {
        skip!("this machine cannot mount that");
    };
    assert_left_alone(lab, [&web, &db], process, why);
}

#[test]
fn a_part_of_it_mounted_elsewhere() {
    let lab = lab!(Disk::Own);
    let usr = lab.guests().join("db/usr");
    let script = r#"mount --bind "$1" /mnt"#;
    assert_mounted(&lab, script, &[&usr], "in another mount namespace, at /mnt");
}

/// The container that reaches all guests, by the directory that they lie in. The base is not there.
#[test]
fn the_directory_above_it_mounted_elsewhere() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let script = r#"mount --bind "$1" /mnt"#;
    let Some(process) = unshared(script, &[&lab.guests()]) else {
        skip!("this machine has no mount namespaces");
    };
    let (base, path) = (lab.path("base"), lab.path("plan.json"));
    let (web_arg, db_arg) = (web.arg(), db.arg());
    let (base, path) = (base.to_str().unwrap(), path.to_str().unwrap());
    unify(&["plan", "--base", base, "-o", path, &web_arg, &db_arg]).expect(0);
    let plan = Planned::read(path.as_ref());
    assert!(runs(&plan, "db") && runs(&plan, "web"));
    let out = plan.apply().expect(4);
    let why = "in another mount namespace, at /mnt";
    assert!(out.stderr.contains(why), "{}", out.stderr);
    assert!(!shared([&web, &db]));
    drop(process);
    plan.apply().expect(0);
    assert!(shared([&web, &db]));
}

#[test]
fn a_layer_of_an_overlay() {
    for (layer, path) in [
        ("lowerdir", "db"),
        ("upperdir", "db"),
        ("lowerdir", "db/usr"),
    ] {
        let lab = lab!(Disk::Ext4);
        let layers = match layer {
            "upperdir" => r#"lowerdir=$2/lower,upperdir=$1,workdir=$2/work"#,
            _ => r#"lowerdir=$1:$2/lower"#,
        };
        let script =
            format!(r#"mkdir -p "$2/lower" "$2/work" && mount -t overlay o -o "{layers}" /mnt"#);
        let tree = lab.guests().join(path);
        assert_mounted(&lab, &script, &[&tree, &lab.path("")], layer);
    }
}

/// Given from a working directory that nobody knows. The names are those of no other test's guests, which it would be
/// said of as well.
#[test]
fn a_layer_by_a_relative_path() {
    let lab = lab!(Disk::Ext4);
    let script = r#"cd "$1" && mount -t overlay o -o lowerdir=layered-db:layered-web/usr /mnt"#;
    let [web, db, third] = ["layered-web", "layered-db", "third"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/share/f", &File::new(content(1)));
        guest
    });
    let Some(process) = unshared(script, &[&lab.guests()]) else {
        skip!("this machine has no overlays");
    };
    let plan = lab.plan(&[&web, &db, &third], &[]);
    assert!(runs(&plan, "layered-db") && runs(&plan, "layered-web"));
    assert!(!runs(&plan, "third"), "no layer is called so");
    drop(process);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
}

/// A name with what keeps layers apart, and options.
#[test]
fn a_layer_with_a_colon_and_a_comma_in_its_name() {
    let lab = lab!(Disk::Ext4);
    let guests = ["a,b:c d", "web"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/share/f", &File::new(content(1)));
        guest
    });
    let script =
        r#"mkdir "$1/low" && mount -t overlay o -o "lowerdir=$1/guests/a\\,b\:c d:$1/low" /mnt"#;
    let Some(process) = unshared(script, &[&lab.path("")]) else {
        skip!("this machine cannot mount that");
    };
    let args = ["db=", "web="].into_iter().zip(&guests);
    let args: Vec<String> = args
        .map(|(name, g)| format!("{name}{}", g.root().display()))
        .collect();
    let path = lab.path("plan.json");
    let mut plan = vec!["plan", "--output", path.to_str().unwrap()];
    plan.extend(args.iter().map(String::as_str));
    unify(&plan).expect(0);
    let plan = Planned::read(&path);
    assert!(runs(&plan, "db") && !runs(&plan, "web"));
    drop(process);
}

/// In our own namespace, with nobody in it.
#[test]
fn an_overlay_of_our_own() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = two(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let lower = lab.path("lower");
    std::fs::create_dir(&lower).unwrap();
    let layers = format!("lowerdir={}:{}", db.root().display(), lower.display());
    let script = r#"mount -t overlay o -o "$1" /mnt || exit 77; shift; exec "$@""#;
    let out = Command::new("unshare")
        .args([
            "--mount", "sh", "-c", script, "sh", &layers, BIN, "apply", "--yes",
        ])
        .arg(&plan.path)
        .output()
        .unwrap();
    if out.status.code() == Some(77) {
        skip!("this machine has no overlays");
    }
    assert_eq!(out.status.code(), Some(4), "{out:?}");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("its lowerdir is"), "{said}");
    assert!(!shared([&web, &db]));
    plan.apply().expect(0);
}

/// A file of the guest is the disk of a loop device.
#[test]
fn a_backing_file_of_a_loop_device() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let image = db.host("/usr/disk.img");
    std::fs::write(&image, vec![0; 1 << 20]).unwrap();
    let device = Command::new("losetup")
        .args(["-f", "--show"])
        .arg(&image)
        .output();
    let device = device.ok().filter(|out| out.status.success());
    let Some(device) = device.map(|out| String::from_utf8(out.stdout).unwrap()) else {
        skip!("this machine has no loop device to spare");
    };
    let plan = lab.plan(&[&web, &db], &[]);
    assert!(runs(&plan, "db"));
    assert_refused(&lab, [&web, &db], &plan, "a block device has");
    let done = Command::new("losetup").args(["-d", device.trim()]).status();
    assert!(done.unwrap().success());
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    assert_eq!(id(&web.host("/usr/share/f")), id(&db.host("/usr/share/f")));
}
