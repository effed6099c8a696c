//! What is odd about a root is said when the plan is made: in its report, in its answer for programs, and in the plan.

use serde_json::{Value, json};

use crate::support::{Disk, File, Guest, Lab, Planned, content, unify, unmount};

/// What is noticed of each guest, by the plan, which the answer repeats; and the lines of the report.
fn noticed(lab: &Lab, guests: &[&Guest]) -> (Vec<Value>, String) {
    let (out, plan) = lab.try_plan(guests, &[]);
    let said = out.expect(0).stderr;
    let plan = plan.unwrap();
    let of = |guests: &Value| -> Vec<Value> {
        let guests = guests.as_array().unwrap().iter();
        guests.map(|guest| guest["noticed"].clone()).collect()
    };
    let noticed = of(&plan.json["guests"]);
    assert_eq!(of(&shown(&plan)["guests"]), noticed);
    (noticed, said)
}

fn shown(plan: &Planned) -> Value {
    let args = ["show", "--format", "json"].map(AsRef::as_ref);
    unify(&[&args[..], &[plan.path.as_os_str()]].concat())
        .expect(0)
        .json()
}

fn codes(noticed: &Value) -> Vec<&str> {
    let notes = noticed.as_array().into_iter().flatten();
    notes.map(|note| note["code"].as_str().unwrap()).collect()
}

#[test]
fn what_is_not_in_a_guest_is_said() {
    let lab = lab!(Disk::Own);
    let [empty, flat, small, whole] = ["a", "b", "c", "d"].map(|name| lab.guest(name));
    flat.put("/f", &File::new(content(1)));
    small.put("/usr/f", &File::new(content(1)));
    whole.put("/usr/f", &File::new(content(1)));
    whole.dpkg("paper", &["/etc/conf"]);
    let (notes, said) = noticed(&lab, &[&empty, &flat, &small, &whole]);
    let want = [
        json!([{"code": "no-files"}]),
        json!([{"code": "not-a-root"}]),
        json!([{"code": "no-package-database"}]),
        Value::Null,
    ];
    assert_eq!(notes, want);
    for line in ["EMPTY: a: ", "NOT A ROOT: b: ", "NO DATABASE: c: "] {
        assert!(
            said.contains(&format!("\n{line}")),
            "{line} is not in\n{said}"
        );
    }
    let (out, _) = lab.try_plan(&[&small], &["--package-databases", "ignore"]);
    let said = out.expect(0).stderr;
    assert!(!said.contains("NO DATABASE"), "it was not asked: {said}");
}

/// `rm -rf` takes all but what is immutable. What is advised then lets the rest be removed.
#[test]
fn what_is_left_of_a_guest_is_told_from_one() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db", "third"].map(|name| {
        let guest = lab.guest(name);
        for n in 0..4 {
            guest.put(format!("/usr/lib/{n}"), &File::new(content(n)));
        }
        guest.put("/usr/own", &File::new(content(name)));
        guest.put("/etc/conf", &File::new(content("conf")));
        guest
    });
    let [web, db, third] = &guests;
    third.dpkg("paper", &["/etc/conf"]);
    lab.plan(&[web, db, third], &[]).apply().expect(0);
    let all_shared = lab.guest("small");
    all_shared.put("/usr/lib/0", &File::new(content(0)));
    lab.plan(&[web, &all_shared], &[]).apply().expect(0);
    let (notes, _) = noticed(&lab, &[web, db, third, &all_shared]);
    assert!(
        notes
            .iter()
            .all(|note| !codes(note).contains(&"half-deleted")),
        "{notes:?}"
    );

    for guest in [db, third] {
        let removed = std::process::Command::new("rm")
            .arg("-rf")
            .arg(guest.root())
            .output();
        assert!(
            !removed.unwrap().status.success(),
            "it stops at what is immutable"
        );
        assert!(!guest.host("/etc").exists());
    }
    let (notes, said) = noticed(&lab, &[web, db, third]);
    assert_eq!(
        notes[0],
        json!([{"code": "half-deleted", "had_files": 6, "shared_files": 4}])
    );
    assert_eq!(codes(&notes[1]), ["half-deleted"]);
    assert_eq!(codes(&notes[2]), ["no-package-database"]);
    assert!(
        said.contains("HALF DELETED: db: 4 shared files left of 6"),
        "{said}"
    );
    let advised = format!("`unify forget --base {} db`", lab.base().display());
    assert!(said.contains(&advised), "{said}");
    lab.on_base("forget", &["--yes", "db"]).expect(0);
    std::fs::remove_dir_all(db.root()).unwrap();
}

/// The configuration of a guest whose database is gone is not known any more.
#[test]
fn a_database_that_is_gone_is_missed() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    for guest in [&web, &db] {
        guest.dpkg("paper", &["/etc/conf"]);
        guest.put("/etc/conf", &File::new(content("conf")));
    }
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    std::fs::remove_dir_all(db.host("/var")).unwrap();
    let (notes, said) = noticed(&lab, &[&web, &db]);
    let want = json!([{"code": "no-package-database", "had": ["dpkg"]}]);
    assert_eq!(notes, [want, Value::Null]);
    assert!(said.contains("is gone, so only care rules"), "{said}");
}

#[test]
fn layers_and_stores_are_known() {
    let lab = lab!(Disk::Own);
    let store = lab.guests().join("overlay2/0a1b/diff");
    std::fs::create_dir_all(store.join("usr/lib")).unwrap();
    std::fs::write(store.join("usr/lib/x"), content(1)).unwrap();
    let plan = lab.path("store.json");
    let base = lab.base();
    let [plan, base, store] = [&plan, &base, &store].map(|path| path.to_str().unwrap());
    let out = unify(&["plan", "--protect", "immutable", "-o", plan, store]).expect(2);
    assert!(out.stderr.contains("the store of Docker"), "{}", out.stderr);
    let args = [
        "plan",
        "--protect",
        "immutable",
        "--base",
        base,
        "-o",
        plan,
        store,
    ];
    let said = unify(&args).expect(0).stderr;
    assert!(
        said.contains("CONTAINER STORE: 0a1b: it lies in the store of Docker"),
        "{said}"
    );
    let guest = &Planned::read(plan.as_ref()).json["guests"][0];
    assert_eq!(codes(&guest["noticed"])[0], "container-store");

    let upper = lab.guest("upper");
    upper.put("/usr/f", &File::new(content(1)));
    rustix::fs::lsetxattr(
        upper.root(),
        "trusted.overlay.origin",
        b"x",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    let (notes, said) = noticed(&lab, &[&upper]);
    assert_eq!(codes(&notes[0]), ["overlay-layer", "no-package-database"]);
    assert!(said.contains("OVERLAY LAYER: upper: "), "{said}");
}

/// An overlay that is mounted, with a guest below it and one on it.
#[test]
fn a_mounted_overlay_is_seen_from_both_sides() {
    let lab = lab!(Disk::Own);
    let layer = lab.guest("layer");
    layer.put("/usr/f", &File::new(content(1)));
    let [upper, work, top] = ["up", "wk", "top"].map(|name| lab.path(name));
    for place in [&upper, &work, &top] {
        std::fs::create_dir(place).unwrap();
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lab.guests().display(),
        upper.display(),
        work.display()
    );
    let mounted = std::process::Command::new("mount")
        .args(["-t", "overlay", "overlay", "-o", &options])
        .arg(&top)
        .output()
        .unwrap();
    if !mounted.status.success() {
        skip!("no overlay can be mounted: {mounted:?}");
    }
    let (out, below) = lab.try_plan(&[&layer], &[]);
    let on_top = lab.path("top.json");
    let root = top.join("layer");
    let [root, plan] = [&root, &on_top].map(|path| path.to_str().unwrap());
    let on_it = unify(&["plan", "--protect", "immutable", "-o", plan, root]);
    unmount(&top);
    let said = out.expect(0).stderr;
    assert!(
        said.contains("IN USE: layer: it is, or may be, a layer of the overlay"),
        "{said}"
    );
    let below = below.unwrap();
    assert!(codes(&below.json["guests"][0]["noticed"]).contains(&"in-use"));
    // Some kernels let nothing be linked there, and then no plan is made.
    if on_it.code == 0 {
        assert!(
            on_it.stderr.contains("ON AN OVERLAY: layer: "),
            "{}",
            on_it.stderr
        );
    }
}
