//! Two guests: names, metadata, packages, privileged files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::fs::FileType;
use serde_json::Value;

use crate::support::{
    Disk, File, Guest, Lab, Listing, Out, Stamps, bytes_of, content, debian, unify, walk,
};

fn diff(old: &Guest, new: &Guest, options: &[&str]) -> Out {
    let (old, new) = (old.arg(), new.arg());
    unify(
        &[
            &["diff", "--exit-code", old.as_str(), new.as_str()],
            options,
        ]
        .concat(),
    )
}

/// The names that are not the same, and what is said of each.
fn told(said: &Value) -> BTreeMap<Vec<u8>, String> {
    let line = |change: &Value| {
        let fields = change["fields"].as_array().unwrap().iter();
        let fields: Vec<&str> = fields.map(|field| field.as_str().unwrap()).collect();
        let text = format!("{} {}", change["what"].as_str().unwrap(), fields.join(","));
        (bytes_of(change), text.trim_end().to_owned())
    };
    said["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

#[track_caller]
fn assert_told(said: &Value, want: &[(&str, &str)]) {
    let want = want
        .iter()
        .map(|(path, text)| (path.as_bytes().to_vec(), (*text).to_owned()));
    assert_eq!(told(said), want.collect::<BTreeMap<_, _>>(), "{said}");
}

/// Two guests with a difference of each kind, and what is told of it.
fn one_of_each(lab: &Lab) -> ([Guest; 2], &'static [(&'static str, &'static str)]) {
    let [web, db] = lab.twins(&[
        ("/usr/same", File::new(content(1))),
        ("/usr/dated", File::new(content(2))),
        ("/usr/owned", File::new(content(3))),
        ("/usr/marked", File::new(content(4))),
        ("/usr/longer", File::new(content(5))),
        ("/usr/other", File::new(content(6))),
        ("/usr/kind", File::new(content(7))),
    ]);
    let dated = File::new(content(2)).mtime(1_600_000_000, 0);
    db.put("/usr/dated", &dated);
    let owned = File::new(content(3)).owner(7, 8).mode(0o600);
    db.put("/usr/owned", &owned);
    let marked = File::new(content(4)).xattr("user.mark", b"x");
    db.put("/usr/marked", &marked);
    let longer = [content(5), vec![0]].concat();
    db.put("/usr/longer", &File::new(longer));
    db.put("/usr/other", &File::new(content(66)));
    fs::remove_file(db.host("/usr/kind")).unwrap();
    db.symlink("same", "/usr/kind");
    for (guest, target) in [(&web, "same"), (&db, "dated")] {
        guest.symlink(target, "/usr/link");
        guest.symlink("loop", "/usr/loop");
    }
    web.dir("/usr/only/below");
    web.put("/usr/only/below/f", &File::new("x"));
    db.fifo("/usr/fifo");
    let want = &[
        ("/usr/fifo", "new"),
        ("/usr/kind", "changed type"),
        ("/usr/link", "changed target"),
        ("/usr/longer", "changed content"),
        ("/usr/marked", "changed xattrs"),
        ("/usr/only", "gone"),
        ("/usr/only/below", "gone"),
        ("/usr/only/below/f", "gone"),
        ("/usr/other", "changed content"),
        ("/usr/owned", "changed mode,uid,gid"),
    ];
    ([web, db], want)
}

#[test]
fn every_kind_of_difference_is_named_and_nothing_is_touched() {
    let lab = lab!(Disk::Own);
    let ([web, db], want) = one_of_each(&lab);
    // A listing reads links.
    let files = Listing::of(&lab.guests());
    let before = Stamps::of(&lab.guests());
    let said = diff(&web, &db, &["--json"]).expect(10).json();
    assert_told(&said, want);
    let counts = (&said["mtime_only"], &said["unread"]);
    assert_eq!(counts, (&1.into(), &0.into()), "{said}");
    let only = serde_json::json!({"files": 1, "bytes": 1});
    assert_eq!(said["only_old"], only);
    let dated = diff(&web, &db, &["--json", "--mtime"]).expect(10).json();
    assert_eq!(told(&dated)[&b"/usr/dated"[..]], "changed mtime");
    let text = diff(&web, &db, &[]).expect(10).stdout;
    for line in [
        "~ /usr/owned  mode 0644 → 0600, uid 0 → 7, gid 0 → 8\n",
        "- /usr/only  directory, with 2 names in it\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(before.diff(&Stamps::of(&lab.guests())), [""; 0]);
    assert_eq!(files, Listing::of(&lab.guests()));
    let same = diff(&web, &web, &["--json"]).expect(0).json();
    assert_eq!(
        (&same["same"], &same["equal"]),
        (&true.into(), &13.into()),
        "{same}"
    );
}

#[test]
fn privileged_files_are_told_apart() {
    let lab = lab!(Disk::Own);
    let cap = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let [web, db] = lab.twins(&[
        ("/usr/su", File::new("su").mode(0o4755)),
        ("/usr/ping", File::new("ping").mode(0o755)),
        ("/usr/both", File::new("both").mode(0o2755)),
    ]);
    db.put("/usr/su", &File::new("su").mode(0o755));
    let none = rustix::fs::XattrFlags::empty();
    rustix::fs::lsetxattr(db.host("/usr/ping"), "security.capability", cap, none).unwrap();
    db.put("/usr/both", &File::new("changed").mode(0o2755));
    db.put("/usr/sudo", &File::new("sudo").mode(0o4755));
    let said = diff(&web, &db, &["--json"]).expect(10).json();
    let differ = said["changes"].as_array().unwrap().iter();
    let differ: Vec<&str> = differ
        .filter(|change| change["privileged_differs"] == true)
        .map(|change| change["path"].as_str().unwrap())
        .collect();
    assert_eq!(differ, ["/usr/ping", "/usr/su", "/usr/sudo"]);
    assert_eq!(said["privileged"], 3);
}

#[test]
fn selectors_and_names_of_guests() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/lib/a", File::new("a"))]);
    for guest in [&web, &db] {
        guest.symlink("usr/lib", "/lib");
        guest.put("/etc/b", &File::new(guest.name()));
    }
    db.put("/usr/lib/a", &File::new("b"));
    let path = |glob: &str| {
        diff(&web, &db, &["--json", "--path", glob])
            .expect(10)
            .json()
    };
    assert_told(&path("/lib/a"), &[("/usr/lib/a", "changed content")]);
    assert_told(&path("/etc"), &[("/etc/b", "changed content")]);
    let not = diff(&web, &db, &["--json", "--not-path", "/etc"])
        .expect(10)
        .json();
    assert_told(&not, &[("/usr/lib/a", "changed content")]);
    diff(&web, &db, &["--path", "/usr/none"]).expect(0);
    diff(&web, &db, &["--reason", "unique"]).expect(2);
    diff(&web, &db, &["--guest", "web"]).expect(2);
    diff(&web, &db, &["--evidence"]).expect(2);
    // Two directories of one name.
    let there = lab.path("there");
    fs::create_dir(&there).unwrap();
    let done = Command::new("cp")
        .arg("-a")
        .arg(web.root())
        .arg(&there)
        .status();
    assert!(done.unwrap().success());
    let roots = [web.root().to_owned(), there.join(web.name())];
    let roots = roots.map(|root| root.to_str().unwrap().to_owned());
    let out = unify(&["diff", "--exit-code", &roots[0], &roots[1]]).expect(0);
    assert!(
        out.stdout.contains("web (old)") && out.stdout.contains("web (new)"),
        "{}",
        out.stdout
    );
    unify(&["diff", &roots[0], "/no/such/guest=x"]).expect_one_of(&[1, 2]);
    unify(&["diff", &roots[0], "x=/no/such/guest"]).expect(1);
}

#[test]
fn a_damaged_database_is_no_list_of_packages() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/a", File::new("a"))]);
    for guest in [&web, &db] {
        guest.dpkg("app", &[]);
    }
    diff(&web, &db, &[]).expect(0);
    db.put("/var/lib/dpkg/status", &File::new("Package: a\nBroken\n"));
    let said = diff(&web, &db, &["--json", "--path", "/usr"])
        .expect(3)
        .json();
    assert_eq!(said["package_changes"], Value::Null);
    assert!(
        said["packages_unknown"]
            .as_str()
            .unwrap()
            .contains("db: the dpkg database"),
        "{said}"
    );
}

/// Two real guests, and one of them before and after packages changed.
#[test]
fn real_guests_are_compared_as_other_programs_do() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    let said = diff(&web, &db, &["--json"]).expect(10).json();
    assert_eq!(said["unread"], 0, "{said}");
    let all = told(&said);
    let (web_names, db_names) = (names(web.root()), names(db.root()));
    let keys = |a: &BTreeMap<Vec<u8>, u64>, b: &BTreeMap<Vec<u8>, u64>| -> Vec<Vec<u8>> {
        a.keys()
            .filter(|name| !b.contains_key(*name))
            .cloned()
            .collect()
    };
    let only = |change: &str| -> Vec<Vec<u8>> {
        all.iter()
            .filter(|(_, text)| *text == change)
            .map(|(path, _)| path.clone())
            .collect()
    };
    assert_eq!(only("gone"), keys(&web_names, &db_names));
    assert_eq!(only("new"), keys(&db_names, &web_names));
    for (path, inode) in &web_names {
        let is_told = all.get(path).is_some_and(|text| text.contains("content"));
        if db_names.contains_key(path) && *inode != 0 {
            let path = std::str::from_utf8(path).unwrap();
            assert_eq!(is_told, web.read(path) != db.read(path), "{path}");
        }
    }
    let package = |name: &str| {
        let mut packages = said["package_changes"].as_array().unwrap().iter();
        packages
            .find(|one| one["package"] == name)
            .map(|one| one["what"].clone())
    };
    assert_eq!(
        package("nginx"),
        Some("gone".into()),
        "{}",
        said["package_changes"]
    );
    assert_eq!(package("libpq5"), Some("new".into()));
    assert_eq!(package("dpkg"), None);
    upgraded(&web);
}

/// One version is another, and a package is gone.
fn upgraded(web: &Guest) {
    let status = String::from_utf8(web.read("/var/lib/dpkg/status")).unwrap();
    // Packages are asked whatever names are compared.
    let before = web.root().with_file_name("before");
    fs::create_dir(&before).unwrap();
    let copied = Command::new("cp")
        .args(["-a", "--parents", "./var/lib/dpkg"])
        .arg(&before)
        .current_dir(web.root())
        .status();
    assert!(copied.unwrap().success());
    let stanzas: Vec<String> = status
        .split("\n\n")
        .filter(|stanza| !stanza.starts_with("Package: nginx\n"))
        .map(
            |stanza| match stanza.starts_with("Package: openssh-server\n") {
                true => stanza.replace("\nVersion: ", "\nVersion: 9"),
                false => stanza.to_owned(),
            },
        )
        .collect();
    fs::write(web.host("/var/lib/dpkg/status"), stanzas.join("\n\n")).unwrap();
    let before = format!("before={}", before.display());
    let ask = |options: &[&str]| {
        let guests = [before.as_str(), &web.arg()];
        unify(&[&["diff", "--path", "/none"][..], options, &guests].concat()).expect(0)
    };
    let said = ask(&["--json"]).json();
    let changes = said["package_changes"].as_array().unwrap().iter();
    let changes: Vec<(&Value, &Value)> =
        changes.map(|one| (&one["package"], &one["what"])).collect();
    let want = [("nginx", "gone"), ("openssh-server", "changed")];
    let want = want.map(|(name, what)| (Value::from(name), Value::from(what)));
    assert_eq!(changes, want.each_ref().map(|(name, what)| (name, what)));
    let text = ask(&[]).stdout;
    assert!(
        text.contains("- nginx ") && text.contains("~ openssh-server 1:"),
        "{text}"
    );
}

/// Every name of a guest but its root; the inode of regular files, 0 of others.
fn names(root: &Path) -> BTreeMap<Vec<u8>, u64> {
    let mut all = BTreeMap::new();
    walk(root, &mut |found| {
        let path = found.path.to_vec();
        let kind = FileType::from_raw_mode(found.stat.st_mode);
        let (is_file, inode) = (kind == FileType::RegularFile, found.stat.st_ino);
        all.insert(path, if is_file { inode } else { 0 });
    });
    all.remove(&b"/"[..]);
    all
}
