//! `plan` writes the same bytes for the same guests, refuses what it cannot plan, and changes nothing.

use serde_json::Value;

use crate::support::{Disk, File, Guest, Stamps, content, debian, id, is_immutable, unify};

#[test]
fn a_plan_moves_no_time_stamp() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    let mine = lab.guest("mine");
    mine.put("/usr/share/f", &File::new(content(1)));
    mine.symlink("f", "/usr/share/link");
    mine.fifo("/run/fifo");
    let guests = [&web, &db, &mine];
    let before = guests.map(|guest| Stamps::of(guest.root()));
    let beside = names_in(&lab.guests());
    lab.plan(&guests, &["--skips", "all"]);
    for (guest, before) in guests.iter().zip(&before) {
        let moved = before.diff(&Stamps::of(guest.root()));
        assert!(
            moved.is_empty(),
            "{}: {} moved\n{}",
            guest.name(),
            moved.len(),
            moved[..moved.len().min(10)].join("\n")
        );
    }
    assert_eq!(names_in(&lab.guests()), beside, "a plan makes no base");
}

fn names_in(dir: &std::path::Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    names
}

#[test]
fn the_same_guests_give_the_same_bytes() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    let body = |plan: &std::path::Path| {
        let text = std::fs::read_to_string(plan).unwrap();
        let guests = text.find("\n\"guests\": [\n").expect("guests");
        text[guests..].to_owned()
    };
    let first = body(&lab.plan(&[&web, &db], &[]).path);
    let second = body(&lab.plan(&[&web, &db], &[]).path);
    assert!(first == second, "two plans of the same guests differ");
}

#[test]
fn lines_are_one_action_each_in_order() {
    let lab = lab!(Disk::Own);
    let guests = ["b", "a"].map(|name| lab.guest(name));
    for guest in &guests {
        for path in ["/usr/b", "/usr/a/z", "/usr/a.b", "/usr/a/0"] {
            guest.put(path, &File::new(content(path)));
        }
    }
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("{\"action\":"));
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line.trim_end_matches(',')).unwrap())
        .collect();
    assert_eq!(&lines, plan.json["actions"].as_array().unwrap());
    let links = plan.actions("link").into_iter();
    let order: Vec<_> = links
        .map(|link| {
            (
                link["guest"].as_str().unwrap(),
                link["path"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(order.is_sorted() && order.len() == 8, "{order:?}");
}

#[test]
fn nothing_to_do_is_a_plan_too() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(plan.names(), []);
    plan.apply().expect(0);
    lab.try_plan(&[&web, &db], &["--exit-code"]).0.expect(0);
    for guest in [&web, &db] {
        guest.put("/usr/share/f", &File::new(content(1)));
    }
    lab.try_plan(&[&web, &db], &["--exit-code"]).0.expect(10);
    lab.plan(&[&web], &[]);
}

#[test]
fn a_plan_may_be_lines_and_may_be_packed() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    let promised = lab.plan(&[&web, &db], &[]).promised();
    let base = lab.base();
    for ending in ["jsonl", "json.zst", "jsonl.zst"] {
        let path = lab.path(&format!("plan.{ending}"));
        let file = path.to_str().unwrap();
        let (web, db) = (web.arg(), db.arg());
        unify(&[
            "plan",
            "--base",
            base.to_str().unwrap(),
            "-o",
            file,
            &web,
            &db,
        ])
        .expect(0);
        let packed = std::fs::read(&path)
            .unwrap()
            .starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        assert_eq!(packed, ending.ends_with("zst"), "{ending}");
        let plan = crate::support::Planned {
            path: path.clone(),
            json: Value::Null,
        };
        assert_eq!(plan.promised(), promised, "{ending}");
    }
    let packed = lab.path("plan.jsonl.zst");
    unify(&["apply".as_ref(), "--yes".as_ref(), packed.as_os_str()]).expect(0);
    assert_eq!(id(&web.host("/usr/share/f")), id(&db.host("/usr/share/f")));
}

#[test]
fn no_protection_is_typed_twice() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    let (out, plan) = lab.try_plan(&[&web, &db], &["--protect", "none"]);
    out.expect(2);
    assert!(plan.is_none());
    let plan = lab.plan(&[&web, &db], &["--protect", "none", "--protect", "none"]);
    assert!(plan.actions("flag").is_empty());
    assert_eq!(plan.json["protection"]["mode"], "none");
}

#[test]
fn a_plan_belongs_to_one_host_and_one_version() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let host = plan.json["host"].as_str().unwrap();
    let other = lab.path("other.json");
    for (old, new) in [
        (host.to_owned(), host.replace(['0', '1', '2'], "3")),
        ("\"1.0\"".into(), "\"2.0\"".into()),
    ] {
        let changed = text.replacen(&old, &new, 1);
        assert_ne!(changed, text);
        std::fs::write(&other, changed).unwrap();
        unify(&["apply".as_ref(), "--yes".as_ref(), other.as_os_str()]).expect(5);
        assert_eq!(lab.objects().len(), 0, "nothing is done");
    }
}

/// A guest inside another, the base inside a guest, a guest twice: the plan is refused before anything is read.
#[test]
fn roots_that_overlap_are_refused() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    let refused = |guests: &[String], base: &std::path::Path| {
        let fixed = [
            "plan".to_owned(),
            "--base".into(),
            base.to_str().unwrap().into(),
        ];
        let out = unify(&[&fixed[..], guests].concat());
        assert!(
            matches!(out.code, 1 | 2 | 8),
            "{}: exit code {}",
            out.args,
            out.code
        );
        assert_eq!(out.stdout, "", "no plan");
    };
    let inner = Guest::arg(&web).replace("web=", "inner=") + "/usr";
    refused(&[web.arg(), inner], &lab.base());
    refused(&[web.arg(), web.arg()], &lab.base());
    refused(
        &[web.arg(), web.arg().replace("web=", "again=")],
        &lab.base(),
    );
    refused(&[web.arg(), db.arg()], &web.host("/base"));
    refused(&[web.arg(), db.arg() + "/missing"], &lab.base());
}

/// No name in an immutable or append-only directory can be exchanged: apply would fail there.
#[test]
fn files_in_fixed_directories_are_left_alone() {
    let lab = lab!(Disk::Own);
    // The walk knows directories near the root by their handles, and deep ones by their paths.
    let deep = "/d".repeat(50);
    let in_deep = format!("{deep}/f");
    let paths = [
        "/usr/fixed/f",
        "/usr/append/f",
        &in_deep,
        "/f",
        "/usr/free/f",
    ];
    let files = paths.map(|path| (path, File::new(content(path))));
    let [web, db] = lab.twins(&files);
    for (flag, dir) in [
        ("+i", "/usr/fixed"),
        ("+a", "/usr/append"),
        ("+i", &deep),
        ("+a", "/"),
    ] {
        let mut chattr = std::process::Command::new("chattr");
        let done = chattr.arg(flag).arg(db.host(dir)).status().unwrap();
        assert!(done.success());
    }
    let plan = lab.plan(&[&web, &db], &[]);
    for path in &paths[..4] {
        let skip = plan.skip("db", path).expect("a skip line");
        assert_eq!(skip["reason"], "fixed-directory", "{path}");
        assert!(plan.link("web", path).is_none(), "{path}: no twin is left");
    }
    plan.apply().expect(0);
    assert_eq!(id(&web.host("/usr/free/f")), id(&db.host("/usr/free/f")));
}

/// A file of mostly nothing takes no room and much time to read.
#[test]
fn a_file_of_holes_stops_no_plan() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    for guest in &guests {
        guest.put("/usr/bomb", &File::new(content(1)).in_holes_of(40 << 30));
    }
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    assert_eq!(
        plan.skip("web", "/usr/bomb").unwrap()["reason"],
        "too-sparse"
    );
}

/// A shared file whose flag was taken off gets it again with the next plan.
#[test]
fn a_lost_flag_is_planned_again() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let mut chattr = std::process::Command::new("chattr");
    let done = chattr.arg("-i").arg(web.host("/usr/f")).status().unwrap();
    assert!(done.success() && !is_immutable(&web.host("/usr/f")));
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(plan.actions("flag").len(), 1);
    plan.apply().expect(0);
    assert!(is_immutable(&web.host("/usr/f")));
}
