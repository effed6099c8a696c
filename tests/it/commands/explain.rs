//! `explain` says what decided about a name, and what would change it.

use serde_json::{Value, json};

use crate::support::{Disk, File, Guest, Lab, Planned, content, unify};

/// Two guests with one file of every kind.
fn furnished(lab: &Lab) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| lab.guest(name));
    for (n, guest) in (0i64..).zip(&guests) {
        guest.dpkg("lab", &["/usr/share/lab/lab.conf"]);
        let list = "/.\n/usr/bin/tool\n/usr/share/lab/lab.conf\n";
        guest.put("/var/lib/dpkg/info/lab.list", &File::new(list));
        guest.put("/usr/share/lab/lab.conf", &File::new(content(1)));
        guest.put("/usr/bin/tool", &File::new(content(2)).mode(0o755));
        guest.put(
            "/usr/share/near",
            &File::new(content(3)).mtime(1_000 + n, 0),
        );
        guest.put("/usr/share/a.pyc", &File::new(content(4)));
        guest.put("/var/cache/lab/x", &File::new(content(5)));
    }
    guests
}

fn explain(plan: &Planned, name: &str) -> Value {
    let args = [
        "explain",
        "--json",
        "--plan",
        plan.path.to_str().unwrap(),
        name,
    ];
    unify(&args).expect(0).json()
}

fn says(told: &Value) -> String {
    told["says"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("; ")
}

fn change(told: &Value) -> String {
    told["change"].to_string()
}

#[test]
fn every_verdict_has_its_voice() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &["--exclude", "*.pyc"]);

    let told = explain(&plan, "web:/usr/share/lab/lab.conf");
    assert_eq!(told["reason"], "config-file");
    assert!(says(&told).contains("per dpkg (lab)"), "{told}");
    assert!(
        change(&told).contains("--package-databases web:ignore"),
        "{told}"
    );

    let told = explain(&plan, "web:/var/cache/lab/x");
    assert_eq!(told["reason"], "cache");
    assert!(
        told["plan"].as_str().unwrap().contains("/var/cache"),
        "{told}"
    );
    assert!(
        says(&told).contains("/var/cache") && change(&told).contains("--allow cache"),
        "{told}"
    );

    let told = explain(&plan, "web:/usr/share/a.pyc");
    assert_eq!(told["reason"], "excluded");
    assert!(
        says(&told).contains("excluded by --exclude '*.pyc'"),
        "{told}"
    );

    let told = explain(&plan, "web:/usr/bin/tool");
    assert_eq!(told["same_as"], json!(["db:/usr/bin/tool"]));
    assert!(!says(&told).contains("per dpkg"), "{told}");
    assert_eq!(
        (&told["package"], &told["version"]),
        (&json!("lab"), &json!("1"))
    );

    let told = explain(&plan, "web:/usr/share/near");
    assert_eq!(told["reason"], Value::Null);
    assert_eq!(
        told["compared"],
        json!([{"guest": "db", "differs": ["mtime"]}])
    );
    assert!(change(&told).contains("--ignore mtime"), "{told}");
}

/// Where the plan says that the pattern comes from, and not where such patterns mostly come from.
#[test]
fn a_pattern_is_told_with_the_place_where_it_was_given() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    for guest in [&web, &db] {
        guest.put("/opt/x", &File::new(content(6)));
    }
    let (policy, list) = (lab.path("policy.toml"), lab.path("list"));
    let text = "[[pattern]]\ninclude = \"/var/cache/lab/x\"\nreason = \"the same everywhere\"\n";
    std::fs::write(&policy, text).unwrap();
    // The first of them is for the name alone, the second for all that is beneath it.
    std::fs::write(&list, "+/opt\n/opt\n").unwrap();
    let [policy, list] = [&policy, &list].map(|path| path.to_str().unwrap());
    let plan = lab.plan(&[&web, &db], &["--policy", policy, "--exclude-from", list]);

    let told = explain(&plan, "web:/var/cache/lab/x");
    let from = format!("included by {policy}:1 '/var/cache/lab/x'");
    assert!(says(&told).contains(&from), "{told}");

    let told = explain(&plan, "web:/opt/x");
    assert_eq!(told["reason"], "excluded");
    let from = format!("excluded by {list}:2 '/opt'");
    assert!(says(&told).contains(&from), "{told}");
}

#[test]
fn what_is_not_there_or_shared_by_now_is_said() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let told = explain(&plan, "web:/no/such");
    assert!(
        told["now"].as_str().unwrap().contains("does not exist"),
        "{told}"
    );

    plan.apply().expect(0);
    let told = explain(&lab.plan(&[&web, &db], &[]), "db:/usr/bin/tool");
    assert_eq!(told["reason"], "already-shared");
    assert!(
        told["now"].as_str().unwrap().contains("refers to object"),
        "{told}"
    );
    assert_eq!(told["same_as"], json!(["web:/usr/bin/tool"]));
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let path = plan.path.to_str().unwrap();
    unify(&["explain", "config-file"]).expect(0);
    let said = unify(&["explain", "config-fil"]).expect(2).stderr;
    assert!(said.contains("config-file"), "{said}");
    unify(&["explain", "web:/usr/bin/tool"]).expect(2);
    let said = unify(&["explain", "--plan", path, "mail:/usr/bin/tool"])
        .expect(2)
        .stderr;
    assert!(said.contains("db, web"), "{said}");
    let out = unify(&["explain", "--plan", path, "web:/usr/\u{1b}[31m\u{202e}x"]).expect(0);
    assert!(!out.stdout.contains('\u{1b}') && !out.stdout.contains('\u{202e}'));
}
