//! The sample plans in `examples/plans` are what the program writes: each scene is made, planned where the sample says
//! that it lies, and every word of the two is compared. The README shows the report of one, and the guide all of it.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{BIN, Disk, File, Guest, Lab, content};

/// Values that are others on another machine, at another time or on another disk, and the seals, which cover them.
/// Nor is any other kernel asked why a protection was taken.
const DIFFER: [&str; 7] = ["created", "host", "dev", "ino", "ctime", "seal", "why"];

/// The modification time of all files of the scenes.
const OLD: i64 = 1_743_379_200;

fn file(content: impl Into<Vec<u8>>) -> File {
    File::new(content).mtime(OLD, 0)
}

/// So many bytes.
fn bytes(seed: &str, length: usize) -> Vec<u8> {
    let line = format!("{seed}\n");
    line.bytes().cycle().take(length).collect()
}

/// Runs a command, which has no blanks in its words, where the lab's guests are `/srv/guests`: in a mount
/// namespace that ends with it.
#[track_caller]
fn in_srv(lab: &Lab, line: &str) -> String {
    let script = "mount -t tmpfs tmpfs /srv && mkdir /srv/guests && mount --bind guests /srv/guests && exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, BIN])
        .args(line.split_whitespace())
        .current_dir(lab.path(""))
        .stdin(std::process::Stdio::null());
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(matches!(out.status.code(), Some(0 | 3)), "{line}: {said}");
    said.into_owned()
}

/// A database of dpkg with two packages, of which one has a config file.
pub fn dpkg(guest: &Guest) {
    let package = |name: &str, version: &str, more: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nMaintainer: Lab <lab@example.invalid>\n\
             Architecture: amd64\nVersion: {version}\n{more}Description: lab\n"
        )
    };
    let config = "Conffiles:\n /etc/ssh/ssh_config 00000000000000000000000000000000\n";
    let client = package("openssh-client", "1:9.2p1-2+deb12u5", config);
    let perl = package("perl-base", "5.36.0-7+deb12u2", "");
    for (path, text) in [
        ("status", format!("{client}\n{perl}")),
        (
            "info/openssh-client.conffiles",
            "/etc/ssh/ssh_config\n".into(),
        ),
        (
            "info/openssh-client.list",
            "/.\n/etc/ssh/ssh_config\n".into(),
        ),
        (
            "info/perl-base.list",
            "/.\n/usr/bin/perl\n/usr/bin/perl5.36.0\n".into(),
        ),
    ] {
        guest.put(format!("/var/lib/dpkg/{path}"), &file(text));
    }
    guest.dir("/var/lib/dpkg/updates");
}

/// The scene of `two-guests.json`.
fn two_guests(lab: &Lab) {
    let [db, web] = ["db1", "web1"].map(|name| {
        let guest = lab.guest(name);
        dpkg(&guest);
        guest.put("/usr/bin/perl", &file(bytes("perl", 3_902_000)).mode(0o755));
        guest.hard_link("/usr/bin/perl", "/usr/bin/perl5.36.0");
        guest
    });
    db.put("/etc/ssh/ssh_config", &file(bytes("ssh", 1650)));
    db.put("/usr/share/doc/db", &file(bytes("db", 2096)));
    for number in 0..968 {
        let path = format!("/var/lib/postgresql/15/main/base/{number}");
        db.put(path, &file(bytes(&number.to_string(), 8192)));
    }
    web.put("/usr/bin/su", &file(bytes("su", 72_000)).mode(0o4755));
    web.put("/usr/share/doc/web", &file(bytes("web", 2000)));
}

#[test]
fn two_guests_are_planned_as_the_readme_shows() {
    let lab = lab!(Disk::Ext4);
    two_guests(&lab);
    let line = "plan -o plan.json web=/srv/guests/web1 db=/srv/guests/db1";
    let report = in_srv(&lab, line);
    let readme = super::pages::readme();
    assert!(readme.text.contains(&format!("$ unify {line}\n")), "{line}");
    let shown = readme.blocks("text").into_iter().next().unwrap();
    assert!(
        without_digest(&report) == without_digest(&shown),
        "the README's report is not what the program prints:\n{report}"
    );
    assert_is_the_sample(&lab, "two-guests.json", str::to_owned);
}

/// The digest covers inodes and times, which are others here.
fn without_digest(report: &str) -> String {
    let report = report.trim_end();
    let Some((before, rest)) = report.split_once("(content sha256:") else {
        return report.to_owned();
    };
    before.to_owned() + rest.split_once(')').unwrap().1
}

/// Choices of both plans of that sample.
const CHOSEN: &str = "--protect none --protect none --objects copy --ignore mtime";

/// The scene of `every-field.json`: a guest with a damaged database, and two that have shared something before.
fn every_field(lab: &Lab) {
    let [broken, old, web] = ["broken", "old", "web1"].map(|name| lab.guest(name));
    let status = "Package: perl-base\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\nno field\n";
    broken.put("/var/lib/dpkg/status", &file(status));
    shared_before(lab, &old, &web);
    for guest in [&old, &web] {
        guest.put("/usr/share/café", &file(content("café")));
        guest.put("/usr/share/line\nbreak", &file(content("line")));
    }
    let latin = std::ffi::OsStr::from_bytes(b"/usr/share/caf\xe9 latin");
    web.hard_link("/usr/share/café", latin);
    web.put("/usr/share/doc/x", &file(bytes("doc", 12)));
    web.put("/etc/kept", &file(bytes("kept", 4097)));
    web.hard_link("/etc/kept", "/usr/share/zzz");
}

/// Both shared two files: `old` still shares the one, `web` the other, and `web` has its first anew.
fn shared_before(lab: &Lab, old: &Guest, web: &Guest) {
    let (small, zz) = (file(bytes("small", 100)), file(bytes("zz", 4097)));
    for guest in [old, web] {
        guest.put("/usr/share/small", &small);
        guest.put("/usr/share/zz", &zz);
    }
    let guests = "old=/srv/guests/old web=/srv/guests/web1";
    in_srv(lab, &format!("plan {CHOSEN} -o first.json {guests}"));
    in_srv(lab, "apply --yes first.json");
    for (guest, name) in [(old, "zz"), (web, "small")] {
        std::fs::remove_file(guest.host(format!("/usr/share/{name}"))).unwrap();
    }
    web.put("/usr/share/small", &small);
}

#[test]
fn every_field_is_as_it_is_written() {
    let lab = lab!(Disk::Ext4);
    every_field(&lab);
    let list = "# in vhashify's syntax\n\n+/srv/*\n";
    std::fs::write(lab.path("unify-exclude"), list).unwrap();
    let more = "--allow privileged --skips all --min-size 1 --exclude /usr/share/doc/** --exclude-from unify-exclude";
    let guests = "broken=/srv/guests/broken old=/srv/guests/old web=/srv/guests/web1";
    in_srv(&lab, &format!("plan {CHOSEN} {more} -o plan.json {guests}"));
    assert_is_the_sample(&lab, "every-field.json", reviewed);
}

/// What a reviewer did to that sample: a note, and a link that is held back.
fn reviewed(plan: &str) -> String {
    let held = r#"{"action":"skip","guest":"web","path":"/usr/share/line\nbreak","reason":"held","note":"wait for the next release"},"#;
    let line = |line: &str| {
        let begins = |path: &str| {
            line.starts_with(&format!(
                r#"{{"action":"link","guest":"web","path":"{path}""#
            ))
        };
        if begins(r"/usr/share/line\nbreak") {
            held.to_owned()
        } else if begins("/usr/share/café") {
            line.replace(r#""before""#, r#""note":"seen by Ada, fine","before""#)
        } else {
            line.to_owned()
        }
    };
    plan.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Is the lab's plan the sample, but for what must differ?
#[track_caller]
fn assert_is_the_sample(lab: &Lab, name: &str, edited: fn(&str) -> String) {
    let written = edited(&std::fs::read_to_string(lab.path("plan.json")).unwrap());
    let sample = std::fs::read_to_string(top("examples/plans").join(name)).unwrap();
    let same = without_what_differs(&written) == without_what_differs(&sample);
    assert!(
        same,
        "examples/plans/{name} is not what the program writes:\n{written}"
    );
}

fn top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn without_what_differs(plan: &str) -> String {
    let mut text = plan.trim_end().to_owned();
    for mark in DIFFER
        .iter()
        .flat_map(|key| [format!("\"{key}\":\""), format!("\"{key}\": \"")])
    {
        let mut parts = text.split(&*mark);
        let mut rest = parts.next().unwrap().to_owned();
        for part in parts {
            rest += &mark;
            rest += part.split_once('"').unwrap().1;
        }
        text = rest;
    }
    text
}
