//! Projects: guests of one share with each other, a base hands none down, and a file that the kernel lets into no
//! directory of another project is left alone, with its reason, when the plan is made.

use crate::support::{
    File, Guest, Lab, chattr, content, cycle, id, listings, nlink, project_of, set_project,
    unchanged,
};

/// A fresh disk that counts for the quotas of projects; kernels without quotas mount none.
fn ext4() -> Result<Lab, String> {
    let mkfs = ["-O", "project,quota", "-E", "quotatype=prjquota"];
    Lab::formatted("ext4", &mkfs, "loop,prjquota")
}

/// XFS knows projects without quotas as well.
fn xfs() -> Result<Lab, String> {
    Lab::formatted("xfs", &[], "loop,prjquota").or_else(|_| Lab::formatted("xfs", &[], "loop"))
}

/// A guest in a project that its directories inherit, with some files.
fn guest_in(lab: &Lab, name: &str, project: u32) -> Guest {
    let guest = lab.guest(name);
    set_project(guest.root(), project, project != 0);
    guest.put("/usr/lib/a", &File::new(content("a")));
    guest.put("/usr/lib/b", &File::new(content("b")).owner(7, 7));
    guest
}

fn one_project(lab: &Lab) {
    let [web, db] = ["web", "db"].map(|name| guest_in(lab, name, 7));
    assert_eq!(project_of(&db.host("/usr/lib/a")), (7, false));
    for objects in ["adopt", "copy"] {
        let (plan, saved) = cycle(lab, &[&web, &db], &["--objects", objects]);
        assert!(saved > 0 && plan.link("db", "/usr/lib/a").is_some());
        for guest in [&web, &db] {
            let (file, dir) = (guest.host("/usr/lib/a"), guest.host("/usr/lib"));
            assert_eq!(project_of(&file), (7, false), "undo gives the project back");
            assert_eq!(project_of(&dir), (7, true));
        }
    }
}

#[test]
fn guests_of_one_project_share_and_come_apart_on_ext4() {
    match ext4() {
        Ok(lab) => one_project(&lab),
        Err(why) => skip!("{why}"),
    }
}

#[test]
fn guests_of_one_project_share_and_come_apart_on_xfs() {
    match xfs() {
        Ok(lab) => one_project(&lab),
        Err(why) => skip!("{why}"),
    }
}

/// The place of the base is in a project that is inherited, and guests are in none.
fn inherited(lab: &Lab) {
    let [web, db] = ["web", "db"].map(|name| guest_in(lab, name, 0));
    set_project(&lab.guests(), 9, true);
    cycle(lab, &[&web, &db], &[]);
    let base = lab.base();
    assert_eq!(project_of(&base), (9, false), "it counts for its place");
    assert_eq!(project_of(&base.join("objects")), (0, false));
    // A base that somebody puts into a project later, with all that is in it.
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let fans = std::fs::read_dir(base.join("objects")).unwrap();
    for dir in fans.map(|fan| fan.unwrap().path()) {
        set_project(&dir, 9, true);
    }
    for dir in ["objects", "staging", "quarantine", "runs", ""] {
        set_project(&base.join(dir), 9, true);
    }
    let third = guest_in(lab, "third", 0);
    set_project(third.root(), 0, false);
    third.put("/usr/lib/c", &File::new(content("c")));
    web.put("/usr/lib/c", &File::new(content("c")));
    lab.plan(&[&web, &third], &[]).apply().expect(0);
    assert_eq!(id(&web.host("/usr/lib/c")), id(&third.host("/usr/lib/c")));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_eq!(nlink(&web.host("/usr/lib/a")), 1);
}

#[test]
fn a_base_hands_no_project_down_on_ext4() {
    match ext4() {
        Ok(lab) => inherited(&lab),
        Err(why) => skip!("{why}"),
    }
}

#[test]
fn a_base_hands_no_project_down_on_xfs() {
    match xfs() {
        Ok(lab) => inherited(&lab),
        Err(why) => skip!("{why}"),
    }
}

/// A file of another project than its directory's can never be exchanged there.
#[test]
fn a_file_that_its_directory_would_not_take_in_is_left_alone() {
    let lab = match xfs() {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let guests = ["web", "db"].map(|name| guest_in(&lab, name, 7));
    for guest in &guests {
        guest.put("/top", &File::new(content("top")));
        set_project(&guest.host("/usr/lib/b"), 3, false);
        set_project(&guest.host("/top"), 0, false);
    }
    let [web, db] = &guests;
    let before = listings(&[web, db]);
    let plan = lab.plan(&[web, db], &[]);
    for guest in ["web", "db"] {
        for path in ["/usr/lib/b", "/top"] {
            let skip = plan.skip(guest, path).unwrap();
            assert_eq!(skip["reason"], "project", "{skip}");
        }
    }
    plan.apply().expect(0);
    unchanged(&[web, db], &before, "after apply");
    assert_eq!(id(&web.host("/usr/lib/a")), id(&db.host("/usr/lib/a")));
    // What was read before is remembered, and a directory may be put into a project since.
    let again = lab.plan(&[web, db], &[]);
    assert_eq!(again.skip("db", "/usr/lib/b").unwrap()["reason"], "project");
}

/// A file that guests share already, and that one of them has put into a directory of another project since.
#[test]
fn a_shared_file_is_judged_by_the_directories_of_all_its_guests() {
    let lab = match xfs() {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let [web, db] = ["web", "db"].map(|name| guest_in(&lab, name, 0));
    for (name, dir) in [("/usr/share/near", "/usr/share"), ("/opt/far", "/opt")] {
        web.put(name, &File::new(content(name)));
        db.dir(dir);
        std::fs::hard_link(web.host(name), db.host(name)).unwrap();
    }
    set_project(&web.host("/opt"), 5, true);
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &[]);
    for guest in ["web", "db"] {
        let skip = plan.skip(guest, "/opt/far").expect("a line");
        assert_eq!(skip["reason"], "project", "{skip}");
        let note = skip["note"].as_str().expect("a note");
        assert!(
            note.starts_with("web:/opt/far: it is of project 0"),
            "{note}"
        );
        assert!(plan.link(guest, "/usr/share/near").is_some());
    }
    plan.apply().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_eq!(
        nlink(&web.host("/usr/share/near")),
        1,
        "both could be given back"
    );
    unchanged(&[&web, &db], &before, "after undo");
}

/// Directories were put into projects, or made immutable, since the plan: one line is refused for each name that can
/// not be exchanged there, and nothing is taken that could not be given back.
#[test]
fn an_old_plan_is_held_to_the_disk_as_it_is_now() {
    let lab = match xfs() {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let guests = ["web", "db", "third"].map(|name| guest_in(&lab, name, 0));
    for dir in ["/opt", "/srv", "/usr/share"] {
        for guest in &guests {
            guest.put(format!("{dir}/f"), &File::new(content(dir)));
        }
    }
    let [web, db, third] = &guests;
    let before = listings(&[web, db, third]);
    let plan = lab.plan(&[web, db, third], &[]);
    set_project(&web.host("/opt"), 5, true);
    set_project(&db.host("/usr/lib"), 6, true);
    chattr("+i", &web.host("/usr/share"));
    plan.apply().expect(4);
    let refused = [(web, "/opt/f"), (db, "/usr/lib/a"), (web, "/usr/share/f")];
    for (guest, path) in refused {
        assert_eq!(nlink(&guest.host(path)), 1, "{}:{path}", guest.name());
    }
    assert_eq!(id(&db.host("/opt/f")), id(&third.host("/opt/f")));
    assert_eq!(id(&web.host("/usr/lib/a")), id(&third.host("/usr/lib/a")));
    assert_eq!(lab.staged().len(), 0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    chattr("-i", &web.host("/usr/share"));
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0, "all could be given back");
    unchanged(&[web, db, third], &before, "after undo");
}
