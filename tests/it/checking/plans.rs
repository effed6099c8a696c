//! Plans that are checked.

use crate::support::{Disk, File, Guest, Lab, Out, content, unify};

fn furnished(lab: &Lab) -> [Guest; 2] {
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        (
            "/etc/machine-id",
            File::new("0123456789abcdef0123456789abcdef\n"),
        ),
        ("/etc/agent.conf", File::new(content(2))),
    ]);
    web.put("/usr/share/mode", &File::new(content(5)).mode(0o644));
    db.put("/usr/share/mode", &File::new(content(5)).mode(0o444));
    [web, db]
}

/// Checks a plan, and tells the rules and the first places of what was found.
fn check(plan: &str, options: &[&str]) -> (Out, Vec<(String, String)>) {
    let out = unify(&[&["check", "--json", "--plan", plan], options].concat());
    let json = out.json();
    let all = json["findings"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let found = all.map(|one| (text(&one["rule"]), text(&one["places"][0]["path"])));
    (out, found.collect())
}

fn rules(found: &[(String, String)]) -> Vec<&str> {
    found.iter().map(|(rule, _)| rule.as_str()).collect()
}

const NO_SECRETS: [&str; 2] = ["--level", "shared-secret=off"];

#[test]
fn a_plan_says_what_it_knows_and_whether_it_still_holds() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let path = plan.path.to_str().unwrap();
    let (out, found) = check(path, &[]);
    out.expect(11);
    assert_eq!(rules(&found), ["shared-secret", "mode-differs"]);
    let stale = [&NO_SECRETS[..], &["--stale"]].concat();
    let (out, found) = check(path, &stale);
    out.expect(0);
    assert_eq!(rules(&found), ["mode-differs"]);

    db.put("/usr/share/f", &File::new("changed since"));
    let (out, found) = check(path, &stale);
    out.expect(11);
    assert_eq!(rules(&found), ["mode-differs", "plan-stale"]);
    check(path, &NO_SECRETS).0.expect(0);
    unify(&["check", "--plan", path, &web.arg()]).expect(2);
}

/// A policy that links configuration is seen in the plan itself.
#[test]
fn configuration_that_would_be_linked_is_found() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &["--allow", "etc"]);
    let path = plan.path.to_str().unwrap();
    let (out, found) = check(path, &NO_SECRETS);
    out.expect(11);
    let linked = found.iter().filter(|(rule, _)| rule == "config-linked");
    let paths: Vec<&str> = linked.map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["/etc/agent.conf"; 2]);
    let budget = ["--max-unique-bytes", "1", "--level", "config-linked=off"];
    check(path, &[&NO_SECRETS[..], &budget].concat())
        .0
        .expect(11);
}

#[test]
fn a_report_may_not_lie_in_a_guest() {
    let lab = lab!(Disk::Own);
    let [web, _] = furnished(&lab);
    let inside = format!("--write-baseline={}/known.txt", web.root().display());
    unify(&["check", "--not-a-root", &inside, &web.arg()]).expect(2);
    assert!(!web.host("/known.txt").exists());
}
