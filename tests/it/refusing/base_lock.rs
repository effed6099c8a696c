//! A base lets one run at a time work on it.

use std::process::{Child, Command, Stdio};

use rustix::fs::FlockOperation;

use crate::support::{
    BIN, Disk, File, Guest, Lab, content, id, listings, unchanged, unify, unify_with,
};

/// Three pairs of files, one of them already applied, so that there is a base.
fn started(lab: &Lab) -> [Guest; 2] {
    let [web, db] = lab.twins(&[("/usr/share/first", File::new(content("first")))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    for guest in [&web, &db] {
        guest.put("/usr/share/second", &File::new(content("second")));
    }
    [web, db]
}

#[test]
fn whoever_comes_second_is_told_and_does_nothing() {
    let lab = lab!(Disk::Own);
    let [web, db] = started(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let before = listings(&[&web, &db]);
    let lock = std::fs::File::open(lab.base().join("lock")).expect("the base has a lock file");
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .expect("no run is left behind");
    plan.apply().expect(7);
    let dry = [
        "apply".as_ref(),
        "--dry-run".as_ref(),
        plan.path.as_os_str(),
    ];
    unify(&dry).expect(7);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(7);
    lab.on_base("undo", &["--run", "all", "--dry-run"])
        .expect(7);
    lab.on_base("gc", &[]).expect(7);
    lab.on_base("recover", &[]).expect(7);
    assert_ne!(
        id(&web.host("/usr/share/second")),
        id(&db.host("/usr/share/second"))
    );
    assert_eq!(
        id(&web.host("/usr/share/first")),
        id(&db.host("/usr/share/first"))
    );
    unchanged(&[&web, &db], &before, "after four refusals");
    drop(lock);
    plan.apply().expect(0);
}

/// A run that is kept out says which run holds the base.
#[test]
fn the_holder_is_named() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = started(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let (base, said) = (lab.base(), lab.path("said"));
    let second = format!(
        "exchange#1=run:env -u UNIFY_FAULT {BIN} gc --base {} 2> {}",
        base.display(),
        said.display()
    );
    let plan = plan.path.to_str().unwrap();
    unify_with(&[("UNIFY_FAULT", &second)], &["apply", "--yes", plan]).expect(0);
    let said = std::fs::read_to_string(said).unwrap();
    assert!(said.contains("unify apply, process "), "{said}");
}

#[test]
fn many_starts_at_once_are_one_run_after_the_other() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    for guest in &guests {
        for n in 0..300 {
            guest.put(format!("/usr/share/{n}"), &File::new(content(n)));
        }
    }
    let [web, db] = &guests;
    let plan = lab.plan(&[web, db], &[]);
    let before = listings(&[web, db]);
    let start = |_| -> Child {
        let mut command = Command::new(BIN);
        command.args(["apply", "--yes"]).arg(&plan.path);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let runs: Vec<Child> = (0..8).map(start).collect();
    let codes: Vec<i32> = runs
        .into_iter()
        .map(|mut run| run.wait().unwrap().code().unwrap_or(-1))
        .collect();
    assert!(
        codes.contains(&0) && codes.iter().all(|code| matches!(code, 0 | 7)),
        "{codes:?}"
    );
    unchanged(&[web, db], &before, "after all runs");
    plan.verify().expect(0);
    assert_eq!(lab.objects().len(), 300);
}
