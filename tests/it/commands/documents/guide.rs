//! Every command of the README and of the guide runs, every link leads somewhere, and every message that is explained
//! is one of the program's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::pages::{self, Page, TOP};
use super::sample_plans::dpkg;
use crate::support::{BIN, Disk, File, Guest, Lab, content};

/// Where the pages install things, and where they lie while a page is tried.
const PLACES: &[(&str, &str)] = &[
    ("/var/lib/lxc", "/srv/lxc"),
    ("/var/lib/machines", "/srv/machines"),
    ("/usr/local/share/man/man8", "/srv/man8"),
    ("/etc/", "/srv/etc/"),
];

/// What the pages call that this machine may lack, or that shall not be called here.
const STUBS: &[&str] = &["systemctl", "systemd-escape", "chroot"];

/// Two guests with what all pages speak of, at these paths in the lab.
fn guests(lab: &Lab, roots: &[&str]) {
    for root in roots {
        let path = lab.path(root);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let guest = lab.guest("fresh");
        whole(&guest);
        std::fs::rename(guest.root(), path).unwrap();
    }
}

/// A guest with programs, a config file, a key, and a program that differs from the others' by its mode alone.
fn whole(guest: &Guest) {
    for (seed, path) in [
        "/usr/bin/perl",
        "/usr/share/perl5/POSIX.pod",
        "/usr/lib/libz.so.1",
    ]
    .iter()
    .enumerate()
    {
        guest.put(path, &File::new(content(seed)));
    }
    dpkg(guest);
    guest.put("/etc/ssh/ssh_config", &File::new("Host *\n"));
    guest.put("/usr/lib/os-release", &File::new("ID=debian\n"));
    guest.hard_link("/usr/bin/perl", "/usr/bin/perl5.36.0");
}

/// A fresh place as the pages suppose it: guests in `/srv/guests`, `/var/lib/lxc` and `/var/lib/machines`.
fn lay_out(lab: &Lab) {
    guests(
        lab,
        &[
            "guests/web1",
            "guests/web2",
            "guests/db1",
            "lxc/c1/rootfs",
            "lxc/c2/rootfs",
            "machines/m1",
            "machines/m2",
        ],
    );
    std::fs::create_dir_all(lab.path("work")).unwrap();
    std::os::unix::fs::symlink(Path::new(TOP).join("examples"), lab.path("work/examples")).unwrap();
    std::fs::create_dir_all(lab.path("bin")).unwrap();
    std::os::unix::fs::symlink(BIN, lab.path("bin/unify")).unwrap();
    for stub in STUBS {
        std::os::unix::fs::symlink("/bin/true", lab.path("bin").join(stub)).unwrap();
    }
}

/// Runs the commands of a page one after the other in one shell, which stops at the first that fails.
fn run(lab: &Lab, commands: &[String]) -> Output {
    let mut script = "mount -t tmpfs tmpfs /srv\n".to_owned();
    for dir in ["guests", "lxc", "machines"] {
        script += &format!(
            "mkdir /srv/{dir}; mount --bind '{0}/{dir}' /srv/{dir}\n",
            lab.path("").display()
        );
    }
    script += "mkdir -p /srv/etc/systemd/system; cd work\n";
    for command in commands {
        let mut command = command.clone();
        for (place, here) in PLACES {
            command = command.replace(place, here);
        }
        script += &format!(
            "{{ {command}\n}} || {{ echo 'FAILED:' >&2; cat >&2 << 'END'\n{command}\nEND\nexit 1; }}\n"
        );
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("unshare");
    shell
        .args(["--mount", "bash", "-euo", "pipefail", "-c", &script])
        .current_dir(lab.path(""))
        .env("PATH", format!("{}:{path}", lab.path("bin").display()))
        .env("EDITOR", "true")
        .stdin(std::process::Stdio::null());
    shell.output().unwrap()
}

#[test]
fn the_commands_of_all_pages_run() {
    // A disk of its own: to a run in a mount namespace of its own, whoever is on the same disk may be in any guest.
    let (usual, of_reflinks) = (lab!(Disk::Ext4), lab!(Disk::Xfs));
    let mut seen = BTreeSet::new();
    for page in pages::all() {
        let commands = page.commands();
        if commands.is_empty() {
            continue;
        }
        let disk = match page.name() {
            "reflinks" => &of_reflinks,
            _ => &usual,
        };
        let lab = disk.part(page.name());
        lay_out(&lab);
        let out = run(&lab, &commands);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{:?}\n{said}", page.path);
        let words = commands
            .iter()
            .flat_map(|line| line.split("unify ").skip(1));
        seen.extend(words.map(|rest| rest.split(' ').next().unwrap().to_owned()));
        left_by(&page, &lab);
    }
    let wanted = [
        "plan",
        "show",
        "diff",
        "explain",
        "apply",
        "verify",
        "status",
        "undo",
        "clone",
        "forget",
        "maintain",
        "thaw",
        "refreeze",
        "protect",
        "gc",
        "recover",
        "rules",
        "doctor",
        "man",
        "completions",
    ];
    for word in wanted {
        assert!(seen.contains(word), "no page shows `unify {word}`");
    }
}

/// What the disk looks like after the commands of some pages.
fn left_by(page: &Page, lab: &Lab) {
    match page.name() {
        "README" => assert_eq!(lab.objects().len(), 0, "gc removed what undo left"),
        "undo" => assert!(!lab.base().exists(), "the base is gone for good"),
        "life" => {
            assert!(!lab.guests().join("web2").exists(), "web2 was deleted");
            let nlink = crate::support::nlink(&lab.guests().join("shop/usr/bin/perl"));
            assert!(nlink > 4, "the moved guest and the clones share: {nlink}");
        }
        _ => {}
    }
}

/// A command that no test runs may stand in no block as if one did; with `…` it is a pattern.
#[test]
fn commands_stand_in_console_blocks() {
    let mut wrong = Vec::new();
    for page in pages::all() {
        for block in page.blocks("text") {
            let lines = block.lines().filter(|line| {
                let command = line.strip_prefix("unify ").or(line.strip_prefix("$ "));
                command.is_some_and(|rest| !rest.contains('…') && !rest.contains("BASE"))
            });
            wrong.extend(lines.map(|line| format!("{:?}: {line}", page.path)));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// `[words](file#heading)` of all pages, with where the file lies.
fn links(page: &Page) -> Vec<(PathBuf, Option<String>)> {
    let dir = page.path.parent().unwrap();
    let targets = page.text.split("](").skip(1);
    let targets = targets.map(|rest| rest.split(')').next().unwrap());
    let here = targets.filter(|target| !target.contains("://"));
    here.map(|target| {
        let (file, heading) = match target.split_once('#') {
            Some((file, heading)) => (file, Some(heading.to_owned())),
            None => (target, None),
        };
        let path = if file.is_empty() {
            page.path.clone()
        } else {
            dir.join(file)
        };
        (path, heading)
    })
    .collect()
}

/// As web pages name a heading: small letters, blanks as hyphens, nothing else.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in pages::all() {
        for (path, heading) in links(&page) {
            let text = std::fs::read_to_string(Path::new(TOP).join(&path)).unwrap_or_default();
            let is_there = heading
                .as_ref()
                .is_none_or(|heading| anchors(&text).contains(heading));
            if text.is_empty() || !is_there {
                wrong.push(format!("{:?}: {} {heading:?}", page.path, path.display()));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    let readme = pages::readme();
    for page in pages::all().iter().skip(1) {
        let name = page.path.to_str().unwrap();
        assert!(
            readme.text.contains(&format!("]({name})")),
            "the README names {name}"
        );
    }
}

/// The texts of all Rust sources, with strings that go over several lines in one piece.
fn sources(dir: &Path, all: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let mut lines = text.split("\\\n");
            *all += lines.next().unwrap_or_default();
            lines.for_each(|line| *all += line.trim_start());
        }
    }
}

#[test]
fn messages_that_are_explained_are_said() {
    let pages = pages::all();
    let page = pages
        .iter()
        .find(|page| page.path.ends_with("troubleshooting.md"))
        .unwrap();
    let (_, ours) = page.text.split_once("\n## ").unwrap();
    let mut said = String::new();
    sources(&Path::new(TOP).join("src"), &mut said);
    let mut headings = 0;
    for line in ours.lines().filter(|line| line.starts_with("### `")) {
        // dpkg, rm and the shell say these.
        if line.contains("Operation not permitted") {
            continue;
        }
        headings += 1;
        let message = line.trim_start_matches("### `").trim_end_matches('`');
        for part in message
            .split('…')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            assert!(said.contains(part), "nothing says {part:?}");
        }
    }
    assert!(headings > 20, "{headings}");
}
