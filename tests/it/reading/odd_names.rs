//! Guests have names that tools stumble over, paths that no system call takes, and more names of a file than an inode
//! may have.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{
    Disk, File, Guest, Planned, bytes_of, content, cycle, id, listings, nlink, unchanged, unify,
    unify_with, unify_without_admin,
};

/// Odd names of one component each.
fn odd() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        &b"new\nline"[..],
        b"\x1b[31mred\x1b[0m",
        b"\x1b]0;title\x07",
        b"tab\tcr\rbell\x07del\x7f",
        b"caf\xe9 not utf-8",
        b"\xff\xfe\xfd",
        "caf\u{e9} utf-8".as_bytes(),
        "\u{202e}txt.exe".as_bytes(),
        "c1 \u{9b}31m control".as_bytes(),
        b"-rf",
        b"--yes",
        b" blanks ",
        b"back\\slash",
        b"quote\"quote'",
        b"*?[]{}",
        b"...",
        b"\xef\xbf\xbd replacement",
    ]
    .iter()
    .map(|name| name.to_vec())
    .collect();
    names.push(vec![b'x'; 255]);
    names.push("\u{e4}".repeat(127).into_bytes());
    names
}

fn path(name: &[u8]) -> Vec<u8> {
    [b"/usr/odd/", name].concat()
}

fn guest_of_odd_names(guest: &Guest) {
    for (n, name) in odd().iter().enumerate() {
        guest.put(OsStr::from_bytes(&path(name)), &File::new(content(n)));
    }
    guest.put(
        OsStr::from_bytes(b"/usr/dir\n\xff/file"),
        &File::new(content("in an odd directory")),
    );
}

#[test]
fn odd_names_go_the_whole_way() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    guests.iter().for_each(guest_of_odd_names);
    let (plan, _) = cycle(&lab, &[&guests[0], &guests[1]], &[]);
    for name in odd() {
        let link = plan.link("db", path(&name));
        let link = link.unwrap_or_else(|| panic!("{} is planned", name.escape_ascii()));
        let is_text = std::str::from_utf8(&name).is_ok();
        assert_eq!(
            link["path_b64"].is_null(),
            is_text,
            "only what is not UTF-8 needs its bytes: {link}"
        );
    }
}

#[test]
fn no_name_reaches_the_terminal_raw() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    guests.iter().for_each(guest_of_odd_names);
    let plan = lab.plan(&[&guests[0], &guests[1]], &["--skips", "all"]);
    let file = plan.path.to_str().unwrap();
    let mut said = Vec::new();
    for by in ["guest", "reason", "directory", "package"] {
        said.push(unify(&["show", "--lines", "--by", by, file]).expect(0));
        said.push(unify(&["show", "--lines", "--format", "markdown", "--by", by, file]).expect(0));
    }
    guests[1].put(
        OsStr::from_bytes(&path(b"\x1b[31mred\x1b[0m")),
        &File::new(content("other")),
    );
    said.push(plan.apply().expect(4));
    said.push(plan.verify());
    said.push(lab.on_base("status", &[]));
    for out in said {
        let raw = |c: &char| (c.is_control() && *c != '\n' && *c != '\t') || *c == '\u{202e}';
        let text = [out.stdout, out.stderr].concat();
        assert_eq!(text.chars().find(raw), None, "unify {}", out.args);
    }
}

#[test]
fn what_lies_too_deep_is_reported() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    let step = "d".repeat(200);
    for guest in &guests {
        guest.put("/usr/flat", &File::new(content("flat")));
        guest.deep("/usr/reachable", "deep", 500, &content("reachable"));
        guest.deep("/usr/deep", &step, 40, &content("too deep"));
    }
    let [web, db] = &guests;
    let before = listings(&[web, db]);
    let (out, plan) = lab.try_plan(&[web, db], &[]);
    out.expect_one_of(&[0, 3]);
    let plan = plan.expect("a plan");
    let reachable = [&b"/usr/reachable"[..], &b"/deep".repeat(500), b"/bottom"].concat();
    assert!(
        plan.link("web", &reachable).is_some(),
        "a path that the kernel takes is planned"
    );
    for guest in ["web", "db"] {
        let bottom = [
            b"/usr/deep",
            format!("/{step}").repeat(40).as_bytes(),
            b"/bottom",
        ]
        .concat();
        let linked = plan.link(guest, &bottom).is_some();
        let skips = plan.actions("skip").into_iter();
        let mut reported = skips.filter(|skip| {
            let path = bytes_of(skip);
            skip["guest"] == guest && skip["reason"] == "unreadable" && bottom.starts_with(&path)
        });
        assert!(
            linked || reported.next().is_some(),
            "{guest}: the deep file is neither planned nor reported"
        );
    }
    plan.apply().expect_one_of(&[0, 4]);
    unchanged(&[web, db], &before, "after apply");
    assert_eq!(
        id(&web.host("/usr/flat")),
        id(&db.host("/usr/flat")),
        "the rest is applied"
    );
    lab.on_base("undo", &["--run", "all", "--yes"])
        .expect_one_of(&[0, 4]);
    unchanged(&[web, db], &before, "after undo");
}

/// A plan may name a later generation of an object, and verify finds it.
#[test]
fn later_generations_are_verified() {
    armed!();
    let lab = lab!(Disk::Own);
    let guest = lab.guest("web");
    for n in 0..7 {
        guest.put(format!("/usr/{n}"), &File::new(&b"a small file\n"[..]));
    }
    let (plan, few) = (lab.path("plan.json"), [("UNIFY_MAX_LINKS", "4")]);
    let (plan, root) = (plan.to_str().unwrap(), guest.arg());
    unify_with(&few, &["plan", "--min-size", "1", "-o", plan, &root]).expect(0);
    unify_with(&few, &["apply", "--yes", plan]).expect(0);
    assert!(lab.objects().len() > 1);
    unify_with(&few, &["verify", plan]).expect(0);
}

/// ext4 gives an inode at most 65,000 names. In small scenes `UNIFY_MAX_LINKS` stands for that number.
#[test]
fn more_names_than_an_inode_may_have() {
    if !crate::support::is_long() {
        skip!("by night only: seventy thousand files take minutes");
    }
    let lab = lab!(Disk::Ext4);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    let file = File::new(&b"a small file that everybody has\n"[..]);
    for guest in &guests {
        for n in 0..35_000 {
            guest.put(format!("/usr/share/{}/{n}", n % 100), &file);
        }
    }
    let [web, db] = &guests;
    let before = listings(&[web, db]);
    let plan = lab.plan(&[web, db], &["--min-size", "1"]);
    assert_eq!(plan.names().len(), 70_000);
    plan.apply().expect(0);
    unchanged(&[web, db], &before, "after apply");
    let links: Vec<u64> = lab.objects().iter().map(|object| nlink(object)).collect();
    assert_eq!(
        links.iter().sum::<u64>(),
        70_000 + links.len() as u64,
        "every name refers to an object"
    );
    assert!(
        links.len() == 2 && links.iter().all(|&n| n <= 65_000),
        "{links:?}"
    );
    plan.verify().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&[web, db], &before, "after undo");
    assert!(lab.objects().iter().all(|object| nlink(object) == 1));
}

/// A directory may show a name twice: while a guest moves it about, or for ever where it is damaged. What is
/// beneath it is taken once, and all lines stand in their order.
#[test]
fn a_directory_that_is_listed_twice_is_taken_once() {
    let lab = lab!(Disk::Ext4);
    // More than are made into lines at once, on both sides of a directory that has a line of its own.
    let path = |dir: &str, n: usize| format!("/opt/{dir}/{n:03}");
    let paths = ["a", "z"].map(|dir| (0..300).map(move |n| path(dir, n)).collect::<Vec<_>>());
    let paths: Vec<String> = paths.concat();
    let files: Vec<_> = paths
        .iter()
        .map(|path| (path.as_str(), File::new(content(path))))
        .collect();
    let [web, db] = lab.twins(&files);
    web.put("/opt/m/x.db", &File::new(content("db")));
    web.put("/opt/m/cache/x", &File::new(content("cache")));
    lab.with_image(|image| {
        let guest = web.root().strip_prefix(lab.path("")).unwrap();
        // Gives it a name in the directory that it is in, without a look at those that are there.
        let twice = format!("ln {0}/opt {0}", guest.display());
        let mut debugfs = std::process::Command::new("debugfs");
        let done = debugfs.arg("-w").args(["-R", &twice]).arg(image).output();
        assert!(done.unwrap().status.success());
    });
    let listed = std::fs::read_dir(web.root()).unwrap();
    let listed = listed.filter(|entry| entry.as_ref().unwrap().file_name() == "opt");
    assert_eq!(listed.count(), 2, "the disk is not as it should be");
    let (own, base) = (lab.path("own.json"), lab.base());
    let exclude = ["--exclude", "/opt/m", "--base", base.to_str().unwrap()];
    let output = ["plan", "-o", own.to_str().unwrap(), &web.arg(), &db.arg()];
    // Where the mount cannot be cloned, the walk goes through the guest itself.
    let seen = unify_without_admin(&[&output[..], &exclude[..]].concat());
    assert!(seen.status.success(), "{seen:?}");
    let plans = [lab.plan(&[&web, &db], &exclude[..2]), Planned::read(&own)];
    for plan in plans {
        let lines = plan.json["actions"].as_array().unwrap();
        let of = |guest: &str| {
            let lines = lines.iter().filter(|line| line["guest"] == guest);
            lines
                .map(|line| line["path"].as_str().unwrap())
                .collect::<Vec<_>>()
        };
        let mut wanted: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert_eq!(of("db"), wanted);
        wanted.insert(300, "/opt/m");
        assert_eq!(of("web"), wanted);
    }
}
