//! A plan and its guests as they are now.

use std::fs;

use serde_json::Value;

use crate::support::{Disk, File, Listing, Out, Planned, Stamps, content, unify};

fn now(plan: &Planned, options: &[&str]) -> Out {
    let args = ["diff", "--now", "--exit-code", plan.path.to_str().unwrap()];
    unify(&[&args[..], options].concat())
}

fn names(said: &Value) -> Vec<String> {
    let changes = said["changes"].as_array().unwrap().iter();
    let named = changes.filter(|change| change["path"].is_string());
    let name = |change: &Value| {
        let text = |key: &str| change[key].as_str().unwrap().to_owned();
        format!("{} {}:{}", text("what"), text("guest"), text("path"))
    };
    named.map(name).collect()
}

#[test]
fn nothing_changed_and_nothing_is_changed() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/etc/b", File::new(content(2))),
    ]);
    let plan = lab.plan(
        &[&web, &db],
        &["--exclude", "web:/usr/none", "--min-size", "1"],
    );
    let stamps = || [web.root(), db.root()].map(Stamps::of);
    let (before, files) = (stamps(), Listing::of(&lab.guests()));
    let said = now(&plan, &["--json"]).expect(0).json();
    assert_eq!(
        (&said["same_content"], &said["new_plan"]["name"]),
        (&true.into(), &"now".into()),
        "{said}"
    );
    for (before, now) in before.iter().zip(stamps()) {
        assert_eq!(before.diff(&now), [""; 0], "not even an access time");
    }
    assert_eq!(files, Listing::of(&lab.guests()));
    assert!(!lab.base().exists());
    plan.apply().expect(0);
    let done = now(&plan, &["--json", "--reason", "already-shared"])
        .expect(10)
        .json();
    assert_eq!(
        done["changed"], 2,
        "what was done is not to be done any more: {done}"
    );
}

#[test]
fn what_changed_is_told_and_a_guest_that_is_gone_is_no_failure() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ]);
    let app = lab.guest("app");
    app.put("/usr/a", &File::new(content(1)));
    let plan = lab.plan(&[&web, &db, &app], &["--exclude", "app:/usr/none"]);
    db.put("/usr/b", &File::new(content(3)));
    let said = now(&plan, &["--json"]).expect(10).json();
    assert_eq!(names(&said), ["gone db:/usr/b", "gone web:/usr/b"]);
    fs::remove_dir_all(app.root()).unwrap();
    let out = now(&plan, &["--json"]).expect(10);
    assert!(
        out.stderr.contains("app: its root is not there"),
        "{}",
        out.stderr
    );
    let said = out.json();
    assert_eq!(said["guest_changes"][0]["only_in"], "old", "{said}");
    assert!(
        names(&said).contains(&"gone app:/usr/a".to_owned()),
        "{said}"
    );
    for guest in [&web, &db] {
        fs::remove_dir_all(guest.root()).unwrap();
    }
    now(&plan, &[]).expect(1);
}

#[test]
fn what_could_not_be_read_is_no_answer() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/a", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    web.put("/var/lib/dpkg/status", &File::new("Package: a\nBroken\n"));
    now(&plan, &[]).expect(3);
}
