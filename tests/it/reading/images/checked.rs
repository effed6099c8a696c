//! `check` of images: the same findings as of the directories that they are made of, and nothing that a form cannot
//! hold.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::archives::*;
use super::make_tar;
use crate::support::{Disk, File, Guest, Lab, Manager, alpine, debian, packaged, skipped, unify};

/// What should not be in guests, and what a pipeline has left of them: fewer bytes, for the test's time.
const FURNISH: &str = "
    mkdir -p usr/lib usr/bin usr/share
    rm -rf usr/share/locale usr/share/doc usr/share/man usr/share/i18n usr/lib/postgresql usr/lib/x86_64-linux-gnu/gconv
    rm -rf usr/share/perl usr/share/postgresql usr/share/zoneinfo var/lib/postgresql boot lib/modules usr/lib/llvm*
    find usr/lib -type f -size +300k -delete
    mkdir -p etc/ssh root/.ssh etc/nginx
    printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\\nx\\n' > etc/ssh/ssh_host_lab_key
    printf -- '-----BEGIN PRIVATE KEY-----\\ny\\n' > root/.ssh/id_lab
    cp -p root/.ssh/id_lab usr/own-key; ln usr/own-key root/.ssh/other
    printf '0123456789abcdef0123456789abcdef\\n' > etc/machine-id
    echo own > usr/bin/own; chmod 4755 usr/bin/own
    printf same > usr/share/mode; printf alike > usr/share/owner; printf like > usr/share/noted
    touch -d '2024-05-06 07:08:09.123456789' usr/share/mode usr/share/owner usr/share/noted
    setfattr -n user.note -v x usr/bin/own
";

/// What sets one apart from the others.
const DIFFERENT: &str = "
    chmod 0755 usr/share/mode; chown 7:8 usr/share/owner; setfattr -n user.note -v y usr/share/noted
    setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 usr/bin/own
    echo tampered >> usr/bin/ls; echo x > etc/nginx/nginx.conf; echo n > \"$(printf 'usr/share/n\\377')\"
";

fn shell(guest: &Guest, script: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-euc", script]).current_dir(guest.root());
    assert!(shell.status().unwrap().success(), "{script}");
}

/// Everything that a check says of guests, without what is counted by the blocks of a disk.
fn findings(args: &[String]) -> Vec<Value> {
    let options = [
        "check",
        "--json",
        "--golden",
        "web",
        "--min-share",
        "0.9",
        "--max-unique-bytes",
        "1M",
    ];
    let mut all: Vec<String> = options.map(str::to_owned).to_vec();
    all.extend_from_slice(args);
    let answer = unify(&all).expect(11).json();
    let mut found = answer["findings"].as_array().unwrap().clone();
    for one in &mut found {
        if one["rule"].as_str().unwrap().ends_with("-differs") {
            one.as_object_mut().unwrap().remove("sentence");
            one["facts"].as_object_mut().unwrap().remove("bytes");
        }
    }
    found
}

#[track_caller]
fn assert_same(one: &[Value], other: &[Value], what: &str) {
    let differs = one.iter().zip(other).find(|(a, b)| a != b);
    assert_eq!(differs, None, "{what}");
    assert_eq!(one.len(), other.len(), "{what}");
}

/// Guests of three kinds that their own tools have made; of Debian alone where there are no others.
fn guests(lab: &Lab) -> Vec<Guest> {
    let mut all: Vec<Guest> = debian(lab).into();
    for third in [alpine(lab, "alpine"), packaged(lab, "rpm", Manager::Rpm)] {
        match third {
            Ok(guest) => all.push(guest),
            Err(why) => skipped("the same findings of a guest that is no Debian", &why),
        }
    }
    all
}

#[test]
fn real_guests_have_the_same_findings_in_every_form() {
    let lab = lab!(Disk::Ext4);
    let all = guests(&lab);
    all.iter().for_each(|guest| shell(guest, FURNISH));
    shell(&all[1], DIFFERENT);
    let directories: Vec<String> = all.iter().map(Guest::arg).collect();
    let want = findings(&directories);
    for rule in [
        "shared-secret",
        "baked-identity",
        "file-modified",
        "file-unowned",
        "setuid-differs",
        "mode-differs",
        "owner-differs",
        "xattr-differs",
        "foreign-config",
        "budget-exceeded",
        "drift-from-golden",
        "name-unusable",
    ] {
        assert!(want.iter().any(|one| one["rule"] == rule), "{rule}");
    }
    let forms: Vec<[String; 3]> = all
        .iter()
        .enumerate()
        .map(|(number, guest)| in_all_forms(&lab, guest, number == 0))
        .collect();
    for (number, form) in ["tar", "OCI", "docker save"].iter().enumerate() {
        let args: Vec<String> = forms.iter().map(|of| of[number].clone()).collect();
        assert_same(&want, &findings(&args), form);
    }
}

/// The guest as a tar archive, as an OCI layout in a directory or an archive, and as `docker save` writes it. The last
/// of three layers takes away what the first has too much.
fn in_all_forms(lab: &Lab, guest: &Guest, is_directory: bool) -> [String; 3] {
    let name = guest.name();
    let [tar, layout, save] =
        ["tar", "oci", "saved"].map(|form| lab.path(&format!("{name}.{form}")));
    make_tar(guest.root(), &tar, &[]);
    let more = archive(&[file("usr/share/too-much", b"x")]);
    let less = archive(&[file("usr/share/.wh.too-much", b"")]);
    let layers = [more, std::fs::read(&tar).unwrap(), less];
    let one = [Image {
        name: "guest:1",
        platform: "linux/amd64",
        layers: &layers,
    }];
    match is_directory {
        true => write_layout(&layout, &oci_layout(&one)),
        false => std::fs::write(&layout, packed(&oci_layout(&one))).unwrap(),
    }
    std::fs::write(&save, packed(&saved(&one))).unwrap();
    [tar, layout, save].map(|path| format!("{name}={}", path.display()))
}

fn write_layout(place: &Path, layout: &Layout) {
    for (path, bytes) in layout {
        let path = place.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// An archive that has lost attributes and times between two seconds: that is no finding, and is said.
#[test]
fn what_a_form_cannot_hold_is_no_finding_of_a_check() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[(
        "/usr/share/x",
        File::new("x").mtime(5, 7).xattr("user.x", b"1"),
    )]);
    let tar = lab.path("web.tar");
    make_tar(web.root(), &tar, &["--format=gnu", "--no-xattrs"]);
    let web = format!("web={}", tar.display());
    let answer = unify(&["check", "--json", "--not-a-root", &web, &db.arg()])
        .expect(0)
        .json();
    assert_eq!(answer["findings"], serde_json::json!([]));
    let rules = answer["rules"].as_array().unwrap();
    let xattr = rules
        .iter()
        .find(|rule| rule["rule"] == "xattr-differs")
        .unwrap();
    assert_eq!(xattr["not_asked_of"][0]["guest"], "web", "{xattr}");
}

/// What programs unpack in different ways is a finding of its own, and reports are written all the same; so is an
/// archive that is cut short. Neither passes, whatever is known.
#[test]
fn an_archive_that_is_not_read_does_not_pass() {
    let lab = lab!(Disk::Own);
    let good = archive(&[directory("etc"), file("usr/a", b"a")]);
    std::fs::write(lab.path("good.tar"), good).unwrap();
    let size = octal(512);
    let header = Header {
        size: &size,
        ..Header::of(b'5', b"usr")
    };
    let hidden = [header.block(), file("usr/evil", b"evil")].concat();
    let cut = archive(&[file("usr/a", &[b'a'; 4000])]);
    for (name, bytes, rule, code) in [
        (
            "hidden",
            archive(&[hidden]),
            "archive-ambiguous",
            "ambiguous-archive",
        ),
        ("cut", cut[..2048].to_vec(), "input-unread", "bad-image"),
    ] {
        std::fs::write(lab.path(&format!("{name}.tar")), bytes).unwrap();
        does_not_pass(&lab, name, rule, code);
    }
}

fn does_not_pass(lab: &Lab, name: &str, rule: &str, code: &str) {
    let path = |name: &str| lab.path(name).to_str().unwrap().to_owned();
    let (good, bad) = (path("good.tar"), path(&format!("{name}.tar")));
    let (sarif, known, plan) = (path("s.sarif"), path("known"), path("p.json"));
    let reports = [
        format!("--format=sarif={sarif}"),
        format!("--write-baseline={known}"),
    ];
    let args = ["check", "--json", &reports[0], &reports[1], &good, &bad];
    let answer = unify(&args).expect(3).json();
    assert_eq!(answer["findings"][0]["rule"], rule);
    assert_eq!(answer["findings"][0]["places"][0]["guest"], name);
    assert!(
        !answer.to_string().contains(&bad),
        "a path of this host: {answer}"
    );
    assert_eq!(answer["guests"].as_array().unwrap().len(), 2);
    let text = std::fs::read_to_string(sarif).unwrap();
    assert!(
        text.contains(rule) && text.contains("\"executionSuccessful\":false"),
        "{text}"
    );
    unify(&["check", "--baseline", &known, &good, &bad]).expect(3);
    let out = unify(&["plan", "--json", "-o", &plan, &good, &bad]).expect(1);
    assert!(out.stdout.contains(code), "{}", out.stdout);
}
