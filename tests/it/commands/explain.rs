//! `explain` says what decided about a name, and what would change it.

use serde_json::{Value, json};

use crate::support::{Disk, File, Guest, Lab, Planned, content, edited, nlink, unify};

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
        guest.put("/usr/share/secret", &File::new(content(6)).mode(0o600));
        guest.put("/usr/share/own", &File::new(content(format!("own {n}"))));
        guest.put("/usr/share/empty", &File::new(""));
        guest.symlink("usr/bin", "/bin");
        guest.symlink("/etc/alternatives/tool", "/usr/bin/link");
        guest.symlink("/bin/tool", "/etc/alternatives/tool");
        guest.symlink("nowhere", "/usr/bin/dangling");
        guest.symlink("/usr/bin/b", "/usr/bin/a");
        guest.symlink("a", "/usr/bin/b");
        guest.symlink("../../../../../../../etc/passwd", "/usr/bin/climb");
        guest.fifo("/usr/share/fifo");
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

fn text(plan: &Planned, name: &str) -> String {
    let args = ["explain", "--plan", plan.path.to_str().unwrap(), name];
    unify(&args).expect(0).stdout
}

fn says(told: &Value) -> String {
    let says = told["says"].as_array().unwrap();
    let says = says.iter().map(|s| s.as_str().unwrap());
    says.collect::<Vec<_>>().join("; ")
}

/// The steps of the change, each as its option and value.
fn steps(told: &Value) -> Vec<String> {
    let steps = told["turn"]["steps"].as_array().unwrap();
    let word = |step: &Value| match step["step"].as_str().unwrap() {
        "plan-option" => format!(
            "{} {}",
            step["option"].as_str().unwrap(),
            step["value"].as_str().unwrap()
        ),
        other => other.to_owned(),
    };
    steps.iter().map(word).collect()
}

/// Does a plan with the steps that were told link the name?
fn links_with(lab: &Lab, guests: &[&Guest], told: &Value, path: &str) -> bool {
    let steps = steps(told);
    let options: Vec<&str> = steps.iter().flat_map(|step| step.split(' ')).collect();
    lab.plan(guests, &options).link("web", path).is_some()
}

#[test]
fn every_verdict_has_its_voice_and_the_change_that_turns_it() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let guests = [&web, &db];
    let plan = lab.plan(&guests, &["--exclude", "*.pyc"]);

    let told = explain(&plan, "web:/usr/share/lab/lab.conf");
    assert_eq!(told["reason"], "config-file");
    assert!(says(&told).contains("per dpkg (lab)"), "{told}");
    // The database of each guest that would share it says no: one alone would change nothing.
    let both = ["db", "web"].map(|guest| format!("--package-databases {guest}:ignore"));
    assert_eq!(steps(&told), both);
    assert!(links_with(&lab, &guests, &told, "/usr/share/lab/lab.conf"));

    let told = explain(&plan, "web:/var/cache/lab/x");
    assert_eq!(told["plan_line"]["top"]["text"], "/var/cache");
    assert_eq!(steps(&told), ["--include /var/cache/lab/x"], "{told}");
    let effect = &told["turn"]["effect"];
    assert_eq!(
        (&effect["files"], &told["turn"]["to"]),
        (&json!(2), &json!("shared"))
    );
    assert!(links_with(&lab, &guests, &told, "/var/cache/lab/x"));

    let told = explain(&plan, "web:/usr/share/a.pyc");
    assert_eq!(told["reason"], "excluded");
    assert!(
        says(&told).contains("excluded by --exclude '*.pyc'"),
        "{told}"
    );
    assert_eq!(steps(&told), ["--include /usr/share/a.pyc"]);

    let told = explain(&plan, "web:/usr/share/secret");
    assert_eq!(steps(&told), ["--allow not-world-readable"]);
    assert!(links_with(&lab, &guests, &told, "/usr/share/secret"));

    let told = explain(&plan, "web:/usr/bin/tool");
    assert_eq!(told["same_as"], json!(["db:/usr/bin/tool"]));
    assert_eq!(steps(&told), ["edit-line"]);
    assert_eq!(told["voices"], json!([]));
    let owner = (&told["package"], &told["version"]);
    assert_eq!(owner, (&json!("lab"), &json!("1")));

    let told = explain(&plan, "web:/usr/share/near");
    assert_eq!(
        (&told["reason"], &told["no_line"]),
        (&Value::Null, &json!("unique"))
    );
    let compared = json!([{"guest": "db", "differs": ["mtime"]}]);
    assert_eq!(told["compared"], compared);
    assert_eq!(steps(&told), ["--ignore mtime"]);

    let told = explain(&plan, "web:/usr/share/empty");
    assert_eq!(told["no_line"], "empty", "and not for want of a twin");
    assert_eq!(explain(&plan, "web:/usr/share/own")["no_line"], "unique");
}

/// Two things at once speak against a config file in `/etc`: neither step suffices alone.
#[test]
fn steps_suffice_together() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.dpkg("lab", &["/etc/lab.conf"]);
        guest.put("/etc/lab.conf", &File::new(content(1)).mode(0o640));
        guest
    });
    let guests = [&guests[0], &guests[1]];
    let plan = lab.plan(&guests, &[]);
    let told = explain(&plan, "web:/etc/lab.conf");
    let want = [
        "--include /etc/lab.conf",
        "--package-databases db:ignore",
        "--package-databases web:ignore",
        "--allow not-world-readable",
    ];
    assert_eq!(steps(&told), want, "{told}");
    assert!(links_with(&lab, &guests, &told, "/etc/lab.conf"));
}

#[test]
fn links_are_followed_inside_the_guest() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let told = explain(&plan, "web:/bin/tool");
    assert_eq!(
        (&told["path"], &told["reason"]),
        (&json!("/usr/bin/tool"), &json!("identical"))
    );
    assert_eq!(told["followed"][0]["path"], "/bin");
    assert_eq!(told["followed"][0]["target"]["text"], "usr/bin");
    let said = text(&plan, "web:/usr/bin/link");
    for part in [
        "/usr/bin/link is a link to /etc/alternatives/tool",
        "/etc/alternatives/tool is a link to /bin/tool",
        "about /usr/bin/tool",
        "link: same content",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let dangling = explain(&plan, "web:/usr/bin/dangling");
    assert_eq!(
        (&dangling["found"], &dangling["path"]),
        (&json!("missing"), &json!("/usr/bin/nowhere"))
    );
    let looping = explain(&plan, "web:/usr/bin/a/x");
    assert_eq!(looping["found"], "unknown");
    assert!(
        looping["problem"].as_str().unwrap().contains("links"),
        "{looping}"
    );
    let climbing = explain(&plan, "web:/usr/bin/climb");
    assert_eq!(
        (&climbing["found"], &climbing["path"]),
        (&json!("missing"), &json!("/etc/passwd"))
    );
    let fifo = explain(&plan, "web:/usr/share/fifo");
    assert_eq!(
        (&fifo["found"], &fifo["says"]),
        (&json!("special"), &json!([]))
    );
}

#[test]
fn what_is_missing_or_a_directory_is_said() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let told = explain(&plan, "web:/usr/bin/tol");
    assert_eq!(
        (&told["found"], &told["no_line"]),
        (&json!("missing"), &json!("not-there"))
    );
    assert_eq!(told["near"][0]["path"], "/usr/bin/tool");
    let told = explain(&plan, "web:/usr/shar/near");
    assert_eq!(told["near"][0]["path"], "/usr/share");
    let said = text(&plan, "web:/usr/bin/tool/x");
    assert!(said.contains("/usr/bin/tool is no directory"), "{said}");

    for name in ["web:/usr/", "web:/usr", "web:/usr/./share/.."] {
        let told = explain(&plan, name);
        assert_eq!(
            (&told["found"], &told["path"]),
            (&json!("directory"), &json!("/usr"))
        );
        let links = &told["beneath"]["to_link"];
        assert_eq!(links, &json!({"files": 2, "bytes": 18_000}), "{told}");
        let reason = |row: &Value| row["reason"].as_str().unwrap().to_owned();
        let rows = told["beneath"]["skips"].as_array().unwrap();
        let rows: Vec<_> = rows.iter().map(reason).collect();
        assert_eq!(rows, ["config-file", "not-world-readable"], "{told}");
    }
    let told = explain(&plan, "web:/var/cache");
    assert_eq!(told["beneath"]["skips"][0]["files"], 1);
    assert_eq!(steps(&told), ["--include /var/cache"]);
    assert!(text(&plan, "web:/var/cache").contains("is a directory"));
}

#[test]
fn what_was_allowed_names_the_choice_that_allowed_it() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    for guest in [&web, &db] {
        guest.put("/etc/conf", &File::new(content(7)));
    }
    let options = [
        "--package-databases",
        "ignore",
        "--allow",
        "etc",
        "--include",
        "/var/cache/lab",
    ];
    let plan = lab.plan(&[&web, &db], &options);
    let told = explain(&plan, "web:/usr/share/lab/lab.conf");
    assert_eq!(told["reason"], "identical");
    let by = json!({"option": "--package-databases", "value": "ignore"});
    assert_eq!(told["voices"][0]["overruled_by"], by, "{told}");
    assert!(
        says(&told).contains("config file per dpkg (lab); does not count"),
        "{told}"
    );
    let told = explain(&plan, "web:/etc/conf");
    assert!(says(&told).contains("because of --allow etc"), "{told}");
    let told = explain(&plan, "web:/var/cache/lab/x");
    assert!(
        says(&told).contains("because of --include '/var/cache/lab'"),
        "{told}"
    );
}

#[test]
fn a_line_that_is_not_true_any_more_is_said() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(explain(&plan, "web:/usr/bin/tool")["stale"], json!([]));
    web.put("/usr/bin/tool", &File::new("other").mode(0o755));
    web.put("/usr/share/secret", &File::new(content(6)));
    std::fs::remove_file(db.host("/usr/bin/tool")).unwrap();
    let told = explain(&plan, "web:/usr/bin/tool");
    let fields = told["stale"].as_array().unwrap();
    let field = |stale: &Value| stale["field"].as_str().unwrap().to_owned();
    let fields: Vec<_> = fields.iter().map(field).collect();
    assert!(
        fields.contains(&"size".into()) && fields.contains(&"ctime".into()),
        "{told}"
    );
    assert_eq!(steps(&told), ["new-plan"]);
    let said = text(&plan, "web:/usr/bin/tool");
    assert!(
        said.contains("not true any more: ") && said.contains("size changed"),
        "{said}"
    );
    let told = explain(&plan, "web:/usr/share/secret");
    assert_eq!(told["stale"][0]["what"], "reason", "{told}");
    assert_eq!(
        explain(&plan, "db:/usr/bin/tool")["stale"][0]["what"],
        "gone"
    );
    web.put("/usr/new", &File::new("new"));
    assert_eq!(explain(&plan, "web:/usr/new")["no_line"], "newer-than-plan");
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
fn what_is_shared_by_now_is_said_and_how_it_comes_back() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let told = explain(&plan, "db:/usr/bin/tool");
    assert_eq!(
        told["stale"],
        json!([]),
        "it is as the plan wants it: {told}"
    );
    let told = explain(&lab.plan(&[&web, &db], &[]), "db:/bin/tool");
    assert_eq!(told["reason"], "already-shared");
    assert!(told["file"]["object"].is_string(), "{told}");
    assert_eq!(told["same_as"], json!(["web:/usr/bin/tool"]));
    let words = told["turn"]["steps"][0]["words"].as_array().unwrap();
    let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
    unify(&[&words[1..], &["--yes"]].concat()).expect(0);
    assert_eq!(nlink(&db.host("/usr/bin/tool")), 1);
}

/// A missing line is no proof of anything in a plan that was cut by hand.
#[test]
fn a_line_that_a_hand_took_out_is_not_called_unique() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let mut plan = lab.plan(&[&web, &db], &[]);
    let is_it = |line: &String| line.contains("\"web\"") && line.contains("\"/usr/bin/tool\"");
    plan.path = edited(&lab, &plan, |lines| lines.retain(|line| !is_it(line)));
    let told = explain(&plan, "web:/usr/bin/tool");
    assert_eq!(
        (&told["plan_line"], &told["no_line"]),
        (&Value::Null, &json!("edited-plan"))
    );
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let path = plan.path.to_str().unwrap();
    unify(&["explain", "config-file"]).expect(0);
    unify(&["explain", "near-miss"]).expect(0);
    let wrong = |what: &str| unify(&["explain", "--plan", path, what]).expect(2).stderr;
    assert!(wrong("config-fil").contains("near ones are config-file"));
    unify(&["explain", "web:/usr/bin/tool"]).expect(2);
    assert!(wrong("mail:/usr/bin/tool").contains("it has db, web"));
    assert!(wrong("wab:/usr/bin/tool").contains("did you mean web?"));
    assert!(wrong("web:usr/bin/tool").contains("web:/usr/bin/tool"));
    let said = wrong("/usr/bin/tool");
    assert!(said.contains("name the guest: db:/usr/bin/tool"), "{said}");
    let out = unify(&["explain", "--plan", path, "web:/usr/\u{1b}[31m\u{202e}x"]).expect(0);
    assert!(!out.stdout.contains('\u{1b}') && !out.stdout.contains('\u{202e}'));
}
