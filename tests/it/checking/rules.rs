//! What each rule finds in guests, and what it leaves alone.

use std::os::unix::ffi::OsStrExt;

use rustix::fs::XattrFlags;

use crate::support::{Disk, File, Listing, assert_same, chattr, content};

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n";
const ID: &str = "0123456789abcdef0123456789abcdef\n";

#[test]
fn twins_without_faults_pass_and_nothing_is_changed() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/bin/tool", File::new(content(1)).mode(0o755)),
        ("/etc/machine-id", File::new("uninitialized\n")),
        ("/etc/ssh/ssh_host_rsa_key.pub", File::new("ssh-rsa AAAA")),
        ("/etc/hostname", File::new("localhost\n")),
        ("/root/.ssh/authorized_keys", File::new("ssh-rsa AAAA")),
    ]);
    let before = Listing::of(&lab.guests());
    let answer = lab.check(&[&web, &db], &[]);
    answer.out.clone().expect(0);
    assert_eq!(answer.rules(), [""; 0], "{}", answer.json);
    assert_same(&before, &Listing::of(&lab.guests()), "after check");
}

#[test]
fn secrets_are_found_by_their_content_and_never_told() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/etc/ssh/ssh_host_rsa_key", File::new(KEY).mode(0o600)),
        ("/etc/machine-id", File::new(ID)),
        // A name that looks like a key, and is none.
        ("/etc/ssh/ssh_host_dsa_key", File::new("no key here\n")),
    ]);
    web.put("/etc/nginx/tls.key", &File::new(KEY.replace('b', "c")));
    db.put("/var/lib/dbus/machine-id", &File::new(ID));
    let answer = lab.check(&[&web, &db], &[]);
    answer.out.clone().expect(11);
    let id = "db:/etc/machine-id db:/var/lib/dbus/machine-id web:/etc/machine-id";
    let key = "db:/etc/ssh/ssh_host_rsa_key web:/etc/ssh/ssh_host_rsa_key";
    assert_eq!(answer.found("shared-secret"), [id, key]);
    let baked = answer.findings("baked-identity");
    let levels: Vec<_> = baked
        .iter()
        .map(|one| (&one["facts"]["secret"], &one["level"]))
        .collect();
    let count = |kind: &str, level: &str| {
        levels
            .iter()
            .filter(|both| **both == (&kind.into(), &level.into()))
            .count()
    };
    assert_eq!(
        (
            count("host-key", "error"),
            count("machine-id", "warn"),
            count("private-key", "warn")
        ),
        (2, 3, 1)
    );
    let said = answer.out.stdout.clone() + &answer.out.stderr;
    assert!(
        !said.contains("0123456789abcdef") && !said.contains("BEGIN"),
        "{said}"
    );
    let off = [
        "--level",
        "shared-secret=off",
        "--level",
        "baked-identity=off",
    ];
    lab.check(&[&web, &db], &off).out.expect(0);
}

#[test]
fn rights_owners_and_modes_that_differ() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/bin/same", File::new(content(1)).mode(0o4755))]);
    web.put("/usr/bin/su", &File::new(content(2)).mode(0o4755));
    db.put("/usr/bin/su", &File::new(content(2)).mode(0o755));
    web.put("/usr/bin/backdoor", &File::new(content(3)).mode(0o6755));
    web.put("/usr/bin/ping", &File::new(content(4)).mode(0o755));
    // After the owner: who changes that takes capabilities away.
    let cap = [
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let (ping, none) = (web.host("/usr/bin/ping"), XattrFlags::empty());
    rustix::fs::lsetxattr(&ping, "security.capability", &cap, none).unwrap();
    db.put("/usr/bin/ping", &File::new(content(4)).mode(0o755));
    web.put("/usr/share/mode", &File::new(content(5)).mode(0o644));
    db.put("/usr/share/mode", &File::new(content(5)).mode(0o444));
    web.put("/usr/bin/owner", &File::new(content(6)).mode(0o755));
    db.put(
        "/usr/bin/owner",
        &File::new(content(6)).mode(0o755).owner(7, 8),
    );
    web.put("/usr/share/time", &File::new(content(7)));
    db.put("/usr/share/time", &File::new(content(7)).mtime(5, 5));
    web.put("/usr/share/x", &File::new(content(8)).xattr("user.x", b"1"));
    db.put("/usr/share/x", &File::new(content(8)));
    let answer = lab.check(&[&web, &db], &[]);
    answer.out.clone().expect(11);
    let setuid = [
        "db:/usr/bin/ping web:/usr/bin/ping",
        "db:/usr/bin/su web:/usr/bin/su",
        "web:/usr/bin/backdoor",
    ];
    assert_eq!(answer.found("setuid-differs"), setuid);
    let shown = answer.findings("setuid-differs")[0]["sentence"].to_string();
    assert!(shown.contains("cap_net_raw=ep"), "{shown}");
    assert_eq!(
        answer.found("mode-differs"),
        ["db:/usr/share/mode web:/usr/share/mode"]
    );
    let owner = answer.findings("owner-differs");
    assert_eq!(owner[0]["level"], "warn", "an executable");
    assert_eq!(owner[0]["facts"]["sides"][0]["value"], "7:8");
    assert_eq!(
        answer.found("xattr-differs"),
        ["db:/usr/share/x web:/usr/share/x"]
    );
    assert_eq!(answer.findings("xattr-differs")[0]["level"], "info");
    assert_eq!(
        answer.rules(),
        [
            "setuid-differs",
            "owner-differs",
            "mode-differs",
            "xattr-differs"
        ]
    );
}

#[test]
fn a_guest_in_another_user_namespace_is_one_finding() {
    let lab = lab!(Disk::Own);
    let (web, db) = (lab.guest("web"), lab.guest("db"));
    for n in 0..20 {
        let file = File::new(content(n)).owner(0, 5);
        web.put(format!("/usr/f{n}"), &file);
        db.put(format!("/usr/f{n}"), &file.owner(100_000, 100_005));
    }
    let answer = lab.check(&[&web, &db], &[]);
    assert_eq!(answer.found("owner-differs"), ["db web"]);
    let facts = &answer.findings("owner-differs")[0]["facts"];
    assert_eq!(
        (&facts["uid"], &facts["files"]),
        (&(-100_000).into(), &20.into())
    );
}

#[test]
fn links_between_guests_are_found_but_not_those_of_a_base() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/shared", File::new(content(1)))]);
    lab.plan(&[&web, &db], &["--protect", "none", "--protect", "none"])
        .apply()
        .expect(0);
    web.put("/usr/share/wild", &File::new(content(2)));
    std::fs::hard_link(web.host("/usr/share/wild"), db.host("/usr/share/wild")).unwrap();
    let answer = lab.check(&[&web, &db], &[]);
    answer.out.clone().expect(11);
    let wild = ["db:/usr/share/wild web:/usr/share/wild"];
    assert_eq!(answer.found("hardlink-between-guests"), wild);
}

/// What has lost its flag is shared without protection, object or not.
#[test]
fn an_object_without_its_protection_is_found() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[
        ("/usr/share/bare", File::new(content(1))),
        ("/usr/share/kept", File::new(content(2))),
    ]);
    let plan = lab.plan(&[&web, &db], &["--protect", "immutable"]);
    plan.apply().expect(0);
    lab.check(&[&web, &db], &[]).out.expect(0);
    chattr("-i", &web.host("/usr/share/bare"));
    let answer = lab.check(&[&web, &db], &[]);
    answer.out.clone().expect(11);
    let bare = ["db:/usr/share/bare web:/usr/share/bare"];
    assert_eq!(answer.found("hardlink-between-guests"), bare);
    let finding = answer.findings("hardlink-between-guests")[0];
    assert_eq!(finding["facts"]["bare_object"], true);
}

/// Where one of several guests has no database, nobody may take the answer for that of all.
#[test]
fn a_guest_without_a_database_beside_one_that_has_one_does_not_pass() {
    let lab = lab!(Disk::Own);
    let (web, bare) = (lab.guest("web"), lab.guest("bare"));
    web.dpkg("agent", &[]);
    let list = "/.\n/usr/bin/tool\n";
    web.put("/var/lib/dpkg/info/agent.list", &File::new(list));
    let sum = "900150983cd24fb0d6963f7d28e17f72  usr/bin/tool\n";
    web.put("/var/lib/dpkg/info/agent.md5sums", &File::new(sum));
    for guest in [&web, &bare] {
        guest.put("/usr/bin/tool", &File::new("abc"));
    }
    lab.check(&[&web], &[]).out.expect(0);
    lab.check(&[&bare], &[]).out.expect(0);
    let junit = lab.path("junit.xml");
    let format = format!("--format=junit={}", junit.display());
    let answer = lab.check(&[&web, &bare], &[&format]);
    answer.out.clone().expect(3);
    assert_eq!(answer.found("input-unread"), ["bare"]);
    let why = answer.findings("input-unread")[0]["facts"]["problem"].to_string();
    assert!(
        why.contains("file-modified and file-unowned cannot be asked"),
        "{why}"
    );
    let text = std::fs::read_to_string(junit).unwrap();
    for (guest, end) in [("web", "/>"), ("bare", ">")] {
        let case =
            format!("<testcase classname=\"{guest}\" name=\"file-modified\" time=\"0\"{end}\n");
        assert!(text.contains(&case), "{text}");
    }
    // Somebody may answer for it, or ask nothing of packages.
    let off = [
        "--level",
        "file-modified=off",
        "--level",
        "file-unowned=off",
    ];
    lab.check(&[&web, &bare], &off).out.expect(0);
}

#[test]
fn names_that_others_cannot_use() {
    let lab = lab!(Disk::Own);
    let web = lab.guest("web");
    for name in [
        &b"/usr/x\xff"[..],
        b"/usr/a\x1b[2J",
        b"/usr/README",
        b"/usr/Readme",
        b"/usr/fine",
    ] {
        web.put(std::ffi::OsStr::from_bytes(name), &File::new("x"));
    }
    let answer = lab.check(&[&web], &[]);
    answer.out.clone().expect(0);
    let mut faults: Vec<_> = answer
        .findings("name-unusable")
        .iter()
        .map(|one| one["facts"]["fault"].to_string())
        .collect();
    faults.sort();
    assert_eq!(
        faults,
        ["\"case-only\"", "\"control-characters\"", "\"not-utf-8\""]
    );
    lab.check(&[&web], &["--fail-on", "warn"]).out.expect(11);
}

#[test]
fn config_of_a_package_that_is_not_there_and_files_of_none() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/etc/agent.conf", File::new("x")),
        ("/usr/bin/agent", File::new(content(1))),
        ("/usr/bin/stray", File::new(content(2))),
        ("/usr/lib/x.py", File::new("x")),
        ("/usr/lib/__pycache__/x.cpython-311.pyc", File::new("x")),
    ]);
    for (guest, package, conf) in [
        (&web, "agent", "/etc/agent.conf"),
        (&db, "other", "/etc/other.conf"),
    ] {
        guest.dpkg(package, &[conf]);
        let list = format!("/.\n{conf}\n/usr/bin/agent\n/usr/lib/x.py\n");
        guest.put(
            format!("/var/lib/dpkg/info/{package}.list"),
            &File::new(list),
        );
    }
    let answer = lab.check(&[&web, &db], &[]);
    assert_eq!(answer.found("foreign-config"), ["db:/etc/agent.conf"]);
    assert_eq!(
        answer.found("file-unowned"),
        ["db:/usr/bin/stray", "web:/usr/bin/stray"]
    );
    let near = &answer.findings("file-unowned")[1]["facts"]["near_package"];
    assert_eq!(near, "agent");
}

#[test]
fn bounds_and_the_golden_guest() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/bin/same", File::new(content(1)))]);
    web.put("/usr/share/only", &File::new(vec![b'x'; 2 << 20]));
    web.put("/usr/share/changed", &File::new("one"));
    db.put("/usr/share/changed", &File::new("two"));
    web.put("/srv/not-compared", &File::new("x"));
    let answer = lab.check(&[&web, &db], &["--max-unique-bytes", "1M"]);
    answer.out.clone().expect(11);
    assert_eq!(answer.found("budget-exceeded"), ["web"]);
    let facts = &answer.findings("budget-exceeded")[0]["facts"];
    assert_eq!(facts["largest"][0]["path"], "/usr/share/only");
    assert_eq!(facts["bytes"], (2 << 20) + 3 + 1);
    lab.check(&[&web, &db], &["--max-unique-bytes", "3M"])
        .out
        .expect(0);

    let golden = lab.check(&[&web, &db], &["--golden", "web"]);
    assert_eq!(golden.found("drift-from-golden"), ["db:/usr/share"]);
    let facts = &golden.findings("drift-from-golden")[0]["facts"];
    assert_eq!(
        (&facts["removed"], &facts["changed"], &facts["added"]),
        (&1.into(), &1.into(), &0.into())
    );
    lab.check(&[&web, &db], &["--golden", "wbe"]).out.expect(2);

    // A share alone does not fail small guests.
    let share = ["--min-share", "0.999", "--fail-on", "warn"];
    lab.check(&[&web, &db], &share).out.expect(0);
    let policy = lab.path("check.toml");
    std::fs::write(
        &policy,
        "[rule.sharing-below]\nmin-share = 1.0\nmin-bytes = 1\n",
    )
    .unwrap();
    let answer = lab.check(&[&web, &db], &["--policy", policy.to_str().unwrap()]);
    assert_eq!(answer.found("sharing-below"), ["db web"]);
}
