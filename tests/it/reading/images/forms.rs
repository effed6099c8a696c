//! The same plan from a directory and from every form of image that is made of it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::archives::*;
use super::{images, make_tar as tar};
use crate::support::{Disk, Guest, Planned, content, debian};

/// Packs a file by a program of the machine; the path of what comes of it.
fn by(program: &str, path: &Path, ending: &str) -> String {
    let packed = format!("{}{ending}", path.display());
    let out = std::fs::File::create(&packed).unwrap();
    let done = Command::new(program)
        .args(["-1", "-c"])
        .arg(path)
        .stdout(out)
        .status();
    assert!(done.unwrap().success(), "{program}");
    packed
}

/// What a plan says of names, without what depends on how blocks are counted.
fn said(plan: &Planned) -> Vec<Value> {
    let mut lines = plan.json["actions"].as_array().unwrap().clone();
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        for key in ["saves", "seal"] {
            line.remove(key);
        }
    }
    lines
}

#[track_caller]
fn assert_same(one: &Planned, other: &Planned, what: &str) {
    assert_eq!(
        one.json["digest"]["decision"], other.json["digest"]["decision"],
        "{what}"
    );
    let (one_said, other_said) = (said(one), said(other));
    let differs = one_said.iter().zip(&other_said).find(|(a, b)| a != b);
    assert_eq!(differs, None, "{what}");
    assert_eq!(one_said.len(), other_said.len(), "{what}");
    for key in ["skipped", "same_secrets"] {
        assert_eq!(
            one.json["summary"][key], other.json["summary"][key],
            "{what}: {key}"
        );
    }
    let databases = |plan: &Planned| {
        let guests = plan.json["guests"].as_array().unwrap().clone();
        let all = guests.iter().map(|guest| guest["databases"].clone());
        all.collect::<Vec<Value>>()
    };
    assert_eq!(databases(one), databases(other), "{what}");
}

/// Two real guests: as directories, as archives, and one of them in layers.
#[test]
fn debian_guests_have_one_plan_in_every_form() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = debian(&lab);
    let directories = images(&lab, &["--audit", &web.arg(), &db.arg()]);
    assert!(directories.actions("link").len() > 1000);
    let layer = lab.path("layer.tar");
    tar(web.root(), &layer, &[]);
    let whole = images(
        &lab,
        &["--audit", &format!("web={}", layer.display()), &db.arg()],
    );
    assert_same(&directories, &whole, "tar");
    // What the second layer removes is all that it has.
    let bytes = std::fs::read(&layer).unwrap();
    let added = archive(&[
        file("usr/share/added", b"by the first"),
        file("var/lib/added/f", b"too"),
    ]);
    let removed = archive(&[
        file("usr/share/.wh.added", b""),
        file("var/lib/.wh.added", b""),
    ]);
    let layers = [added, bytes, removed];
    let one = [Image {
        name: "web:1",
        platform: "linux/amd64",
        layers: &layers,
    }];
    for (name, layout) in [("oci", oci_layout(&one)), ("saved", saved(&one))] {
        let path = lab.path(&format!("{name}.tar"));
        std::fs::write(&path, packed_layout(&layout)).unwrap();
        let plan = images(
            &lab,
            &["--audit", &format!("web={}", path.display()), &db.arg()],
        );
        assert_same(&directories, &plan, name);
    }
}

fn packed_layout(layout: &Layout) -> Vec<u8> {
    packed(layout)
}

/// A guest with what archives write in their own ways: times, attributes, holes, links, odd names.
fn furnish(guest: &Guest) {
    let script = "
        set -eu
        mkdir -p usr/share/deep/er etc 'usr/share/ odd'
        head -c 300000 /dev/zero | tr '\\0' x > usr/share/large
        truncate -s 3M usr/share/holes; printf end >> usr/share/holes
        printf data | dd of=usr/share/holes bs=1 seek=1000000 conv=notrunc status=none
        printf a > \"$(printf 'usr/share/ odd/new\\nline')\"
        printf b > \"$(printf 'usr/share/ odd/\\377')\"
        ln usr/share/large usr/share/deep/er/twin
        ln -s ../share usr/share/deep/link
        setfattr -n user.note -v \"$(printf 'two\\nlines')\" usr/share/large
        touch -d '1965-01-01 00:00:00.5' usr/share/deep/old
        printf old > usr/share/deep/old; touch -d '1965-01-01 00:00:00.5' usr/share/deep/old
        printf new > usr/share/new; touch -d '2024-05-06 07:08:09.123456789' usr/share/new
        n=$(printf 'n%.0s' $(seq 200)); mkdir -p usr/share/$n; printf long > usr/share/$n/$n
        chown 70000:4000000000 usr/share/new
        find . -type f -newer usr/share/new -exec touch -d '2020-01-02 03:04:05.000000007' {} +
    ";
    let done = Command::new("sh")
        .args(["-c", script])
        .current_dir(guest.root())
        .status();
    assert!(done.unwrap().success());
}

#[test]
fn every_dialect_of_tar_says_the_same() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    [&web, &db].into_iter().for_each(furnish);
    web.put("/usr/share/own", &crate::support::File::new(content("web")));
    let directories = images(&lab, &["--audit", &web.arg(), &db.arg()]);
    assert!(directories.actions("link").len() >= 10);
    let path = lab.path("web.tar");
    for more in [
        &[][..],
        &["--sparse"],
        &["--sparse", "--sparse-version=0.1"],
        &["--sparse", "--sparse-version=0.0"],
    ] {
        tar(web.root(), &path, more);
        let plan = images(
            &lab,
            &["--audit", &format!("web={}", path.display()), &db.arg()],
        );
        assert_same(&directories, &plan, &format!("{more:?}"));
    }
    tar(web.root(), &path, &[]);
    for (program, ending) in [("gzip", ".gz"), ("xz", ".xz"), ("zstd", ".zst")] {
        let packed = by(program, &path, ending);
        let plan = images(&lab, &["--audit", &format!("web={packed}"), &db.arg()]);
        assert_same(&directories, &plan, program);
    }
}

/// Databases of other package managers are found in archives as in directories.
#[test]
fn package_databases_are_asked_in_archives() {
    let lab = lab!(Disk::Own);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests");
    for manager in ["apk", "opkg", "pacman", "portage", "slackware", "xbps"] {
        let root = data.join(manager).join("root");
        if !root.is_dir() {
            continue;
        }
        let path = lab.path(&format!("{manager}.tar"));
        tar(&root, &path, &[]);
        let options = ["--audit", "--not-a-root"];
        let of = |guest: String| images(&lab, &[&options[..], &[&guest]].concat());
        let directory = of(format!("g={}", root.display()));
        let archive = of(format!("g={}", path.display()));
        assert!(
            !directory.json["guests"][0]["databases"]
                .as_array()
                .unwrap()
                .is_empty(),
            "{manager}"
        );
        assert_same(&directory, &archive, manager);
    }
}
