//! Guests that lie, wait, loop and overflow. Each case names what is right: an answer, or a problem.

use std::os::unix::fs::symlink;
use std::time::Duration;

use super::*;
use crate::sys::effort::computed;

const STATUS: &str = "var/lib/dpkg/status";
const D: &str = "00000000000000000000000000000000";

fn stanza(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|l| format!(" {l}\n")).collect();
    format!("Package: x\nStatus: install ok installed\nConffiles:\n{lines}\n")
}

fn conffiles(paths: &[&str]) -> String {
    let lines: Vec<_> = paths.iter().map(|p| format!("{p} {D}")).collect();
    stanza(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A guest with this `status` and two files, `/etc/ok` and `/etc/passwd`.
fn guest(status: impl AsRef<[u8]>) -> Root {
    let root = Root::empty();
    root.put("etc/ok", "inside");
    root.put("etc/passwd", "inside");
    root.put(STATUS, status);
    root
}

fn paths(root: &Root) -> Vec<String> {
    let answer = root.ask();
    assert_eq!(answer.databases[0].state, DatabaseState::Known);
    answer
        .protected
        .iter()
        .map(|p| p.path.to_string())
        .collect()
}

#[test]
fn no_database_is_no_answer() {
    assert_eq!(Root::empty().ask(), Answer::default());
}

#[test]
fn paths_that_climb_stay_inside() {
    let climbing = ["/../../../etc/passwd", "//etc//./ok", "/etc/../../x"];
    assert_eq!(
        paths(&guest(conffiles(&climbing))),
        ["/etc/ok", "/etc/passwd"]
    );
    assert_eq!(
        paths(&guest(conffiles(&["etc/ok", "/etc", "/."]))),
        ["/etc/ok"]
    );
}

#[test]
fn broken_lines_damage_the_whole() {
    for line in [&format!("/ {D}"), D, "", "/etc/ok", "/etc/ok obsolete"] {
        let root = guest(stanza(&[&format!("/etc/ok {D}"), line]));
        assert!(problem(&root.ask()).starts_with("var/lib/dpkg/status: byte "));
    }
}

#[test]
fn the_place_is_the_offset_of_the_line() {
    let text = conffiles(&["/etc/ok"]);
    let at = text.len();
    let answer = guest(text + "nonsense\n").ask();
    let want = format!("var/lib/dpkg/status: byte {at}: no colon after the field name");
    assert_eq!(problem(&answer), want);
}

#[test]
fn nul_and_missing_newline_are_damage() {
    let nul = guest(format!("Package: y\nConffiles:\n /etc/n\0ul {D}\n\n"));
    assert!(problem(&nul.ask()).contains("NUL"));
    let cut = conffiles(&["/etc/a"]) + "Package: z\nConffiles:\n /etc/b 0";
    assert!(problem(&guest(cut).ask()).contains("newline"));
}

#[test]
fn names_are_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let status = b"Package: y\nConffiles:\n /etc/\xff\xfe.conf 0\n".as_slice();
    let root = guest(status);
    let name = root.path.join(OsStr::from_bytes(b"etc/\xff\xfe.conf"));
    fs::write(name, "x").unwrap();
    assert_eq!(paths(&root), ["/etc/\\xff\\xfe.conf"]);
}

#[test]
fn long_lines() {
    let long = format!("/etc/{}", "a".repeat(8 << 20));
    assert!(problem(&guest(conffiles(&[&long])).ask()).contains("longer than 65536"));
    let elsewhere = format!("Package: x\nDepends: {long}\n\n{}", conffiles(&["/etc/ok"]));
    assert_eq!(paths(&guest(elsewhere)), ["/etc/ok"]);
}

#[test]
fn many_conffiles_take_seconds_and_too_many_are_refused() {
    let many: Vec<_> = (0..300_000).map(|i| format!("/etc/f{i} {D}")).collect();
    let root = guest(stanza(&many.iter().map(String::as_str).collect::<Vec<_>>()));
    let before = computed();
    assert_eq!(root.ask().databases[0].config_files, 300_000);
    assert!(computed() - before < Duration::from_secs(30));
    let lines = " /a 0\n".repeat(limits::CONFIG_FILES + 1);
    let answer = guest(format!("Package: x\nConffiles:\n{lines}")).ask();
    assert!(problem(&answer).contains("too many"));
}

/// All databases of a guest share one time, and the first that leaves the guest out is the last that is asked.
#[test]
fn time_is_a_guests_and_not_a_databases() {
    let root = guest(conffiles(&["/etc/ok"]));
    root.put("var/lib/ucf/hashfile", "");
    root.put("lib/apk/db/installed", "P:a\nV:1\nA:x86_64\n\n");
    let over = Instant::now();
    let asked = |on_damaged| {
        let answer = ask_until(over, &guest_at(&root.path), on_damaged, &|_| false);
        let late = |one: &Database| one.problem.as_deref().unwrap_or("").contains("took longer");
        assert!(answer.databases.iter().all(late), "{:?}", answer.databases);
        let managers = answer.databases.into_iter().map(|one| one.manager);
        managers.collect::<Vec<_>>()
    };
    assert_eq!(
        asked(OnDamaged::CareRulesOnly),
        ["dpkg", "ucf", "pacman", "apk", "nix", "guix"]
    );
    assert_eq!(asked(OnDamaged::ExcludeGuest), ["dpkg"]);
}

/// Owners are a help, and are not looked for when the time is over.
#[test]
fn owners_are_looked_for_in_time_only() {
    let root = Root::empty();
    root.put("usr/bin/x", "x");
    symlink("usr/bin", root.path.join("bin")).unwrap();
    let guest = guest_at(&root.path);
    let owned = |until| {
        let mut owners = Owners::default();
        let package = Package {
            name: "p".into(),
            version: None,
            state: PackageState::Installed,
        };
        let x = Owned {
            path: b"/bin/x".to_vec(),
            package: 0,
        };
        let listing = Listing {
            silent: false,
            packages: vec![package],
            config_files: 0,
            claims: Vec::new(),
            owned: vec![x],
            partial: false,
        };
        owners.add(&Source::new(&guest, until), &|_| false, listing);
        (owners.of(b"/usr/bin/x").is_some(), owners.are_whole())
    };
    assert_eq!(owned(soon()), (true, true));
    assert_eq!(owned(Instant::now()), (false, false), "and it is said");
}

#[test]
fn what_is_no_small_file_is_not_read() {
    let sparse = guest("");
    let file = fs::File::create(sparse.path.join(STATUS)).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(problem(&sparse.ask()).contains("1099511627776 bytes"));

    let directory = Root::empty();
    fs::create_dir_all(directory.path.join(STATUS)).unwrap();
    assert!(problem(&directory.ask()).contains("found a directory"));
}

#[test]
fn a_fifo_is_not_waited_for() {
    for name in [STATUS, "var/lib/dpkg/updates/0000", "var/lib/ucf/hashfile"] {
        let root = Root::empty();
        if name != STATUS && !name.contains("ucf") {
            root.put(STATUS, "");
        }
        let path = root.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(problem(&root.ask()).contains("found a FIFO"), "{name}");
    }
}

#[test]
fn links_never_lead_to_the_host() {
    // The host has /etc/passwd; this guest does not.
    let out = Root::empty();
    fs::create_dir_all(out.path.join("var/lib/dpkg")).unwrap();
    symlink("/etc/passwd", out.path.join(STATUS)).unwrap();
    assert_eq!(out.ask(), Answer::default());

    let inside = Root::empty();
    inside.put("etc/elsewhere", conffiles(&["/etc/elsewhere"]));
    fs::create_dir_all(inside.path.join("var/lib/dpkg")).unwrap();
    symlink("/etc/elsewhere", inside.path.join(STATUS)).unwrap();
    assert_eq!(paths(&inside), ["/etc/elsewhere"]);

    let up = Root::empty();
    let outside = up.path.parent().unwrap().join("outside/lib/dpkg");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("status"), conffiles(&["/etc/ok"])).unwrap();
    symlink("../outside", up.path.join("var")).unwrap();
    assert_eq!(up.ask(), Answer::default());
}

#[test]
fn loops_hide_nothing_else() {
    let root = guest(conffiles(&["/etc/loop/a", "/etc/self", "/etc/ok"]));
    symlink("loop2", root.path.join("etc/loop")).unwrap();
    symlink("loop", root.path.join("etc/loop2")).unwrap();
    symlink("self", root.path.join("etc/self")).unwrap();
    assert_eq!(paths(&root), ["/etc/ok"]);
}

#[test]
fn journal() {
    let flood = guest(conffiles(&["/etc/ok"]));
    for i in 0..2_000 {
        flood.put(&format!("var/lib/dpkg/updates/{i:04}"), "Package: u\n\n");
    }
    assert!(problem(&flood.ask()).contains("more than 1000 entries"));

    let uneven = guest("");
    uneven.put("var/lib/dpkg/updates/0", "");
    uneven.put("var/lib/dpkg/updates/00", "");
    assert!(problem(&uneven.ask()).contains("differ in length"));

    let replaced = guest(conffiles(&["/etc/ok"]));
    replaced.put("var/lib/dpkg/updates/tmp.i", "not a journal file");
    replaced.put("var/lib/dpkg/updates/0000", conffiles(&["/etc/ok"]));
    let last = conffiles(&["/etc/passwd"]);
    replaced.put("var/lib/dpkg/updates/0001", last);
    assert_eq!(paths(&replaced), ["/etc/passwd"]);
}

#[test]
fn every_file_can_damage_the_whole() {
    let cases = [
        ("var/lib/dpkg/diversions", "/a\n/b\n", 0),
        ("var/lib/dpkg/statoverride", "root root\n", 0),
        ("var/lib/dpkg/info/x.conffiles", "etc/relative\n", 0),
        ("var/lib/dpkg/updates/0000", "Conffiles:\n", 11),
        ("var/lib/dpkg/status.d/x", "Package: x\ny\n", 11),
    ];
    for (file, content, at) in cases {
        let root = guest(conffiles(&["/etc/ok"]));
        root.put(file, content);
        let answer = root.ask();
        let place = format!("{file}: byte {at}: ");
        assert!(problem(&answer).starts_with(&place), "{answer:?}");
    }
}

#[test]
fn one_bad_database_does_not_silence_the_other() {
    let root = guest(conffiles(&["/etc/ok"]));
    root.put("var/lib/ucf/hashfile", "not a hash\n");
    let answer = root.ask();
    let states: Vec<_> = answer.databases.iter().map(|d| d.state).collect();
    assert_eq!(states, [DatabaseState::Known, DatabaseState::Damaged]);
    assert_eq!(answer.protected.len(), 1);
}

#[test]
fn a_lost_status_is_damage() {
    let root = Root::empty();
    root.put("var/lib/dpkg/info/x.conffiles", "/etc/ok\n");
    let want = "var/lib/dpkg/status: missing, though var/lib/dpkg/info is there";
    assert_eq!(problem(&root.ask()), want);
}

#[test]
fn info_is_united_with_status() {
    let root = guest(conffiles(&["/etc/ok"]));
    root.put(
        "var/lib/dpkg/info/y:amd64.conffiles",
        "remove-on-upgrade /etc/passwd\n",
    );
    let answer = root.ask();
    let fact = facts(&answer)["/etc/passwd"];
    assert_eq!(fact, (SkipReason::ConfigFile, "dpkg", Some("y")));
}

#[test]
fn distroless_is_silent() {
    let root = Root::empty();
    root.put(
        "var/lib/dpkg/status.d/base",
        "Package: base-files\nVersion: 1",
    );
    root.put("var/lib/dpkg/status.d/base.md5sums", "no stanza");
    let [database] = &root.ask().databases[..] else {
        panic!("one database");
    };
    assert_eq!(
        (database.state, database.packages),
        (DatabaseState::Silent, 1)
    );
}

#[test]
fn dpkg_wins_over_ucf_and_config_over_all() {
    let root = guest(conffiles(&["/etc/ok"]));
    root.put("var/lib/ucf/registry", "z \t /etc/ok\n");
    root.put("var/lib/dpkg/statoverride", "root root 600 /etc/ok\n");
    root.put("var/lib/dpkg/diversions", "/etc/ok\n/etc/passwd\n:\n");
    let answer = root.ask();
    let got = facts(&answer);
    assert_eq!(got["/etc/ok"], (SkipReason::ConfigFile, "dpkg", Some("x")));
    assert_eq!(got["/etc/passwd"].0, SkipReason::Diverted);
}
