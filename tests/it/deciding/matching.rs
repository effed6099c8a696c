//! `plan` decides which files are the same, and which names are exchanged together.

use serde_json::Value;

use crate::support::{Disk, File, content, id, listings, unchanged};

#[test]
fn only_what_is_equal_in_everything_is_linked() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    let base = || File::new(content(1));
    let different: [(&str, File); 7] = [
        ("mode", base().mode(0o755)),
        ("uid", base().owner(1, 0)),
        ("gid", base().owner(0, 1)),
        ("nanosecond", base().mtime(1_700_000_000, 123_456_788)),
        ("xattr", base().xattr("user.a", b"1")),
        ("xattr-value", base().xattr("user.a", b"2")),
        ("content", File::new(content(2))),
    ];
    for (n, (_, file)) in different.iter().enumerate() {
        web.put(format!("/usr/share/{n}"), file);
    }
    db.put("/usr/share/f", &base());
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(plan.names(), [], "no two of these are equal");
    db.put("/usr/share/g", &base().xattr("user.a", b"2"));
    let plan = lab.plan(&[&web, &db], &[]);
    let names: Vec<_> = plan
        .names()
        .into_iter()
        .map(|(guest, path)| format!("{guest}:{}", String::from_utf8(path).unwrap()))
        .collect();
    assert_eq!(names, ["db:/usr/share/g", "web:/usr/share/5"]);
}

#[test]
fn the_path_counts_only_if_asked() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/same", File::new(content(1)))]);
    web.put("/usr/share/here", &File::new(content(2)));
    db.put("/usr/share/there", &File::new(content(2)));
    assert_eq!(lab.plan(&[&web, &db], &[]).names().len(), 4);
    let plan = lab.plan(&[&web, &db], &["--same-path"]);
    assert_eq!(plan.names().len(), 2);
    assert!(plan.link("web", "/usr/share/same").is_some());
}

/// Two paths, each with its twin: all four files are equal, so one object is made, once, and gets one flag.
#[test]
fn equal_files_of_different_paths_get_one_object() {
    let lab = lab!(Disk::Own);
    let twins = ["/usr/share/one", "/usr/share/two"];
    let guests = lab.twins(&twins.map(|path| (path, File::new(content(1)))));
    let plan = lab.plan(&[&guests[0], &guests[1]], &["--same-path"]);
    let links = plan.actions("link");
    let makers = links.iter().filter(|link| link["makes"].is_string());
    assert_eq!((links.len(), makers.count()), (4, 1), "{plan:?}");
    let flags = plan.actions("flag");
    assert_eq!((flags.len(), &flags[0]["names"]), (1, &Value::from(4)));
    plan.apply().expect(0);
    plan.verify().expect(0);
    let inodes = guests
        .iter()
        .flat_map(|guest| twins.map(|path| id(&guest.host(path))));
    let inodes: std::collections::HashSet<_> = inodes.collect();
    assert_eq!(inodes.len(), 1);
}

/// A scan holds most times in eight bytes; these need more.
#[test]
fn times_before_1970_are_times() {
    let lab = lab!(Disk::Own);
    let old = File::new(content(1)).mtime(-1_000_000_001, 999_999_999);
    let guests = lab.twins(&[("/usr/share/old", old)]);
    let before = listings(&[&guests[0], &guests[1]]);
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let link = plan.link("web", "/usr/share/old").unwrap();
    assert_eq!(link["before"]["mtime"], "-1000000001.999999999");
    plan.apply().expect(0);
    plan.verify().expect(0);
    unchanged(&[&guests[0], &guests[1]], &before, "after apply");
}

#[test]
fn times_may_be_ignored_and_come_back() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    web.put(
        "/usr/share/f",
        &File::new(content(1)).mtime(1_600_000_000, 1),
    );
    db.put(
        "/usr/share/f",
        &File::new(content(1)).mtime(1_700_000_000, 2),
    );
    let before = listings(&[&web, &db]);
    assert_eq!(lab.plan(&[&web, &db], &[]).names(), []);
    let plan = lab.plan(&[&web, &db], &["--ignore", "mtime"]);
    plan.apply().expect(0);
    assert_eq!(id(&web.host("/usr/share/f")), id(&db.host("/usr/share/f")));
    plan.verify().expect(0);
    lab.on_base("undo", &["--run", "last", "--yes"]).expect(0);
    unchanged(&[&web, &db], &before, "after undo");
}

#[test]
fn names_of_one_file_move_together() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/bin/a", File::new(content(1))),
        ("/usr/bin/x", File::new(content(2))),
    ]);
    web.hard_link("/usr/bin/a", "/usr/bin/b");
    let outside = lab.path("outside");
    std::fs::hard_link(web.host("/usr/bin/x"), &outside).unwrap();
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &["--skips", "all"]);
    let link = plan.link("web", "/usr/bin/b").expect("planned");
    assert_eq!(
        (&link["path"], &link["also"][0]["path"]),
        (&"/usr/bin/a".into(), &"/usr/bin/b".into())
    );
    assert_eq!(
        plan.skip("web", "/usr/bin/x").expect("a line")["reason"],
        "names-outside"
    );
    plan.apply().expect(0);
    assert_eq!(id(&web.host("/usr/bin/a")), id(&web.host("/usr/bin/b")));
    assert_eq!(id(&web.host("/usr/bin/a")), id(&db.host("/usr/bin/a")));
    assert_eq!(id(&web.host("/usr/bin/x")), id(&outside));
    unchanged(&[&web, &db], &before, "after apply");
}

#[test]
fn objects_of_the_base_are_matched_and_known() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let third = lab.guest("third");
    third.put("/opt/copy", &File::new(content(1)));
    let plan = lab.plan(&[&web, &db, &third], &["--skips", "all"]);
    assert_eq!(
        plan.skip("web", "/usr/share/f").expect("a line")["reason"],
        "already-shared"
    );
    let link = plan.link("third", "/opt/copy").expect("planned");
    assert_eq!(
        (&link["reason"], &link["makes"]),
        (&"identical-object".into(), &Value::Null)
    );
    plan.apply().expect(0);
    assert_eq!(id(&third.host("/opt/copy")), id(&web.host("/usr/share/f")));
    assert_eq!(lab.objects().len(), 1);
}

/// Bytes that differ only at `at`, and there by `seed`.
fn late(size: usize, at: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![b'x'; size];
    bytes[at] = seed;
    bytes
}

/// Files that look alike to `stat` and to a first look, of several kinds: each kind shares, and no two kinds do.
#[test]
fn files_that_differ_late_are_told_apart() {
    const SIZE: usize = 300_000;
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    let kinds: [(&str, Vec<u8>); 5] = [
        ("a", late(SIZE, 65_535, 1)),
        ("b", late(SIZE, 65_536, 1)),
        ("c", late(SIZE, SIZE - 1, 1)),
        ("d", late(SIZE, SIZE - 1, 2)),
        ("e", late(SIZE, 131_072, 1)),
    ];
    for guest in [&web, &db] {
        for (name, bytes) in &kinds {
            guest.put(format!("/usr/{name}"), &File::new(bytes.clone()));
        }
    }
    web.put("/usr/alone", &File::new(late(SIZE, 200_000, 9)));
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &[]);
    assert!(plan.link("web", "/usr/alone").is_none(), "it has no twin");
    plan.apply().expect(0);
    let mut inodes = std::collections::BTreeSet::new();
    for (name, _) in &kinds {
        let path = format!("/usr/{name}");
        assert_eq!(id(&web.host(&path)), id(&db.host(&path)), "{name}");
        inodes.insert(id(&web.host(&path)));
    }
    assert_eq!(inodes.len(), kinds.len(), "no two kinds share");
    unchanged(&[&web, &db], &before, "after apply");
}

/// More files of one size and time than are ever compared in parallel; small ones are read at once.
#[test]
fn very_many_files_of_one_size_are_told_apart() {
    told_apart(|n| content(format!("{n:04}")));
    told_apart(|n| format!("{n:04}").into_bytes());
    for size in [4096, 4097, 9000] {
        told_apart(|n| [&vec![b'x'; size - 4], format!("{n:04}").as_bytes()].concat());
    }
}

fn told_apart(with: impl Fn(usize) -> Vec<u8>) {
    const FILES: usize = 150;
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    for n in 0..FILES {
        web.put(format!("/usr/w/{n:04}"), &File::new(with(n)));
        // Every second one has a twin, under another name.
        let other = if n % 2 == 0 { n } else { n + 5_000 };
        db.put(format!("/usr/d/{}", FILES - n), &File::new(with(other)));
    }
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let shared = |n: usize| {
        let twin = db.host(format!("/usr/d/{}", FILES - n));
        id(&web.host(format!("/usr/w/{n:04}"))) == id(&twin)
    };
    for n in 0..FILES {
        assert_eq!(shared(n), n % 2 == 0, "{n}");
    }
    unchanged(&[&web, &db], &before, "after apply");
}
