//! A file changes between `plan` and `apply`. `apply` refuses its name and says why, and does everything else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, XattrFlags};

use crate::support::{
    Disk, File, Guest, Lab, apply_while, content, id, line_of, listings, strings_in, unchanged,
};

/// What is done to the file, what the receipt must say about it, and how it is done.
type Change = (&'static str, &'static [&'static str], fn(&Path));

const CHANGES: &[Change] = &[
    (
        "content, time put back",
        &["changed", "ctime", "content"],
        |path| rewrite(path, 9_000),
    ),
    (
        "longer content, time put back",
        &["changed", "size"],
        |path| rewrite(path, 9_001),
    ),
    ("mode", &["changed", "mode"], |path| {
        fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    }),
    ("owner", &["changed", "uid"], |path| {
        chown(path, Some(7), None);
    }),
    ("group", &["changed", "gid"], |path| {
        chown(path, None, Some(7));
    }),
    ("modification time", &["changed", "mtime"], |path| {
        set_mtime(path, 1_700_000_001);
    }),
    (
        "an extended attribute",
        &["changed", "ctime", "xattrs"],
        |path| {
            rustix::fs::lsetxattr(path, "user.new", b"1", XattrFlags::empty()).unwrap();
        },
    ),
    ("one more name", &["changed", "nlink"], |path| {
        fs::hard_link(path, path.with_extension("more")).unwrap();
    }),
    (
        "another file with the same look",
        &["changed", "ino"],
        |path| {
            let twin = path.with_extension("twin");
            assert!(
                std::process::Command::new("cp")
                    .arg("-a")
                    .args([path, &twin])
                    .status()
                    .unwrap()
                    .success()
            );
            fs::rename(twin, path).unwrap();
        },
    ),
    ("a directory instead", &["changed", "type"], |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("a symbolic link instead", &["changed", "type"], |path| {
        fs::rename(path, path.with_extension("moved")).unwrap();
        std::os::unix::fs::symlink("f.moved", path).unwrap();
    }),
    ("a FIFO instead", &["changed", "type"], |path| {
        fs::remove_file(path).unwrap();
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    }),
    ("gone", &["gone"], |path| fs::remove_file(path).unwrap()),
    ("its directory is a link now", &["path-changed"], |path| {
        let dir = path.parent().unwrap();
        fs::rename(dir, dir.with_extension("moved")).unwrap();
        std::os::unix::fs::symlink(dir.with_extension("moved").file_name().unwrap(), dir).unwrap();
    }),
];

/// The name that change number `n` is done to.
fn victim(n: usize) -> String {
    format!("/usr/share/change-{n}/f")
}

#[test]
fn what_changed_is_refused_and_the_rest_is_applied() {
    let lab = lab!(Disk::Own);
    let guests = ["a", "b", "c"].map(|name| lab.guest(name));
    for guest in &guests {
        guest.put("/usr/share/untouched", &File::new(content("untouched")));
        for n in 0..CHANGES.len() {
            guest.put(victim(n), &File::new(content(n)));
        }
    }
    let [a, b, c] = &guests;
    let plan = lab.plan(&[a, b, c], &[]);
    for (n, (what, _, change)) in CHANGES.iter().enumerate() {
        assert!(plan.link("c", victim(n)).is_some(), "{what}: is planned");
        change(&c.host(victim(n)));
    }
    let before = listings(&[a, b, c]);

    plan.apply().expect(4);

    unchanged(&[a, b, c], &before, "after apply");
    let receipt = lab.receipt();
    for (n, (what, facts, _)) in CHANGES.iter().enumerate() {
        let line = line_of(&receipt, "c", &victim(n));
        for fact in *facts {
            assert!(
                strings_in(line).contains(fact),
                "{what}: wanted {fact} in {line}"
            );
        }
        assert_eq!(
            id(&a.host(victim(n))),
            id(&b.host(victim(n))),
            "{what}: the other two are shared"
        );
        assert!(
            !linked(&lab, c, &victim(n)),
            "{what}: the changed one is not"
        );
    }
    assert!(
        guests
            .iter()
            .all(|guest| linked(&lab, guest, "/usr/share/untouched"))
    );
}

/// A process that nobody saw when it was looked at who is inside has the file open for writing.
#[test]
fn a_writer_is_refused() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        ("/usr/share/g", File::new(content(2))),
    ]);
    let plan = lab.plan(&[&web, &db], &[]);
    let before = listings(&[&web, &db]);
    let (path, was) = (web.host("/usr/share/f"), id(&web.host("/usr/share/f")));
    // The first lease is that of the other guest's file. When all is prepared the writer ends, before it is looked once
    // more who is inside.
    let pid = lab.path("pid");
    let (scene, pid) = (lab.guests().display().to_string(), pid.display());
    let writes = format!(
        "sh -c 'exec 9>>\"$0\"; echo $$ > \"$1\"; exec sleep 600' '{}' '{pid}' > /dev/null 2>&1 < /dev/null & \
         while test -d '{scene}' && ! test -s '{pid}'; do sleep 0.01; done",
        path.display(),
    );
    let ends = format!(
        "p=$(cat '{pid}'); kill $p; while test -d '{scene}' && test -e /proc/$p/fd/9; do sleep 0.01; done"
    );
    apply_while(&plan, &[("lease#1", writes), ("syncfs#1", ends)]).expect(4);
    assert_eq!(id(&path), was, "the open file kept its inode");
    assert!(
        strings_in(line_of(&lab.receipt(), "web", "/usr/share/f")).contains(&"open-for-writing")
    );
    assert!(linked(&lab, &web, "/usr/share/g"), "the rest is applied");
    unchanged(&[&web, &db], &before, "after apply");
}

#[test]
fn another_directory_in_place_of_a_guest_is_refused() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    fs::rename(db.root(), lab.guests().join("old")).unwrap();
    fs::create_dir(db.root()).unwrap();
    db.put("/usr/share/f", &File::new(content(1)));
    let was = id(&db.host("/usr/share/f"));
    plan.apply().expect_one_of(&[4, 5]);
    assert_eq!(
        id(&db.host("/usr/share/f")),
        was,
        "the new guest was not touched"
    );
}

#[test]
fn a_damaged_object_is_not_spread() {
    let rot: fn(&Path) = |object| rewrite(object, 9_000);
    let open: fn(&Path) = |object| {
        fs::set_permissions(object, PermissionsExt::from_mode(0o666)).unwrap();
    };
    for damage in [rot, open] {
        let lab = lab!(Disk::Own);
        let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
        let options = ["--protect", "none", "--protect", "none"];
        lab.plan(&[&web, &db], &options).apply().expect(0);
        let third = lab.guest("third");
        third.put("/usr/share/f", &File::new(content(1)));
        let plan = lab.plan(&[&web, &db, &third], &options);
        damage(&lab.objects()[0]);
        let before = listings(&[&third]);
        plan.apply().expect(4);
        unchanged(&[&third], &before, "after apply");
        assert!(!linked(&lab, &third, "/usr/share/f"));
        let receipt = lab.receipt();
        let line = line_of(&receipt, "third", "/usr/share/f");
        assert!(strings_in(line).contains(&"damaged-object"), "{line}");
    }
}

/// One name of a line is the object's and another one is not any more: that is not "already done".
#[test]
fn a_line_is_done_when_all_its_names_are() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest.hard_link("/usr/f", "/usr/g");
        guest
    });
    let plan = lab.plan(&[&web, &db], &["--protect", "none", "--protect", "none"]);
    plan.apply().expect(0);
    fs::remove_file(web.host("/usr/g")).unwrap();
    web.put("/usr/g", &File::new(content(2)));
    plan.apply().expect(4);
    let receipt = lab.receipt();
    let line = line_of(&receipt, "web", "/usr/f");
    assert!(strings_in(line).contains(&"ino"), "{line}");
}

/// Other bytes, the old modification time: only the change time tells.
fn rewrite(path: &Path, length: usize) {
    fs::write(path, vec![b'x'; length]).unwrap();
    set_mtime(path, 1_700_000_000);
}

fn set_mtime(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(seconds, 123_456_789);
    fs::File::open(path).unwrap().set_modified(time).unwrap();
}

fn chown(path: &Path, uid: Option<u32>, gid: Option<u32>) {
    std::os::unix::fs::chown(path, uid, gid).unwrap();
}

/// Does the name refer to an object of the base?
fn linked(lab: &Lab, guest: &Guest, path: &str) -> bool {
    let objects = lab.objects();
    let host = guest.host(path);
    host.symlink_metadata().is_ok() && objects.iter().any(|object| id(object) == id(&host))
}
