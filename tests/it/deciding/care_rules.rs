//! Care rules keep some files from being shared. Each of these tests shows which file `plan` leaves alone, the code
//! that it gives as the reason, and the option by which a user lifts the rule.

use crate::support::{Disk, File, content, unify};

#[test]
fn small_and_excluded_files_stay() {
    let lab = lab!(Disk::Own);
    let files = ["/usr/share/doc/x", "/usr/share/doc/keep/y", "/usr/lib/z"]
        .map(|path| (path, File::new(content(path))));
    let [web, db] = lab.twins(&files);
    let reason = |options: &[&str], path: &str| {
        let plan = lab.plan(&[&web, &db], &[options, &["--skips", "all"]].concat());
        let skip = plan
            .skip("web", path)
            .map(|skip| skip["reason"].as_str().unwrap().to_owned());
        assert_ne!(
            skip.is_some(),
            plan.link("web", path).is_some(),
            "{path} is either linked or skipped"
        );
        skip
    };
    let excluded = Some("excluded".to_owned());
    assert_eq!(reason(&[], "/usr/share/doc/x"), None);
    assert_eq!(
        reason(&["--min-size", "9001"], "/usr/lib/z"),
        Some("too-small".into())
    );
    assert_eq!(
        reason(&["--exclude", "/usr/share/doc/**"], "/usr/share/doc/x"),
        excluded
    );
    assert_eq!(
        reason(&["--exclude", "/usr/share/doc/**"], "/usr/lib/z"),
        None
    );
    let first_wins = [
        "--include",
        "/usr/share/doc/keep/**",
        "--exclude",
        "/usr/share/doc/**",
    ];
    assert_eq!(reason(&first_wins, "/usr/share/doc/keep/y"), None);
    assert_eq!(reason(&first_wins, "/usr/share/doc/x"), excluded);
    let list = lab.path("exclude");
    std::fs::write(
        &list,
        "# of the original\n+/usr/share/doc/keep/*\n/usr/share/doc/*\n~/usr/lib/z",
    )
    .unwrap();
    let from = ["--exclude-from", list.to_str().unwrap()];
    assert_eq!(reason(&from, "/usr/share/doc/keep/y"), None);
    assert_eq!(reason(&from, "/usr/share/doc/x"), excluded);
    assert_eq!(
        reason(&from, "/usr/lib/z"),
        excluded,
        "a last line without a newline counts"
    );
    let missing = lab.path("missing");
    let (out, plan) = lab.try_plan(&[&web, &db], &["--exclude-from", missing.to_str().unwrap()]);
    assert!(
        out.code != 0 && plan.is_none(),
        "a list that cannot be read is no empty list"
    );
}

/// A file that no care rule lets through, the code that the plan gives, and whether a directory line stands for it.
const CARE: &[(&str, u32, &str)] = &[
    ("/etc/motd.d/x", 0o644, "etc"),
    ("/etc/machine-id", 0o644, "machine-identity"),
    ("/var/lib/systemd/random-seed", 0o644, "random-seed"),
    ("/etc/ssh/ssh_host_rsa_key", 0o644, "secret"),
    ("/etc/passwd", 0o644, "user-database"),
    ("/var/lib/apt/x", 0o644, "package-state"),
    ("/var/cache/x", 0o644, "cache"),
    ("/var/log/x", 0o644, "log"),
    ("/var/lib/dhcp/x", 0o644, "network-identity"),
    ("/var/lib/mysql/x", 0o644, "database"),
    ("/var/lib/cloud/x", 0o644, "cloud-init"),
    ("/var/lib/x", 0o644, "var"),
    ("/home/u/x", 0o644, "home"),
    ("/tmp/x", 0o644, "runtime"),
    ("/usr/share/not-readable", 0o640, "not-world-readable"),
    ("/usr/share/writable", 0o666, "writable-by-others"),
    ("/usr/bin/setuid", 0o4755, "privileged"),
];

#[test]
fn care_rules_have_their_codes_and_can_be_lifted() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    for guest in &guests {
        for (path, mode, _) in CARE {
            guest.put(path, &File::new(content(path)).mode(*mode));
        }
        guest.put("/usr/share/nothing", &File::new(&b""[..]));
    }
    let [web, db] = &guests;
    let plan = lab.plan(&[web, db], &["--skips", "all"]);
    assert_eq!(plan.names(), [], "nothing of all this is shared");
    for (path, _, code) in CARE.iter().chain(&[("/usr/share/nothing", 0, "empty")]) {
        let skip = plan
            .skip("web", path)
            .unwrap_or_else(|| panic!("{path} has a line"));
        assert_eq!(skip["reason"], *code, "{path}: {skip}");
    }
    let plan = lab.plan(&[web, db], &["--allow", "privileged", "--allow", "etc"]);
    assert!(
        plan.link("web", "/usr/bin/setuid").is_some()
            && plan.link("web", "/etc/motd.d/x").is_some()
    );
    assert!(
        plan.link("web", "/etc/machine-id").is_none()
            && plan.link("web", "/usr/share/writable").is_none()
    );
    unify(&["plan", "--allow", "no-such-code", web.arg().as_str()]).expect(2);
}

#[test]
fn config_files_are_named_wherever_they_are() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    for guest in &guests {
        guest.dpkg(
            "demo",
            &[
                "/etc/demo.conf",
                "/usr/share/demo/demo.conf",
                "/etc/missing.conf",
                "/lib/demo/aliased.conf",
            ],
        );
        guest.symlink("usr/lib", "/lib");
        for path in [
            "/etc/demo.conf",
            "/usr/share/demo/demo.conf",
            "/usr/lib/demo/aliased.conf",
            "/usr/share/demo/data",
        ] {
            guest.put(path, &File::new(content(path)));
        }
        guest.hard_link("/usr/share/demo/demo.conf", "/usr/share/demo/second-name");
    }
    let [web, db] = &guests;
    let plan = lab.plan(&[web, db], &["--allow", "etc"]);
    for path in [
        "/etc/demo.conf",
        "/usr/share/demo/demo.conf",
        "/usr/lib/demo/aliased.conf",
    ] {
        let skip = plan
            .skip("web", path)
            .unwrap_or_else(|| panic!("{path} has a line"));
        let facts = ["reason", "per", "package"].map(|key| skip[key].as_str().unwrap_or_default());
        assert_eq!(facts, ["config-file", "dpkg", "demo"], "{path}");
    }
    assert!(
        plan.link("web", "/usr/share/demo/second-name").is_none(),
        "another name of a config file is one, too"
    );
    assert!(plan.link("web", "/usr/share/demo/data").is_some());
}

#[test]
fn a_guest_with_a_damaged_database_is_left_out() {
    let lab = lab!(Disk::Own);
    let guests = ["a", "b", "broken"].map(|name| lab.guest(name));
    for guest in &guests {
        guest.dpkg("demo", &["/etc/demo.conf"]);
        guest.put("/usr/share/f", &File::new(content(1)));
    }
    let [a, b, broken] = &guests;
    broken.put("/var/lib/dpkg/status", &File::new("this is no database\n"));
    let (out, plan) = lab.try_plan(&[a, b, broken], &[]);
    let out = out.expect(3);
    let plan = plan.expect("a plan for the others");
    assert!(
        out.stderr.contains("broken"),
        "the guest is named aloud: {}",
        out.stderr
    );
    assert!(plan.json["guests"][2]["left_out"].is_string());
    assert!(
        plan.link("a", "/usr/share/f").is_some() && plan.link("broken", "/usr/share/f").is_none()
    );
}
