//! A base where none can be, and guests that no base can serve: refused when the plan is made, with what is so and with
//! nothing that does not help; and nothing is left behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{BIN, Disk, File, Guest, Out, content, id, two_guests, unify, unmount};

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn plan_to(plan: &Path, base: Option<&Path>, guests: &[&Path]) -> Out {
    let mut args: Vec<PathBuf> = ["plan", "--protect", "immutable", "-o"]
        .map(PathBuf::from)
        .to_vec();
    args.push(plan.to_owned());
    args.extend(
        base.iter()
            .flat_map(|base| ["--base".as_ref(), *base])
            .map(PathBuf::from),
    );
    args.extend(guests.iter().map(PathBuf::from));
    unify(&args)
}

fn names_in(dir: &Path) -> Vec<std::ffi::OsString> {
    let names = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

fn mount(options: &[&str], places: &[&Path]) {
    let done = Command::new("mount").args(options).args(places).status();
    assert!(done.unwrap().success(), "{options:?} {places:?}");
}

#[test]
fn a_base_that_is_a_link_to_nothing_is_refused_and_leaves_nothing() {
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    std::os::unix::fs::symlink("elsewhere/base", lab.base()).unwrap();
    let before = names_in(&lab.guests());
    let (out, made) = lab.try_plan(&[&web, &db], &[]);
    let said = out.expect(1).stderr;
    assert!(said.contains("is a link that leads to nothing"), "{said}");
    assert!(made.is_none());
    // The link came after the plan.
    let said = plan.apply().expect(1).stderr;
    assert!(said.contains("is a link that leads to nothing"), "{said}");
    assert_eq!(names_in(&lab.guests()), before);
    // Where it leads somewhere, the base is there.
    let place = lab.guests().join("elsewhere/base");
    std::fs::create_dir_all(&place).unwrap();
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    assert!(place.join("format").exists());
    assert_eq!(id(&web.host("/usr/f")), id(&db.host("/usr/f")));
}

#[test]
fn an_empty_directory_becomes_a_base_and_another_is_told_from_one() {
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    std::fs::create_dir(lab.base()).unwrap();
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    assert_eq!(id(&web.host("/usr/f")), id(&db.host("/usr/f")));
    let (guests, roots) = (lab.guests(), [web.root(), db.root()]);
    let plan = lab.path("p.json");
    // What lies around the base means the base, and that is said.
    let meant = format!("unify: base {}", shown(&lab.base()));
    let planned = plan_to(&plan, Some(&guests), &roots);
    let status = unify(&["status", "--base", shown(&guests)]);
    for out in [planned, status] {
        let said = out.expect(0).stderr;
        assert!(said.contains(&meant), "{said}");
    }
    let want = format!("did you mean {}?", shown(&lab.base()));
    let wrong = lab.base().join("objects");
    let said = plan_to(&plan, Some(&wrong), &roots).expect_one_of(&[1, 2]);
    assert!(said.stderr.contains(&want), "{}", said.stderr);
    let said = unify(&["status", "--base", shown(&wrong)]).expect(1).stderr;
    assert!(
        said.contains("is not a base: ") && said.contains(&want),
        "{said}"
    );
    let other = lab.path("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("x"), "x").unwrap();
    let said = plan_to(&lab.path("p.json"), Some(&other), &[web.root()])
        .expect(1)
        .stderr;
    assert!(!said.contains("did you mean"), "{said}");
}

/// Nothing helps but another mount, so nothing else is advised.
#[test]
fn a_read_only_disk_is_told_as_one() {
    let lab = lab!(Disk::Ext4);
    let elsewhere = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let third = lab.guest("third");
    third.put("/usr/f", &File::new(content(1)));
    mount(&["-o", "remount,ro"], &[&lab.path("")]);
    let roots = [web.root(), db.root(), third.root()];
    let plan = elsewhere.path("p.json");
    let tried = [None, Some(elsewhere.base())].map(|base| plan_to(&plan, base.as_deref(), &roots));
    mount(&["-o", "remount,rw"], &[&lab.path("")]);
    for out in tried {
        let said = out.expect(8).stderr;
        assert!(said.contains("read-only"), "{said}");
        for bad in ["--protect", "--base"] {
            assert!(!said.contains(bad), "{said}");
        }
    }
    assert!(!plan.exists());
}

#[test]
fn guests_apart_are_told_as_such_and_how_they_are_together() {
    let (lab, other) = (lab!(Disk::Own), lab!(Disk::Ext4));
    let [web, db] = two_guests(&lab);
    let far = other.guest("far");
    far.put("/usr/f", &File::new(content(1)));
    let plan = lab.path("p.json");
    for base in [None, Some(lab.base())] {
        let out = plan_to(&plan, base.as_deref(), &[web.root(), far.root()]);
        let said = out.expect(8).stderr;
        assert!(said.contains("these guests cannot share"), "{said}");
        assert!(said.contains("on different file systems"), "{said}");
        assert!(!said.contains("--base"), "{said}");
    }
    let out = plan_to(&plan, Some(&lab.base()), &[far.root()]);
    let beside = format!("such as {}", shown(&other.base()));
    let said = out.expect(8).stderr;
    assert!(said.contains(&beside), "{said}");

    let places = ["web", "db"].map(|name| lab.path("bound").join(name));
    for (place, guest) in places.iter().zip([&web, &db]) {
        std::fs::create_dir_all(place).unwrap();
        mount(&["--bind"], &[guest.root(), place]);
    }
    let both = plan_to(&plan, None, &[&places[0], &places[1]]);
    let one = plan_to(&plan, None, &[&places[0]]);
    for place in &places {
        unmount(place);
    }
    let said = both.expect(8).stderr;
    assert!(said.contains("mounts of one file system"), "{said}");
    assert!(!said.contains("--base"), "{said}");
    let said = said + &one.expect(8).stderr;
    for guest in [&web, &db] {
        assert!(said.contains(shown(guest.root())), "{said}");
    }
}

/// A plan that was killed leaves what it had written; in a PID namespace of its own the next has the same number.
#[test]
fn what_a_killed_plan_left_hinders_no_other() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let plan = lab.path("p.json");
    let script = format!(
        "exec unshare --pid --fork --mount-proc {BIN} plan --base {} -o {} {} {}",
        shown(&lab.base()),
        shown(&plan),
        Guest::arg(&web),
        Guest::arg(&db)
    );
    let run = |before: &[&str]| {
        let all = [before, &["bash", "-c", &script]].concat();
        Command::new(all[0]).args(&all[1..]).output().unwrap()
    };
    let killed_at = |calls: &str| {
        let (trace, inject) = (
            format!("trace={calls}"),
            format!("inject={calls}:signal=KILL:when=1"),
        );
        let strace = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
        ];
        assert!(!run(&strace).status.success(), "{calls}");
        assert!(!plan.exists());
    };
    let parts = |place: &Path| {
        let names = names_in(place);
        let is_part = |name: &&std::ffi::OsString| name.to_string_lossy().ends_with(".part");
        names.iter().filter(is_part).count()
    };
    // At the end of the plan, and while it tries on scratch files what can be done.
    killed_at("rename,renameat");
    killed_at("rename,renameat");
    assert_eq!(parts(&lab.path("")), 2);
    killed_at("renameat2");
    assert_eq!(parts(&lab.guests()), 1);
    let out = run(&[]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && plan.exists(), "{said}");
    assert_eq!(
        parts(&lab.guests()),
        0,
        "scratch directories of the dead are removed"
    );
}
