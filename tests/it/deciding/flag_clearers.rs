//! Guests that could take the flag off a shared file: said in the plan with the line to write, or kept out of it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{
    Disk, File, Guest, Lab, Planned, content, id, is_immutable, listings, unchanged, unify,
};

const DROPS: &str = "[Exec]\nDropCapability=CAP_LINUX_IMMUTABLE\n";

/// `web` keeps the capability, `db` drops it, and of `dir` nothing is known.
fn three(lab: &Lab) -> [Guest; 3] {
    let guests = ["web", "db", "dir"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest.put("/usr/g", &File::new(content(2)));
        guest
    });
    std::fs::write(beside(lab, "web"), "[Exec]\nBoot=yes\n").unwrap();
    std::fs::write(beside(lab, "db"), DROPS).unwrap();
    guests
}

/// The settings of systemd-nspawn beside a guest.
fn beside(lab: &Lab, guest: &str) -> PathBuf {
    lab.guests().join(format!("{guest}.nspawn"))
}

fn answers(plan: &Planned) -> Vec<Value> {
    let guests = plan.json["guests"].as_array().unwrap();
    let answer = |guest: &Value| guest["flag_clearing"]["answer"].clone();
    guests.iter().map(answer).collect()
}

#[test]
fn a_plan_says_who_could_and_what_to_write() {
    let lab = lab!(Disk::Own);
    let [web, db, dir] = three(&lab);
    let (out, plan) = lab.try_plan(&[&web, &db, &dir], &[]);
    let out = out.expect(0);
    let plan = plan.unwrap();
    let file = beside(&lab, "web").display().to_string();
    let line = format!("write DropCapability=CAP_LINUX_IMMUTABLE under [Exec] in {file}\n");
    let said = format!(
        "COULD TAKE FLAGS OFF: web (systemd-nspawn keeps CAP_LINUX_IMMUTABLE, and {file} does not drop it): {line}"
    );
    assert!(out.stderr.contains(&said), "{}", out.stderr);
    let unknown =
        "\nNOT KNOWN: whether dir could take flags off: no manager's configuration is known\n";
    assert!(out.stderr.contains(unknown), "{}", out.stderr);
    assert!(!out.stderr.contains("whether db"), "{}", out.stderr);
    assert_eq!(answers(&plan), [json!("no"), Value::Null, json!("yes")]);
    let path = plan.path.to_str().unwrap();
    let shown = unify(&["show", "--json", path]).expect(0).json();
    for (shown, planned) in (0..3).map(|n| (&shown["guests"][n], &plan.json["guests"][n])) {
        assert_eq!(shown["flag_clearing"], planned["flag_clearing"]);
    }
    plan.apply().expect(0);
    assert_eq!(id(&web.host("/usr/f")), id(&db.host("/usr/f")), "only said");

    std::fs::write(beside(&lab, "web"), DROPS).unwrap();
    let (out, plan) = lab.try_plan(&[&web, &db], &[]);
    assert_eq!(answers(&plan.unwrap()), [json!("no"), json!("no")]);
    assert!(!out.stderr.contains("TAKE FLAGS OFF"), "{}", out.stderr);
}

#[test]
fn a_policy_keeps_them_out() {
    let lab = lab!(Disk::Own);
    let [web, db, dir] = three(&lab);
    let all = [&web, &db, &dir];
    let before = listings(&[&web]);
    let policy = lab.path("policy.toml");
    std::fs::write(&policy, "flag-clearers = \"refuse\"\n").unwrap();
    let policy = ["--policy", policy.to_str().unwrap()];
    let (out, plan) = lab.try_plan(&all, &policy);
    let plan = plan.unwrap();
    assert!(
        out.stderr.contains("no more of its files are linked"),
        "{}",
        out.stderr
    );
    assert_eq!(plan.json["policy"]["flag_clearers"], "refuse");
    let skip = plan.skip("web", "/").unwrap();
    assert_eq!(
        (&skip["reason"], &skip["files"]),
        (&json!("flag-clearer"), &json!(2))
    );
    let count = &plan.json["summary"]["skipped"]["flag-clearer"]["files"];
    assert_eq!(count, &json!(2));
    let path = plan.path.to_str().unwrap();
    let told = unify(&["explain", "--plan", path, "web:/usr/f"]).expect(0);
    assert!(
        told.stdout.contains("could take the flag off"),
        "{}",
        told.stdout
    );
    plan.apply().expect(0);
    assert!(is_immutable(&db.host("/usr/f")));
    assert_eq!(id(&db.host("/usr/f")), id(&dir.host("/usr/f")));
    unchanged(&[&web], &before, "nothing of it was touched");

    // What is typed wins; each file has its line where that is asked for.
    let typed = [
        &policy[..],
        &["--flag-clearers", "refuse-unknown", "--skips", "all"],
    ]
    .concat();
    let plan = lab.plan(&[&web, &lab.guest("other")], &typed);
    assert_eq!(
        plan.skip("web", "/usr/f").unwrap()["reason"],
        "flag-clearer"
    );
    let plan = lab.plan(&[&web, &dir], &["--flag-clearers", "refuse-unknown"]);
    assert!(plan.names().is_empty(), "{:?}", plan.names());
    let typed = [&policy[..], &["--flag-clearers", "warn"]].concat();
    assert!(lab.plan(&all, &typed).link("web", "/usr/f").is_some());
}

/// Where nothing is flagged, nobody takes a flag off.
#[test]
fn nobody_asks_where_nothing_is_protected() {
    let lab = lab!(Disk::Own);
    let [web, db, _] = three(&lab);
    let none = ["--protect", "none", "--protect", "none"];
    let (out, plan) = lab.try_plan(&[&web, &db], &none);
    assert_eq!(answers(&plan.unwrap()), [Value::Null, Value::Null]);
    assert!(!out.stderr.contains("TAKE FLAGS OFF"), "{}", out.stderr);
}
