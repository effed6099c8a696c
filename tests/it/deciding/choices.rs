//! Patterns mean in each guest what the guest means by them, and choices that change nothing are said.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Disk, File, Guest, Lab, Planned, content, is_immutable, nlink, unify};

/// Two guests with merged `/usr`.
fn merged(lab: &Lab) -> [Guest; 2] {
    let names = [
        "/usr/lib/x/f1",
        "/usr/lib/x/f2",
        "/usr/bin/tool",
        "/usr/share/doc/y",
    ];
    let files: Vec<_> = names
        .iter()
        .map(|name| (*name, File::new(content(name))))
        .collect();
    let guests = lab.twins(&files);
    for guest in &guests {
        guest.symlink("usr/lib", "/lib");
        guest.symlink("/usr/bin", "/bin");
        guest.symlink("tool", "/usr/bin/other");
        guest.symlink("/", "/top");
        guest.symlink("loop", "/loop");
        guest.symlink("../../../..", "/usr/up");
    }
    guests
}

fn excluded(plan: &Planned, guest: &str) -> Vec<String> {
    let skips = plan.actions("skip").into_iter();
    let ours = skips.filter(|skip| skip["guest"] == guest && skip["reason"] == "excluded");
    ours.map(|skip| skip["path"].as_str().unwrap().to_owned())
        .collect()
}

fn idle(plan: &Planned) -> Vec<(String, String)> {
    let all = plan.json["summary"]["without_effect"].as_array();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = all.into_iter().flatten();
    all.map(|one| (text(&one["value"]), text(&one["why"])))
        .collect()
}

#[test]
fn patterns_go_through_the_links_of_the_guest() {
    let lab = lab!(Disk::Own);
    let [web, db] = merged(&lab);
    for (pattern, want) in [
        ("/lib/x/f1", vec!["/usr/lib/x/f1"]),
        ("/lib/x/*", vec!["/usr/lib/x/f1", "/usr/lib/x/f2"]),
        ("/l?b/**/f2", vec!["/usr/lib/x/f2"]),
        ("/bin", vec!["/usr/bin"]),
        ("/bin/other", vec!["/usr/bin/tool"]),
        ("/top/lib/x/f1", vec!["/usr/lib/x/f1"]),
        ("/usr/up/lib/x/f1", vec!["/usr/lib/x/f1"]),
    ] {
        let plan = lab.plan(&[&web, &db], &["--exclude", pattern]);
        assert_eq!(excluded(&plan, "web"), want, "{pattern}");
        assert_eq!(excluded(&plan, "db"), want, "{pattern}");
        assert!(idle(&plan).is_empty(), "{pattern}");
    }
    // Neither the whole guest, nor a loop, nor what is outside.
    for pattern in ["/top", "/loop/x", "/usr/up"] {
        let plan = lab.plan(&[&web, &db], &["--exclude", pattern]);
        assert!(excluded(&plan, "web").is_empty(), "{pattern}");
        assert_eq!(idle(&plan), [(pattern.into(), "matches-nothing".into())]);
    }
    let list = lab.path("list");
    fs::write(&list, "/lib/x/f1\n-web:/lib/x/f2\n").unwrap();
    let plan = lab.plan(&[&web, &db], &["--exclude-from", list.to_str().unwrap()]);
    assert_eq!(excluded(&plan, "web"), ["/usr/lib/x/f1", "/usr/lib/x/f2"]);
    assert_eq!(excluded(&plan, "db"), ["/usr/lib/x/f1"]);
}

/// Of each home the cache is a link to one place, and the mail to a place of its own: those are more than are followed.
#[test]
fn what_goes_through_too_many_links_is_refused_and_not_left_in() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/data/c/f", File::new(content(1)))]);
    for number in 0..1_100 {
        for link in ["cache", "mail"] {
            let home = web.host(format!("/home/u{number}"));
            fs::create_dir_all(&home).unwrap();
            let to = match link {
                "cache" => "/data/c".to_owned(),
                _ => format!("/data/m/{number}"),
            };
            fs::create_dir_all(web.host(&to)).unwrap();
            std::os::unix::fs::symlink(&to, home.join(link)).unwrap();
        }
    }
    let plan = lab.plan(&[&web, &db], &["--exclude", "web:/home/*/cache"]);
    assert_eq!(excluded(&plan, "web"), ["/data/c"]);
    assert!(idle(&plan).is_empty());
    let (out, none) = lab.try_plan(&[&web, &db], &["--exclude", "/home/*/mail"]);
    let out = out.expect(2);
    assert!(out.stderr.contains("/home/*/mail"), "{}", out.stderr);
    assert!(none.is_none(), "a plan that does more than was asked");
    let plan = lab.plan(&[&web, &db], &[]);
    for how in ["--yes", "--dry-run"] {
        let plan = plan.path.to_str().unwrap();
        let out = unify(&["apply", plan, how, "--not-path", "/home/*/mail"]).expect(2);
        assert!(out.stderr.contains("/home/*/mail"), "{}", out.stderr);
    }
    assert!(!is_immutable(&web.host("/data/c/f")));
}

#[test]
fn a_pattern_may_name_one_guest() {
    let lab = lab!(Disk::Own);
    let [web, db] = merged(&lab);
    let plan = lab.plan(&[&web, &db], &["--exclude", "web:/usr/share/doc"]);
    assert_eq!(excluded(&plan, "web"), ["/usr/share/doc"]);
    assert!(excluded(&plan, "db").is_empty());
    let skip = plan.skip("web", "/usr/share/doc").unwrap();
    assert_eq!(
        (&skip["rule"], &skip["per"]),
        (&json!("web:/usr/share/doc"), &json!("--exclude"))
    );
    assert_eq!(plan.json["policy"]["patterns"][0]["guest"], "web");
    for (pattern, says) in [
        ("wib:/usr", "did you mean web?"),
        ("nobody:/usr", "it has db, web"),
        ("web:usr/share", "write web:/usr/share"),
    ] {
        let policy = lab.path("policy.toml");
        let text = format!("[[pattern]]\nexclude = \"{pattern}\"\nreason = \"x\"\n");
        fs::write(&policy, text).unwrap();
        for options in [
            ["--exclude", pattern],
            ["--policy", policy.to_str().unwrap()],
        ] {
            let (out, plan) = lab.try_plan(&[&web, &db], &options);
            let out = out.expect(2);
            assert!(
                out.stderr.contains(says) && plan.is_none(),
                "{}",
                out.stderr
            );
        }
    }
}

/// Choices that change nothing in [`configured`] guests: the options, why, and what is said.
const IDLE: &[(&[&str], &str, &str)] = &[
    (
        &["--exclude", "/usr/share/dok"],
        "matches-nothing",
        "near: db:/usr/share/doc",
    ),
    (
        &["--exclude", "["],
        "matches-nothing",
        "NO EFFECT: --exclude '['",
    ),
    (
        &["--exclude", "/usr/bin/tol"],
        "matches-nothing",
        "db:/usr/bin/tool",
    ),
    (
        &["--include", "/etc/lab.conf"],
        "left-alone-anyway",
        "config-file",
    ),
    (
        &["--include", "/usr/bin"],
        "nothing-to-overrule",
        "no care rule",
    ),
    (
        &["--allow", "boot-state"],
        "matches-nothing",
        "no guest has a file",
    ),
    (&["--allow", "package-state"], "left-alone-anyway", " var"),
];

/// [`merged`] guests with a config file and variable data.
fn configured(lab: &Lab) -> [Guest; 2] {
    let guests = merged(lab);
    for guest in &guests {
        guest.dpkg("lab", &["/etc/lab.conf"]);
        guest.put("/etc/lab.conf", &File::new(content("conf")));
        guest.put("/var/lib/z", &File::new(content("z")));
    }
    guests
}

#[test]
fn choices_that_change_nothing_are_said() {
    let lab = lab!(Disk::Own);
    let [web, db] = configured(&lab);
    for (options, why, says) in IDLE {
        let (told, plan) = lab.try_plan(&[&web, &db], options);
        let (told, plan) = (told.expect(0), plan.unwrap());
        assert!(told.stderr.contains(says), "{options:?}: {}", told.stderr);
        let want = [(options[1].into(), (*why).into())];
        assert_eq!(idle(&plan), want, "{options:?}");
        // `show` says it to whoever reviews the plan, and so does the answer for programs.
        let path = plan.path.to_str().unwrap();
        let shown = unify(&["show", path]).expect(0).stdout;
        assert!(shown.contains("NO EFFECT"), "{shown}");
        let shown = unify(&["show", "--json", path]).expect(0).json();
        let summary = &plan.json["summary"];
        assert_eq!(shown["without_effect"], summary["without_effect"]);
    }
}

#[test]
fn choices_that_change_something_are_not() {
    let lab = lab!(Disk::Own);
    let [web, db] = configured(&lab);
    let both = ["--exclude", "/usr/lib", "--exclude", "/usr/lib/x"];
    let plan = lab.plan(&[&web, &db], &both);
    let want = [("/usr/lib/x".into(), "decided-before".into())];
    assert_eq!(idle(&plan), want);
    let said = &plan.json["summary"]["without_effect"][0]["decided_by"];
    assert_eq!(said, "--exclude '/usr/lib'");

    let useful = [
        "--exclude",
        "/lib/x",
        "--include",
        "/var/lib/z",
        "--allow",
        "etc",
    ];
    let ignored = ["--package-databases", "ignore"];
    let plan = lab.plan(&[&web, &db], &[&useful[..], &ignored].concat());
    assert!(idle(&plan).is_empty(), "{:?}", idle(&plan));
    assert!(plan.link("web", "/etc/lab.conf").is_some());
    assert!(plan.link("db", "/var/lib/z").is_some());
}

#[test]
fn databases_that_are_not_there_need_not_be_ignored() {
    let lab = lab!(Disk::Own);
    let [web, db] = merged(&lab);
    let plan = lab.plan(&[&web, &db], &["--package-databases", "web:ignore"]);
    assert_eq!(idle(&plan), [("web:ignore".into(), "no-database".into())]);
    let wrong = ["--package-databases", "wab:ignore"];
    let out = lab.try_plan(&[&web, &db], &wrong).0.expect(2);
    assert!(out.stderr.contains("did you mean web?"), "{}", out.stderr);
}

/// An exclude comes too late for what is shared, and that is said; `undo` finds the names by the same path.
#[test]
fn what_is_shared_already_is_named_and_comes_back() {
    let lab = lab!(Disk::Own);
    let [web, db] = merged(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let plan = lab.plan(&[&web, &db], &["--exclude", "/lib/x"]);
    assert_eq!(idle(&plan), [("/lib/x".into(), "shared-already".into())]);

    let f1 = web.host("/usr/lib/x/f1");
    assert_eq!(nlink(&f1), 3);
    let undo = |paths: &[&str]| {
        let mut options = vec!["--run", "all", "--guest", "web", "--yes"];
        paths
            .iter()
            .for_each(|path| options.extend(["--path", *path]));
        lab.on_base("undo", &options)
    };
    let out = undo(&["/lib/x/f3"]).expect(1);
    assert!(
        out.stderr.contains("MATCHES NOTHING") && out.stderr.contains("web:/lib/x/f1"),
        "{}",
        out.stderr
    );
    let out = undo(&["db:/lib/x/f1"]).expect(1);
    assert!(
        out.stderr.contains("names none of these guests"),
        "{}",
        out.stderr
    );
    assert_eq!(nlink(&f1), 3, "nothing was done");
    let out = undo(&["/lib/x/f1", "/usr/share/dok"]).expect(4);
    assert!(out.stderr.contains("web:/usr/share/doc"), "{}", out.stderr);
    assert_eq!(
        (nlink(&f1), web.read("/usr/lib/x/f1")),
        (1, content("/usr/lib/x/f1"))
    );
    assert_eq!(nlink(&web.host("/usr/lib/x/f2")), 3);
    // It is there, and private, as it was asked for.
    undo(&["/lib/x/f1"]).expect(0);
    undo(&["web:/top/lib/*/f2"]).expect(0);
    assert_eq!(nlink(&web.host("/usr/lib/x/f2")), 1);
}

/// What a choice lets in although a rule keeps such files private has that on its line, and in the sentence.
#[test]
fn what_was_let_in_is_marked_on_its_line() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/etc/pam.conf", File::new(content(1))),
        ("/var/lib/x/state", File::new(content(2))),
        ("/usr/lib/plain", File::new(content(3))),
    ]);
    let rules = crate::support::unify(&["rules", "--json"]).expect(0).json();
    let rules = rules["rules"].to_string();
    assert!(rules.contains("/etc"), "{rules}");
    let plan = lab.plan(&[&web, &db], &["--allow", "etc", "--include", "/var/lib/x"]);
    for guest in ["web", "db"] {
        let note = |path: &str| {
            let line = plan.link(guest, path);
            let line = line.unwrap_or_else(|| panic!("{path} is linked"));
            line["note"].as_str().unwrap_or_default().to_owned()
        };
        let config = note("/etc/pam.conf");
        assert!(
            config.starts_with("let in by --allow etc, else private: etc ("),
            "{config}"
        );
        let state = note("/var/lib/x/state");
        assert!(
            state.starts_with("let in by --include /var/lib/x, else private: "),
            "{state}"
        );
        assert_eq!(note("/usr/lib/plain"), "");
    }
    let shown = crate::support::unify(&["show", "--lines", plan.path.to_str().unwrap()]);
    let shown = shown.expect(0).stdout;
    let lines = shown
        .lines()
        .filter(|line| line.contains("let in by --allow etc"));
    assert_eq!(lines.count(), 2, "{shown}");
    plan.apply().expect(0);
}
