//! A guest is thawed for a command, and shares again what is equal afterwards. Other guests see nothing of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{FILES, alike, are_protected};
use crate::support::{
    BIN, Disk, File, Guest, Lab, Listing, Out, assert_same, content, debian, id, unify_with,
};

/// Makes `who` maintain, under a command that is run by a shell.
pub(super) fn maintain(lab: &Lab, options: &[&str], who: &str, script: &str) -> Out {
    maintain_while(lab, &[], options, who, script)
}

fn maintain_while(
    lab: &Lab,
    env: &[(&str, &str)],
    options: &[&str],
    who: &str,
    script: &str,
) -> Out {
    let base = lab.base();
    let base = base.to_str().unwrap();
    let before = ["maintain", "--base", base];
    let after = [who, "--", "sh", "-c", script];
    unify_with(env, &[&before[..], options, &after].concat())
}

pub(super) fn shared(guests: &[Guest; 3], path: &str) -> bool {
    let [a, b, c] = guests;
    let one = id(&a.host(path));
    one == id(&b.host(path)) && one == id(&c.host(path))
}

pub(super) fn is_maintained(lab: &Lab) -> bool {
    let status = lab.on_base("status", &["--json"]).json();
    let all = status["maintained"].as_array().unwrap();
    assert!(all.len() <= 1);
    let listed = all.iter().any(|one| one["name"] == "a");
    assert_eq!(listed, lab.base().join("maintained").exists());
    listed
}

#[track_caller]
fn ended_well(lab: &Lab, guests: &[Guest; 3], before: &[Listing; 2]) {
    assert!(!is_maintained(lab));
    for path in FILES {
        assert!(shared(guests, path), "{path} is shared again");
    }
    assert!(are_protected(lab));
    others_unchanged(guests, before);
    assert_eq!(lab.staged().len(), 0);
}

#[track_caller]
pub(super) fn others_unchanged(guests: &[Guest; 3], before: &[Listing; 2]) {
    for (before, guest) in before.iter().zip(&guests[1..]) {
        let now = Listing::of(guest.root()).without_directory_times();
        assert_same(before, &now, guest.name());
    }
}

pub(super) fn listings(guests: &[Guest; 3]) -> [Listing; 2] {
    [1, 2].map(|at| Listing::of(guests[at].root()).without_directory_times())
}

#[test]
fn a_command_works_on_private_copies() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    let [a, b, c] = &guests;
    a.symlink("share", "/usr/alias");
    b.put("/usr/lib/x", &File::new(content("x")));
    c.put("/usr/lib/x", &File::new(content("x")));
    lab.plan(
        &[a, b, c],
        &["--protect", "immutable", "--exclude", "/usr/lib"],
    )
    .apply()
    .expect(0);
    let before = listings(&guests);
    let f = a.host(FILES[0]).display().to_string();

    // Nothing happens where nothing can be done.
    maintain(&lab, &[], "nobody", "true").expect(2);
    maintain(&lab, &["--dry-run"], "a", &format!("echo >> {f}")).expect(0);
    let base = lab.base();
    let words = ["maintain", "--base", base.to_str().unwrap(), "a", "--"];
    for (command, code) in [("no-such-command", 127), ("/etc/passwd", 126)] {
        unify_with(&[], &[&words[..], &[command]].concat()).expect(code);
    }
    ended_well(&lab, &guests, &before);

    // A part, by a glob through the guest's own link; its mask, its output and its code are the caller's.
    let script = format!("umask; echo more >> {f}; chmod 600 {f}; exit 7");
    let out = maintain(&lab, &["--path", "/usr/alias/f"], "a", &script).expect(7);
    assert_eq!(out.stdout.trim(), "0022", "{out:?}");
    assert_eq!(
        a.read(FILES[0]),
        [&content(FILES[0])[..], b"more\n"].concat()
    );
    assert_eq!(id(&a.host(FILES[1])), id(&b.host(FILES[1])));
    others_unchanged(&guests, &before);
    assert!(!is_maintained(&lab) && are_protected(&lab));
    // The policy is that of the last plan.
    assert_ne!(id(&b.host("/usr/lib/x")), id(&c.host("/usr/lib/x")));

    // What is as it was is shared again; nothing of others that nobody looked at.
    let script = format!(
        "cp -p {} {f}; rm {}",
        b.host(FILES[0]).display(),
        a.host(FILES[2]).display()
    );
    b.put("/usr/share/new", &File::new(content("new")));
    c.put("/usr/share/new", &File::new(content("new")));
    let before = listings(&guests);
    maintain(&lab, &["--all"], "a", &script).expect(0);
    // The first was not shared before this thaw any more.
    assert!(!shared(&guests, FILES[0]) && shared(&guests, FILES[1]));
    assert!(!a.host(FILES[2]).exists());
    assert_ne!(id(&b.host("/usr/share/new")), id(&c.host("/usr/share/new")));
    others_unchanged(&guests, &before);
    lab.on_base("verify", &[]).expect(0);
}

#[test]
fn plans_leave_it_alone_meanwhile() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    let [a, b, c] = &guests;
    lab.plan(&[a, b, c], &["--protect", "immutable"])
        .apply()
        .expect(0);
    let before = listings(&guests);
    for guest in &guests {
        guest.put("/usr/lib/later", &File::new(content("later")));
    }
    let old = lab.plan(&[a, b, c], &[]);
    lab.on_base("thaw", &["--json", "a"]).expect(0);
    assert!(is_maintained(&lab));
    // Once more, for what is shared already by nobody; and no second command.
    lab.on_base("thaw", &["--json", "a"]).expect(0);
    maintain(&lab, &[], "a", "true").expect(2);
    let now = lab.plan(&[a, b, c], &["--skips", "all"]);
    for path in [FILES[0], "/usr/lib/later"] {
        assert!(now.link("a", path).is_none(), "{path}");
        assert_eq!(now.skip("a", path).unwrap()["reason"], "being-maintained");
    }
    assert!(now.link("b", "/usr/lib/later").is_some());
    // A plan that was made before is refused for the guest, and done for the others.
    let out = old.apply().expect(4);
    assert!(
        out.stdout.contains("its guest is being maintained"),
        "{out:?}"
    );
    assert_ne!(id(&a.host("/usr/lib/later")), id(&b.host("/usr/lib/later")));
    assert_eq!(id(&b.host("/usr/lib/later")), id(&c.host("/usr/lib/later")));
    lab.on_base("gc", &[]).expect(0);
    lab.on_base("refreeze", &["--json", "a"]).expect(0);
    assert_ne!(id(&a.host("/usr/lib/later")), id(&b.host("/usr/lib/later")));
    lab.plan(&[a, b, c], &[]).apply().expect(0);
    assert!(shared(&guests, "/usr/lib/later"));
    for guest in &guests {
        std::fs::metadata(guest.host(FILES[0])).unwrap();
    }
    lab.on_base("refreeze", &["--json", "a"]).expect(0);
    lab.on_base("refreeze", &["--json", "nobody"]).expect(2);
    assert!(!is_maintained(&lab));
    lab.on_base("undo", &["--run", "all", "--yes", "--path", "/usr/lib"])
        .expect(0);
    for guest in &guests {
        std::fs::remove_file(guest.host("/usr/lib/later")).unwrap();
        std::fs::remove_dir(guest.host("/usr/lib")).unwrap();
    }
    ended_well(&lab, &guests, &before);
    // A guest that is forgotten is not worked on any more.
    lab.on_base("thaw", &["a"]).expect(0);
    lab.on_base("forget", &["--yes", "a"]).expect(0);
    assert!(!is_maintained(&lab));
}

/// Killed at each kind of step, of the thaw and of the refreeze, and between them.
#[test]
fn it_may_be_killed_anywhere() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    let [a, b, c] = &guests;
    lab.plan(&[a, b, c], &["--protect", "immutable"])
        .apply()
        .expect(0);
    let before = listings(&guests);
    let traced = lab.path("trace");
    let trace = [("UNIFY_TRACE", traced.to_str().unwrap())];
    maintain_while(&lab, &trace, &[], "a", "true").expect(0);
    ended_well(&lab, &guests, &before);
    let mut killed = 0;
    let points = [
        "exchange#1",
        "exchange#4",
        "exchange#5",
        "exchange#7",
        "setflags#1",
        "setflags#3",
        "setflags#8",
        "unlink#1",
        "unlink#3",
        "syncfs#1",
        "syncfs#2",
        "spawn#1",
        "rename#1",
        "rename#2",
        "link#2",
    ];
    for (at, point) in points.iter().enumerate() {
        let fault = format!("{point}=kill");
        let env = [("UNIFY_FAULT", &*fault)];
        let out = maintain_while(&lab, &env, &[], "a", "true");
        killed += usize::from(out.code == -1 || out.code == 137);
        others_unchanged(&guests, &before);
        assert_eq!(a.read(FILES[0]), content(FILES[0]), "{point}");
        if at % 2 == 0 {
            lab.on_base("recover", &[]).expect(0);
            assert!(are_protected(&lab), "{point}");
        }
        lab.on_base("refreeze", &["a"]).expect(0);
        lab.on_base("recover", &[]).expect(0);
        if !shared(&guests, FILES[0]) {
            // Killed after the paper went, or before it came.
            lab.plan(&[a, b, c], &[]).apply().expect(0);
        }
        ended_well(&lab, &guests, &before);
    }
    assert!(killed >= 8, "{killed} of {} were killed", points.len());
}

#[test]
fn a_signal_goes_to_the_command_and_leaves_the_guest_thawed() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    let [a, b, c] = &guests;
    lab.plan(&[a, b, c], &["--protect", "immutable"])
        .apply()
        .expect(0);
    let before = listings(&guests);
    let (begun, told) = (lab.path("begun"), lab.path("told"));
    let script = format!(
        "trap 'touch {}; exit 5' TERM; touch {}; while :; do sleep 0.05; done",
        told.display(),
        begun.display()
    );
    let mut child = Command::new(BIN)
        .args([
            "maintain",
            "--base",
            lab.base().to_str().unwrap(),
            "a",
            "--",
        ])
        .args(["sh", "-c", &script])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    soon(&begun);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(told.exists(), "the command was told");
    assert!(is_maintained(&lab));
    others_unchanged(&guests, &before);
    lab.on_base("refreeze", &["a"]).expect(0);
    ended_well(&lab, &guests, &before);
    // A command that a signal ends is told of as shells do, and all is shared again.
    maintain(&lab, &[], "a", "kill -9 $$").expect(137);
    ended_well(&lab, &guests, &before);
}

fn soon(path: &Path) {
    let end = Instant::now() + Duration::from_secs(60);
    while !path.exists() {
        assert!(Instant::now() < end, "{path:?} is not there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A package of what the guest has of it already, as a reinstallation brings it.
fn repacked(lab: &Lab, guest: &Guest, package: &str) -> PathBuf {
    let stage = lab.path(&format!("{package}-deb"));
    let script = "set -e; cd \"$1\"; mkdir -p \"$2/DEBIAN\"
        list=var/lib/dpkg/info/$3.list; [ -e $list ] || list=var/lib/dpkg/info/$3:amd64.list
        grep -v '^/\\.$' $list | sed 's,^/,,' | while read -r f; do
            [ -d \"$f\" ] || cp -a --parents \"$f\" \"$2/\"; done
        dpkg-query --admindir=var/lib/dpkg -W -f 'Package: ${Package}\\nVersion: ${Version}\\nArchitecture: ${Architecture}\\nEssential: ${Essential}\\nMaintainer: Lab <lab@example.invalid>\\nDescription: lab\\n' $3 | grep -v ': $' > \"$2/DEBIAN/control\"
        dpkg-deb --root-owner-group -Znone --build \"$2\" tmp/again.deb > /dev/null";
    let out = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(guest.root())
        .arg(&stage)
        .arg(package)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    guest.host("/tmp/again.deb")
}

/// What real guests meet: `dpkg` of the guest itself reinstalls a package whose files are shared and immutable.
#[test]
fn dpkg_of_a_debian_guest_works() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    lab.plan(&[&web, &db], &["--protect", "immutable"])
        .apply()
        .expect(0);
    let deb = repacked(&lab, &web, "sed");
    let root = web.root().display();
    let install = format!("LC_ALL=C chroot {root} dpkg --force-unsafe-io --install /tmp/again.deb");
    let plain = Command::new("sh").args(["-c", &install]).output().unwrap();
    let said = String::from_utf8_lossy(&plain.stderr);
    assert!(said.contains("Operation not permitted"), "{said}");
    let (sed, other) = (web.host("/usr/bin/sed"), id(&db.host("/usr/bin/sed")));
    assert_eq!(id(&sed), other);
    let before = Listing::of(db.root()).without_directory_times();
    let shared = |lab: &Lab| {
        let status = lab.on_base("status", &["--json"]).json();
        status["guests"][1]["shared_names"].as_u64().unwrap()
    };
    let names = shared(&lab);

    maintain(&lab, &["--packages", "seed"], "web", &install).expect(2);
    let out = maintain(&lab, &["--packages", "sed"], "web", &install).expect(0);
    assert!(out.stderr.contains("THAWING"), "{}", out.stderr);
    assert_eq!(id(&sed), other, "what was installed again is shared again");
    assert_eq!(shared(&lab), names);

    // Of a version that the other guest has not, nothing is shared any more; and it can be removed.
    std::fs::write(&sed, "").unwrap_err();
    let script = format!("{install} && rm {root}/usr/bin/sed");
    maintain(
        &lab,
        &["--packages", "sed", "--path", "/bin/bash"],
        "web",
        &script,
    )
    .expect(0);
    assert!(!sed.exists());
    let after = Listing::of(db.root()).without_directory_times();
    assert_same(&before, &after, "the other guest");
    std::fs::remove_file(deb).unwrap();
    upgradable(&lab, &web, &db);
    lab.on_base("verify", &[]).expect(0);
}

/// The guest's own lists say what could be upgraded.
fn upgradable(lab: &Lab, web: &Guest, db: &Guest) {
    let lists = web.host("/var/lib/apt/lists");
    std::fs::create_dir_all(&lists).unwrap();
    for entry in std::fs::read_dir(&lists).unwrap().flatten() {
        if entry.file_name().to_string_lossy().contains("_Packages") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let options = ["--packages", "upgradable"];
    maintain(lab, &options, "web", "true").expect(2);
    let list =
        "Package: grep\nVersion: 99:1\n\nPackage: gzip\nVersion: 0\n\nPackage: none\nVersion: 1\n";
    std::fs::write(lists.join("lab_Packages"), list).unwrap();
    let [grep, gzip] = ["/usr/bin/grep", "/usr/bin/gzip"].map(|path| {
        assert_eq!(id(&web.host(path)), id(&db.host(path)), "{path}");
        web.host(path)
    });
    let script = format!(
        "! test -w {} && test {} -ef {}",
        gzip.display(),
        gzip.display(),
        db.host("/usr/bin/gzip").display()
    );
    let script = format!(
        "{script} && touch -r {0} {0} && ! test {0} -ef {1}",
        grep.display(),
        db.host("/usr/bin/grep").display()
    );
    let script = script.replace("! test -w", "! touch -c");
    maintain(lab, &options, "web", &script).expect(0);
    assert_eq!(id(&grep), id(&db.host("/usr/bin/grep")));
}
