//! A plan reports what the scan saw besides its actions: files that only metadata keeps apart, secrets that guests have
//! in common, and the package that a file belongs to.

use serde_json::{Value, json};

use crate::support::{Disk, File, Planned, content, unify};

fn show(plan: &Planned, options: &[&str]) -> Value {
    let args = [
        &["show", "--json"][..],
        options,
        &[plan.path.to_str().unwrap()],
    ]
    .concat();
    unify(&args).expect(0).json()
}

#[test]
fn near_misses_are_counted_and_named() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    let file = |n: u32| File::new(content(n));
    // One differs by its time, one by an xattr, one by nothing; one has a size of its own.
    web.put("/usr/time", &file(1));
    db.put("/usr/elsewhere", &file(1).mtime(1_000, 0));
    web.put("/usr/xattr", &file(2));
    db.put("/usr/xattr", &file(2).xattr("user.note", b"x"));
    web.put("/usr/same", &file(3));
    db.put("/usr/same", &file(3));
    web.put("/usr/alone", &File::new("alone"));
    // All owners are shifted by a constant.
    for n in 10..14 {
        web.put(format!("/usr/{n}"), &file(n).owner(n, 5));
        db.put(format!("/usr/{n}"), &file(n).owner(n + 100_000, 100_005));
    }
    let plan = lab.plan(&[&web, &db], &[]);
    let near = &plan.json["summary"]["near_misses"];
    assert_eq!(near["all"], json!({"files": 6, "bytes": 6 * 12_288}));
    assert_eq!(near["by"]["mtime"]["files"], 1);
    assert_eq!(near["by"]["xattrs"]["files"], 1);
    assert_eq!(near["by"]["uid, gid"]["files"], 4);
    assert_eq!(
        near["shifted"],
        json!([{"guests": ["db", "web"], "uid": -100_000, "gid": -100_000,
                "count": {"files": 4, "bytes": 4 * 12_288}}])
    );
    let listed = near["listed"].as_array().unwrap();
    assert_eq!(
        listed.len(),
        2,
        "shifted files are not listed one by one: {listed:?}"
    );
    let time = listed
        .iter()
        .find(|miss| miss["differs"] == json!(["mtime"]));
    assert_eq!(
        time.unwrap()["files"],
        json!(["db:/usr/elsewhere", "web:/usr/time"])
    );

    assert_eq!(
        show(&plan, &["--near-misses"])["near_misses"]["listed"],
        near["listed"]
    );
    assert!(show(&plan, &[])["near_misses"].get("listed").is_none());
    // With the time ignored there is nothing to miss.
    let plan = lab.plan(&[&web, &db], &["--ignore", "mtime"]);
    assert!(
        plan.json["summary"]["near_misses"]["by"]
            .get("mtime")
            .is_none()
    );
    assert!(plan.link("web", "/usr/time").is_some());
}

#[test]
fn the_same_key_in_two_guests_is_told() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    let key = "/etc/ssh/ssh_host_ed25519_key";
    for guest in [&web, &db] {
        guest.put(
            key,
            &File::new("-----BEGIN OPENSSH PRIVATE KEY-----\nsame\n").mode(0o600),
        );
        guest.put("/etc/machine-id", &File::new("uninitialized\n"));
        guest.put("/etc/hostname", &File::new("the same is no harm\n"));
        guest.put(
            "/root/.ssh/authorized_keys",
            &File::new("ssh-ed25519 ada\n"),
        );
    }
    web.put("/etc/ssl/private/a.key", &File::new("one").mode(0o600));
    db.put("/etc/ssl/private/a.key", &File::new("two").mode(0o600));
    let (path, base) = (lab.path("plan.json"), lab.base());
    let args = [
        "plan",
        "--base",
        base.to_str().unwrap(),
        "-o",
        path.to_str().unwrap(),
    ];
    let guests = [web.arg(), db.arg()];
    let out = unify(&[&args[..], &[&guests[0], &guests[1]]].concat()).expect(0);
    assert!(
        out.stderr
            .contains("SAME SECRET: db:/etc/ssh/ssh_host_ed25519_key = web:"),
        "{}",
        out.stderr
    );
    let plan = Planned::read(&path);
    let want = json!([{"files": [format!("db:{key}"), format!("web:{key}")]}]);
    assert_eq!(plan.json["summary"]["same_secrets"], want);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("OPENSSH"), "the key itself is nowhere");
}

#[test]
fn files_have_the_package_that_brought_them() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/bin/tool", File::new(content(1)).mode(0o755)),
        ("/usr/bin/root-tool", File::new(content(2)).mode(0o4755)),
        ("/usr/local/own", File::new(content(3))),
    ]);
    for guest in [&web, &db] {
        guest.dpkg("lab", &["/etc/lab.conf"]);
        let list = "/.\n/bin\n/bin/tool\n/bin/root-tool\n";
        guest.put("/var/lib/dpkg/info/lab.list", &File::new(list));
        guest.symlink("usr/bin", "/bin");
    }
    let plan = lab.plan(&[&web, &db], &[]);
    let line = plan.link("web", "/usr/bin/tool").unwrap();
    assert_eq!(
        (&line["package"], &line["version"]),
        (&json!("lab"), &json!("1")),
        "{line}"
    );
    assert!(
        plan.link("web", "/usr/local/own")
            .unwrap()
            .get("package")
            .is_none()
    );
    assert_eq!(
        plan.skip("web", "/usr/bin/root-tool").unwrap()["package"],
        "lab"
    );
    let shown = show(&plan, &["--by", "package"]);
    let group = &shown["groups"].as_array().unwrap()[0];
    assert_eq!(
        (&group["group"], &group["in_guests"]),
        (&json!("lab 1"), &json!(2)),
        "{shown}"
    );
    plan.apply().expect(0);
}
