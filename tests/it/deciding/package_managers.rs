//! Guests of four distributions stand in one plan, and each guest's own package manager says which files are its
//! configuration.

use std::path::Path;

use crate::support::{Disk, File, Guest, Lab, content, id, listings, unchanged};

/// A config file outside of `/etc` for each family, as its sample database names it.
const CONFIG: [(&str, &str); 4] = [
    ("debian", "/usr/share/lab/debian.conf"),
    ("fedora", "/usr/share/lab/outside.conf"),
    ("alpine", "/opt/lab/extra.conf"),
    ("arch", "/opt/lab/outside.conf"),
];

fn sample(path: &str) -> Vec<u8> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests");
    std::fs::read(data.join(path)).unwrap()
}

/// Four guests with the same files, and a database each.
fn families(lab: &Lab) -> [Guest; 4] {
    let guests = CONFIG.map(|(family, _)| lab.guest(family));
    for guest in &guests {
        for (n, (_, path)) in CONFIG.iter().enumerate() {
            guest.put(path, &File::new(content(n)));
        }
        guest.put("/usr/bin/tool", &File::new(content("tool")).mode(0o755));
    }
    let [debian, fedora, alpine, arch] = &guests;
    debian.dpkg("lab", &[CONFIG[0].1]);
    let packed = sample("rpm/sqlite/rpmdb.sqlite.zst");
    let database = zstd::decode_all(&*packed).unwrap();
    fedora.put("/usr/lib/sysimage/rpm/rpmdb.sqlite", &File::new(database));
    for path in ["lib/apk/db/installed", "etc/apk/protected_paths.d/lab.list"] {
        alpine.put(
            format!("/{path}"),
            &File::new(sample(&format!("apk/root/{path}"))),
        );
    }
    for path in [
        "var/lib/pacman/local/ALPM_DB_VERSION",
        "var/lib/pacman/local/lab-p-2-1/files",
    ] {
        arch.put(
            format!("/{path}"),
            &File::new(sample(&format!("pacman/root/{path}"))),
        );
    }
    guests
}

#[test]
fn each_family_keeps_its_own_configuration() {
    let lab = lab!(Disk::Own);
    let guests = families(&lab);
    let all: Vec<&Guest> = guests.iter().collect();
    let before = listings(&all);
    let plan = lab.plan(&all, &[]);
    let managers = ["dpkg", "rpm", "apk", "pacman"];
    for ((family, path), manager) in CONFIG.iter().zip(managers) {
        let skip = plan.skip(family, path).expect("a skip line");
        assert_eq!(skip["reason"], "config-file", "{family}");
        assert_eq!(skip["per"], manager);
        for (other, _) in CONFIG.iter().filter(|(other, _)| other != family) {
            assert!(
                plan.link(other, path).is_some(),
                "{other}:{path} is no config file there"
            );
        }
    }
    plan.apply().expect(0);
    for ((family, path), guest) in CONFIG.iter().zip(&guests) {
        let mut others = guests.iter().filter(|other| other.name() != *family);
        let first = id(&others.next().unwrap().host(path));
        assert!(
            others.all(|other| id(&other.host(path)) == first),
            "{path} is shared"
        );
        assert_ne!(
            id(&guest.host(path)),
            first,
            "{family} keeps its own {path}"
        );
    }
    unchanged(&all, &before, "after apply");
}

/// What a guest says in its own database is about its own files.
#[test]
fn a_lying_database_changes_nothing_for_others() {
    let lab = lab!(Disk::Own);
    let guests = families(&lab);
    let all: Vec<&Guest> = guests.iter().collect();
    let honest = lab.plan(&all, &[]);
    // Debian claims the files of all guests, and forgets its own.
    guests[0].dpkg(
        "lab",
        &[
            "/usr/bin/tool",
            "/../fedora/usr/bin/tool",
            "/usr/share/lab/outside.conf",
        ],
    );
    let lied = lab.plan(&all, &[]);
    let lines = |plan: &crate::support::Planned| {
        let mut lines: Vec<String> = plan
            .actions("link")
            .into_iter()
            .chain(plan.actions("skip"))
            .filter(|line| line["guest"] != "debian")
            .map(|line| format!("{} {} {}", line["guest"], line["path"], line["action"]))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&honest), lines(&lied));
    assert!(lied.link("fedora", "/usr/bin/tool").is_some());
    assert!(lied.skip("debian", "/usr/bin/tool").is_some());
}

/// A damaged database leaves its guest out, unless the user says that care rules shall decide.
#[test]
fn a_damaged_database_and_the_choice_about_it() {
    let lab = lab!(Disk::Own);
    let guests = families(&lab);
    let all: Vec<&Guest> = guests.iter().collect();
    guests[2].put("/lib/apk/db/installed", &File::new("nonsense\n\n"));
    let (out, plan) = lab.try_plan(&all, &[]);
    let plan = plan.expect("a plan");
    assert_eq!(out.code, 3);
    assert!(
        out.stderr.contains("lib/apk/db/installed"),
        "{}",
        out.stderr
    );
    assert!(plan.names().iter().all(|(guest, _)| guest != "alpine"));
    let (out, plan) = lab.try_plan(&all, &["--on-damaged-database", "care-rules-only"]);
    // It was not read, whatever the policy makes of that.
    out.expect(3);
    let plan = plan.expect("a plan");
    assert!(
        plan.link("alpine", CONFIG[2].1).is_some(),
        "only care rules decide"
    );
    assert_eq!(
        plan.json["policy"]["on_damaged_database"],
        "care-rules-only"
    );
    let plan = lab.plan(&all, &["--package-databases", "alpine:ignore"]);
    assert!(
        plan.link("alpine", CONFIG[2].1).is_some(),
        "nobody was asked"
    );
    assert_eq!(plan.json["guests"][0]["databases_ignored"], true);
    assert!(plan.skip("arch", CONFIG[3].1).is_some(), "the others were");
    let plan = lab.plan(
        &all,
        &[
            "--package-databases",
            "ignore",
            "--package-databases",
            "arch:use",
        ],
    );
    assert!(plan.link("debian", CONFIG[0].1).is_some());
    assert!(plan.skip("arch", CONFIG[3].1).is_some());
    lab.try_plan(&all, &["--package-databases", "nobody:ignore"])
        .0
        .expect(2);
}
