//! Guests that share inodes without an object of the base, because it was lost or another program has linked them: what
//! a plan says of that, and how it becomes protected.

use std::fs;

use crate::support::{
    Disk, File, Guest, Lab, Out, Planned, action_of, content, edited, id, inside, is_immutable,
    lift_flags, line_of, listings, nlink, strings_in, unchanged,
};

/// `b` gets a further name of a file of `a`.
fn tie(a: &Guest, from: &str, b: &Guest, to: &str) {
    let to = b.host(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::hard_link(a.host(from), to).unwrap();
}

/// Two guests that share `/usr/f`, and `/usr/g`, which has two names in `b`; a third has both for itself, one of them
/// by a name that comes first.
fn tied(lab: &Lab) -> [Guest; 3] {
    let [a, b, c] = ["a", "b", "c"].map(|name| lab.guest(name));
    for (seed, path) in [(1, "/usr/f"), (2, "/usr/g")] {
        a.put(path, &File::new(content(seed)));
        tie(&a, path, &b, path);
    }
    b.hard_link("/usr/g", "/usr/h");
    c.put("/aaa", &File::new(content(1)));
    c.put("/usr/g", &File::new(content(2)));
    [a, b, c]
}

/// A plan that has something to say.
#[track_caller]
fn alarming(lab: &Lab, guests: &[&Guest], options: &[&str]) -> (Out, Planned) {
    let (out, plan) = lab.try_plan(guests, &[&["--exit-code"], options].concat());
    (out.expect(10), plan.expect("a plan"))
}

#[track_caller]
fn assert_tied_and_open(a: &Guest, b: &Guest, path: &str, names: u64) {
    assert_eq!(id(&a.host(path)), id(&b.host(path)), "{path}");
    assert_eq!(nlink(&a.host(path)), names, "{path}");
    assert!(!is_immutable(&a.host(path)), "{path}");
}

#[test]
fn a_lost_base_is_an_alarm_and_a_plan_protects_again() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = tied(&lab);
    let all = [&a, &b, &c];
    let before = listings(&all);
    let (out, plan) = alarming(&lab, &all, &[]);
    let alarm = "SHARED WITHOUT PROTECTION: a and b, 2 files, 17.5 KiB: a write in one guest changes the other's";
    assert_eq!(out.stderr.lines().nth(1), Some(alarm), "{}", out.stderr);
    let said = &plan.json["summary"]["unprotected"];
    assert_eq!(
        (&said["all"], &said["staying"]),
        (&said["taken"], &[""; 0][..].into())
    );
    let makers = plan
        .actions("link")
        .into_iter()
        .filter(|link| link["makes"] == "adopt");
    let makers: Vec<_> = makers.map(|link| (&link["guest"], &link["path"])).collect();
    assert_eq!(
        makers,
        [
            (&"a".into(), &"/usr/f".into()),
            (&"a".into(), &"/usr/g".into())
        ]
    );
    assert_eq!(
        plan.link("b", "/usr/h").expect("a line")["reason"],
        "shared-inode"
    );

    plan.apply().expect(0);
    for (guest, path, names) in [(&c, "/aaa", 4), (&b, "/usr/h", 5), (&c, "/usr/g", 5)] {
        assert!(is_immutable(&guest.host(path)), "{path}");
        assert_eq!(nlink(&guest.host(path)), names, "{path}");
    }
    unchanged(&all, &before, "after apply");
    plan.verify().expect(0);
    plan.apply().expect(0);
    let (out, _) = lab.try_plan(&all, &["--exit-code"]);
    assert!(!out.expect(0).stderr.contains("SHARED WITHOUT"));

    lab.on_base("undo", &["--run", "all", "--guest", "b", "--yes"])
        .expect(0);
    assert_eq!(nlink(&b.host("/usr/g")), 2);
    assert!(!is_immutable(&b.host("/usr/g")) && is_immutable(&a.host("/usr/g")));
    assert_eq!(id(&a.host("/usr/f")), id(&c.host("/aaa")));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0, "every name was known");
    unchanged(&all, &before, "after undo");
}

/// The whole way: a base that is gone with its objects, and a second one in its place.
#[test]
fn what_was_shared_by_a_base_that_is_gone_is_taken_in_by_the_next() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    lift_flags(&lab.guests());
    fs::remove_dir_all(lab.base()).unwrap();
    assert_tied_and_open(&web, &db, "/usr/f", 2);
    let (_, plan) = alarming(&lab, &[&web, &db], &[]);
    plan.apply().expect(0);
    assert!(is_immutable(&db.host("/usr/f")));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_ne!(id(&web.host("/usr/f")), id(&db.host("/usr/f")));
}

/// What one name forbids holds for the inode, and is said.
#[test]
fn what_must_stay_private_or_has_names_elsewhere_is_left_and_counted() {
    let lab = lab!(Disk::Own);
    let [a, b] = ["a", "b"].map(|name| lab.guest(name));
    a.put("/usr/conf", &File::new(content(1)));
    tie(&a, "/usr/conf", &b, "/etc/conf");
    a.put("/usr/out", &File::new(content(2)));
    tie(&a, "/usr/out", &b, "/usr/out");
    fs::hard_link(a.host("/usr/out"), lab.path("outside")).unwrap();
    let (out, plan) = alarming(&lab, &[&a, &b], &[]);
    let said = &plan.json["summary"]["unprotected"];
    let counts = [
        &said["all"]["files"],
        &said["taken"]["files"],
        &said["outside"]["files"],
    ];
    assert_eq!(counts, [2, 0, 1]);
    let kept = plan.skip("a", "/usr/conf").expect("a line");
    assert_eq!(kept["reason"], "shared-unprotected");
    assert_eq!(kept["note"], "b:/etc/conf is left alone");
    assert_eq!(
        plan.skip("b", "/usr/out").expect("a line")["reason"],
        "names-outside"
    );
    for text in [
        "2 files, 17.5 KiB stay shared",
        "1 file of them",
        "cp -a GUEST COPY",
    ] {
        assert!(out.stderr.contains(text), "{text}: {}", out.stderr);
    }
    plan.apply().expect(0);
    assert_tied_and_open(&a, &b, "/usr/out", 3);
    assert!(!is_immutable(&a.host("/usr/conf")));
    for options in [
        &["--protect", "none", "--protect", "none"][..],
        &["--objects", "copy"],
    ] {
        b.put("/x", &File::new(content(3)));
        tie(&b, "/x", &a, "/x");
        let (_, plan) = alarming(&lab, &[&a, &b], options);
        assert_eq!(
            plan.skip("a", "/x").expect("a line")["reason"],
            "shared-unprotected"
        );
        for guest in [&a, &b] {
            fs::remove_file(guest.host("/x")).unwrap();
        }
    }
}

/// A guest with a damaged database takes no part, and writes to what it shares all the same.
#[test]
fn a_guest_that_is_left_out_is_named_with_what_it_shares() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = ["a", "b", "c"].map(|name| lab.guest(name));
    a.put("/usr/f", &File::new(content(1)));
    tie(&a, "/usr/f", &b, "/usr/f");
    a.put("/usr/g", &File::new(content(2)));
    [&b, &c]
        .iter()
        .for_each(|guest| tie(&a, "/usr/g", guest, "/usr/g"));
    b.put("/var/lib/dpkg/status", &File::new("rubbish"));
    let (out, plan) = lab.try_plan(&[&a, &b, &c], &["--exit-code"]);
    let plan = plan.expect("a plan");
    for text in [
        "LEFT OUT: b: ",
        "SHARED WITHOUT PROTECTION: a and b, 1 file, ",
        "SHARED WITHOUT PROTECTION: a, b and c, 1 file, ",
        "2 files, 17.5 KiB stay shared",
    ] {
        assert!(out.stderr.contains(text), "{text}: {}", out.stderr);
    }
    let left = plan.skip("a", "/usr/f").expect("a line");
    assert_eq!(left["reason"], "shared-unprotected");
    assert_eq!(
        left["note"],
        "b:/usr/f is in a guest that is left out of this plan"
    );
    assert!(plan.names().is_empty() && plan.skip("b", "/usr/f").is_none());
    plan.apply().expect(0);
    assert_tied_and_open(&a, &b, "/usr/f", 2);
}

/// Something happens to the inode of `/usr/f` between plan and apply, and it is left as it is.
#[track_caller]
fn assert_left(change: impl FnOnce(&Lab, &Guest, &mut Planned), code: &str, names: u64) {
    let Ok(lab) = Lab::on(Disk::Own) else { return };
    let [a, b, c] = tied(&lab);
    let mut plan = lab.plan(&[&a, &b, &c], &[]);
    change(&lab, &b, &mut plan);
    plan.apply().expect(4);
    let receipt = lab.receipt();
    let line = line_of(&receipt, "a", "/usr/f");
    assert!(strings_in(line).contains(&code), "{line}");
    assert_eq!(nlink(&a.host("/usr/f")), names);
    assert!(!is_immutable(&a.host("/usr/f")));
    assert!(
        is_immutable(&a.host("/usr/g")),
        "the other inode is taken in"
    );
    assert_eq!(lab.staged().len(), 0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_eq!(nlink(&a.host("/usr/f")), names);
}

#[test]
fn an_inode_is_taken_in_with_all_its_names_or_not_at_all() {
    assert_left(
        |lab, b, _| fs::hard_link(b.host("/usr/f"), lab.path("more")).unwrap(),
        "changed",
        3,
    );
    assert_left(
        |_, b, _| {
            fs::remove_file(b.host("/usr/f")).unwrap();
            b.put("/usr/f", &File::new(content("new")));
        },
        "changed",
        1,
    );
    assert_left(
        |lab, _, plan| {
            let of_b = |line: &String| {
                let action = action_of(line).unwrap_or_default();
                action["guest"] == "b" && action["path"] == "/usr/f"
            };
            plan.path = edited(lab, plan, |lines| lines.retain(|line| !of_b(line)));
        },
        "names-elsewhere",
        2,
    );
}

#[test]
fn a_holder_that_runs_keeps_what_it_shares_as_it_is() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = tied(&lab);
    let plan = lab.plan(&[&a, &b, &c], &[]);
    let Some(process) = inside("sh", &["-c", "echo inside; read wait"], &b.host("/usr")) else {
        skip!("this machine cannot put a process there");
    };
    plan.apply().expect(4);
    assert_tied_and_open(&a, &b, "/usr/f", 2);
    let receipt = lab.receipt();
    assert!(strings_in(line_of(&receipt, "b", "/usr/f")).contains(&"guest-running"));
    assert!(strings_in(line_of(&receipt, "a", "/usr/f")).contains(&"names-elsewhere"));
    drop(process);
    lab.plan(&[&a, &b, &c], &[]).apply().expect(0);
    assert!(is_immutable(&a.host("/usr/f")));
}
