//! Errors and refusals are objects for programs, and sentences for people.

use serde_json::Value;

use crate::support::{Disk, File, content, listings, unchanged, unify};

/// An error as an object, which is the only thing on standard output, and as a sentence on standard error.
#[track_caller]
fn error(args: &[&str], exit: i32, code: &str) -> Value {
    let out = unify(args).expect(exit);
    let error = out.json();
    assert_eq!(error["kind"], "unify.error", "{args:?}: {error}");
    assert_eq!(
        (&error["exit"], error["code"].as_str()),
        (&exit.into(), Some(code)),
        "{args:?}: {error}"
    );
    let what = error["what"].as_str().unwrap();
    assert!(
        out.stderr.contains(what) || exit == 2,
        "{args:?}: {what}\n{}",
        out.stderr
    );
    error
}

#[test]
fn errors_are_objects_where_answers_are() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let (path, base) = (
        plan.path.to_str().unwrap(),
        lab.base().display().to_string(),
    );
    let guest = web.root().to_str().unwrap();
    let before = listings(&[&web, &db]);

    let missing = error(&["status", "--json", "--base", &base], 1, "no-base");
    assert_eq!(missing["where"]["host_path"], base.as_str());
    assert!(
        missing["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("unify apply"))
    );
    let gone = error(&["show", "--json", "/no/such/plan"], 1, "not-found");
    assert_eq!(gone["where"]["host_path"], "/no/such/plan");
    let usage = error(&["show", "--json"], 2, "usage");
    assert!(
        usage["what"].as_str().unwrap().contains("<PLAN>"),
        "{usage}"
    );
    let slip = error(&["status", "--json", "--bsae", "/x"], 2, "usage");
    assert_eq!(slip["where"]["option"], "--bsae");
    assert!(slip["hint"].as_str().unwrap().contains("--base"), "{slip}");
    error(&["plan", "--json", guest], 2, "usage");
    error(&["verify", "--json"], 2, "usage");
    error(&["frobnicate", "--json"], 2, "usage");
    error(&["explain", "--json", "no-such-code"], 2, "usage");

    unify(&["apply", "--yes", "--json", path]).expect(0);
    let lock = std::fs::File::open(lab.base().join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let locked = error(&["gc", "--json", "--base", &base], 7, "locked");
    let own = format!("process {} (", std::process::id());
    assert!(
        locked["what"].as_str().unwrap().contains(&own),
        "not the run that is over: {locked}"
    );
    drop(lock);
    lab.on_base("undo", &["--run", "all", "--yes", "--json"])
        .expect(0);
    unchanged(&[&web, &db], &before, "after all errors");
}

#[test]
fn a_plan_that_is_refused_says_where_it_is_wrong() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let before = listings(&[&web, &db]);
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let edited = lab.path("edited.json");
    std::fs::write(&edited, text.replacen("\"uid\":0", "\"uid\":1", 1)).unwrap();
    let edited = edited.to_str().unwrap();
    error(&["apply", "--yes", "--json", edited], 5, "edited");
    let bad = lab.path("bad.json");
    std::fs::write(&bad, text.replacen("\"saves\":", "\"svaes\":", 1)).unwrap();
    let value = error(
        &["show", "--format=json", bad.to_str().unwrap()],
        5,
        "plan-value",
    );
    assert_eq!(value["where"]["field"], "svaes", "{value}");
    assert!(value["where"]["line"].as_u64().unwrap() > 1, "{value}");
    let zipped = lab.path("plan.json.gz");
    std::fs::write(&zipped, b"\x1f\x8b\x08\0\0").unwrap();
    let zipped = error(
        &["apply", "--yes", "--json", zipped.to_str().unwrap()],
        5,
        "plan-text",
    );
    assert!(
        zipped["what"].as_str().unwrap().contains("gzip"),
        "{zipped}"
    );
    unchanged(&[&web, &db], &before, "after all errors");
}

#[test]
fn what_is_selected_cut_or_only_looked_at_has_its_errors_too() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let before = listings(&[&web, &db]);
    let path = plan.path.to_str().unwrap();
    let (there, audit) = (lab.path("there.json"), lab.path("audit.json"));
    std::fs::write(&there, "mine").unwrap();
    let (there, audit) = (there.to_str().unwrap(), audit.to_str().unwrap());
    let cut = ["cut", "--json", path, "--guest", "web", "-o", there];
    assert_eq!(error(&cut, 1, "exists")["where"]["host_path"], there);
    assert_eq!(std::fs::read(there).unwrap(), b"mine");
    let slip = ["show", "--json", path, "--guest", "wbe"];
    let hint = &error(&slip, 2, "unknown-guest")["hint"];
    assert!(hint.as_str().unwrap().contains("web"), "{hint}");
    let nothing = ["apply", "--yes", "--json", path, "--min-saves", "1G"];
    error(&nothing, 1, "nothing-selected");
    let roots = [web.root(), db.root()].map(|root| root.to_str().unwrap());
    unify(&[&["plan", "--audit", "-o", audit][..], &roots].concat()).expect(0);
    error(&["apply", "--yes", "--json", audit], 5, "image-plan");
    error(&["apply", "--dry-run", "--json", audit], 5, "image-plan");
    unify(&["show", "--json", audit]).expect(0);
    unify(&["show", "--json", path, "--guest", "web", "--lines"]).expect(0);
    unchanged(&[&web, &db], &before, "after all of them");
}
