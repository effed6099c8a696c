//! `status` says what is shared now and what has drifted.

use serde_json::Value;

use crate::support::{Disk, File, content, disk_use, is_immutable, unify};

fn guest<'a>(status: &'a Value, name: &str) -> &'a Value {
    let guests = status["guests"].as_array().expect("guests");
    guests
        .iter()
        .find(|guest| guest["name"] == name)
        .expect("the base remembers the guest")
}

#[test]
fn counts_are_those_of_the_disk() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        ("/usr/share/g", File::new(content(2))),
    ]);
    web.put("/usr/share/own", &File::new(content("own")));
    db.hard_link("/usr/share/g", "/usr/share/g2");
    let before = disk_use(&[web.root(), db.root()]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let objects = disk_use(&[&lab.base().join("objects")]);
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    assert_eq!(status["objects"], 2);
    assert_eq!(status["unused_objects"], 0);
    assert_eq!(status["object_bytes"], objects);
    for (guest_of, names) in [("web", 2), ("db", 3)] {
        let guest = guest(&status, guest_of);
        assert_eq!(guest["shared_names"], names, "{guest}");
        assert_eq!(guest["shared_bytes"], objects, "{guest}");
    }
    let own = before - 2 * objects;
    assert_eq!(guest(&status, "web")["unique_bytes"], own);
    assert_eq!(
        guest(&status, "web")["freed_if_deleted"],
        own,
        "the objects stay while db holds them"
    );
    assert_eq!(guest(&status, "db")["freed_if_deleted"], 0);
}

/// `undo` takes a run by its name, and knows no other.
#[test]
fn a_run_that_status_lists_can_be_undone_by_its_name() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let run = status["runs"][0]["run"].as_str().unwrap();
    let stranger = "20260102T030405Z-0a1b2c3d";
    lab.on_base("undo", &["--run", stranger, "--yes"]).expect(2);
    assert!(is_immutable(&web.host("/usr/share/f")));
    lab.on_base("undo", &["--run", run, "--yes"]).expect(0);
    assert!(!is_immutable(&web.host("/usr/share/f")));
}

/// A name that was refused was never ours.
#[test]
fn a_name_that_was_gone_has_not_drifted() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        ("/usr/share/g", File::new(content(2))),
    ]);
    let plan = lab.plan(&[&web, &db], &[]);
    std::fs::remove_file(db.host("/usr/share/g")).unwrap();
    plan.apply().expect(4);
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let db = guest(&status, "db");
    assert_eq!(db["drifted"], serde_json::json!([]), "{db}");
    assert_eq!(db["shared_names"], 1);
}

#[test]
fn a_name_that_was_replaced_has_drifted() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        ("/usr/share/g", File::new(content(2))),
    ]);
    let options = ["--protect", "none", "--protect", "none"];
    let plan = lab.plan(&[&web, &db], &options);
    plan.apply().expect(0);
    lab.on_base("status", &["--exit-code"]).expect(0);
    std::fs::remove_file(db.host("/usr/share/f")).unwrap();
    db.put("/usr/share/f", &File::new(content("newer")));
    std::fs::remove_file(db.host("/usr/share/g")).unwrap();
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let drifted = guest(&status, "db")["drifted"].as_array().unwrap();
    let of = |path: &str| {
        drifted
            .iter()
            .find(|drift| drift["path"] == path)
            .expect("the name has drifted")
    };
    let verify = ["verify".as_ref(), "--json".as_ref(), plan.path.as_os_str()];
    let found = unify(&verify).expect(6).json();
    let about = |path: &str| {
        let all = found["differences"].as_array().unwrap();
        all.iter().filter(|one| one["path"] == path).count()
    };
    assert_eq!((about("/usr/share/f"), about("/usr/share/g")), (1, 1));
    assert_eq!(of("/usr/share/f")["exists"], true);
    assert_eq!(of("/usr/share/g")["exists"], false);
    assert!(
        guest(&status, "web")["drifted"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    lab.on_base("status", &["--exit-code"]).expect(10);
    plan.verify().expect(6);
}

#[test]
fn verify_sees_what_the_disk_says() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    plan.verify().expect(0);
    let name = web.host("/usr/share/f");
    if !is_immutable(&name) {
        skip!("this machine protects by something else than the immutable flag");
    }
    let chattr = |how: &str| {
        assert!(
            std::process::Command::new("chattr")
                .arg(how)
                .arg(&name)
                .status()
                .unwrap()
                .success()
        );
    };
    chattr("-i");
    plan.verify().expect(6);
    std::fs::write(&name, content("damaged")).unwrap();
    chattr("+i");
    let said = unify(&["verify".as_ref(), "--json".as_ref(), plan.path.as_os_str()])
        .expect(6)
        .json();
    assert!(
        !said["differences"].as_array().unwrap().is_empty(),
        "{said}"
    );
}

#[test]
fn a_guest_that_is_gone_is_said_to_be() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &["--protect", "none", "--protect", "none"])
        .apply()
        .expect(0);
    std::fs::remove_dir_all(db.root()).unwrap();
    let status = lab
        .on_base("status", &["--json"])
        .expect_one_of(&[0, 3])
        .json();
    assert!(guest(&status, "db")["missing"].is_string());
    assert_eq!(
        guest(&status, "web")["freed_if_deleted"],
        status["object_bytes"],
        "web holds the objects alone"
    );
}
