//! Every backend over every sample guest: each finds its own database, and none finds another's.
//!
//! A backend that is new in [`ALL`] needs one line here.

use super::*;

/// A sample guest: which backends find their database in it, and how many packages and config files it lists.
struct Sample {
    managers: &'static [&'static str],
    packages: u64,
    config_files: u64,
    root: Root,
}

fn sample(
    managers: &'static [&'static str],
    packages: u64,
    config_files: u64,
    root: Root,
) -> Sample {
    Sample {
        managers,
        packages,
        config_files,
        root,
    }
}

/// A copy of a kept guest.
fn kept(manager: &str) -> Root {
    let root = Root::empty();
    let from = fixture::root(manager);
    let copied = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(&root.path)
        .status();
    assert!(copied.unwrap().success());
    root
}

fn rpm(kind: &str, place: &str, files: &[&str]) -> Root {
    let root = Root::empty();
    for file in files {
        root.put(&format!("{place}/{file}"), super::rpm::kept(kind, file));
    }
    root
}

fn nixos(store: &str, mark: &str) -> Root {
    let root = stores::system(store);
    root.put(mark, "");
    root
}

fn ucf() -> Root {
    let root = Root::empty();
    root.put("var/lib/ucf/registry", "harbor /etc/harbor.conf\n");
    root
}

fn samples() -> Vec<Sample> {
    let modern = "usr/lib/sysimage/rpm";
    let mut all = vec![
        sample(&["ucf"], 1, 1, ucf()),
        sample(&["rpm"], 3, 12, rpm("sqlite", modern, &["rpmdb.sqlite"])),
        sample(
            &["rpm"],
            4,
            13,
            rpm("sqlite-wal", modern, &["rpmdb.sqlite", "rpmdb.sqlite-wal"]),
        ),
        sample(&["rpm"], 3, 12, rpm("ndb", modern, &["Packages.db"])),
        sample(&["rpm"], 3, 12, rpm("bdb", "var/lib/rpm", &["Packages"])),
        sample(&["pacman"], 1, 7, kept("pacman")),
        sample(&["apk"], 1, 9, kept("apk")),
        sample(&["opkg"], 1, 5, kept("opkg")),
        sample(&["xbps"], 2, 5, kept("xbps")),
        sample(&["portage"], 3, 9, kept("portage")),
        sample(&["slackware"], 1, 6, kept("slackware")),
        sample(&["nix"], 1, 4, nixos("nix/store", "etc/NIXOS")),
        sample(&["guix"], 1, 0, nixos("gnu/store", "run/current-system/x")),
    ];
    all.extend(Root::by_dpkg().map(|root| sample(&["dpkg", "ucf"], 5, 15, root)));
    all
}

/// All sample guests.
pub(super) fn roots() -> impl Iterator<Item = Root> {
    samples().into_iter().map(|sample| sample.root)
}

#[test]
fn every_backend_over_every_sample() {
    let all = samples();
    for Sample {
        managers,
        packages,
        config_files,
        root,
    } in &all
    {
        let answer = root.ask();
        let found: Vec<&str> = answer.databases.iter().map(|d| &*d.manager).collect();
        assert_eq!(found, *managers, "{}", root.path.display());
        let damaged = answer.databases.iter().find_map(|d| d.problem.as_deref());
        assert_eq!(damaged, None, "{managers:?}");
        let sums = answer
            .databases
            .iter()
            .fold((0, 0), |(p, c), d| (p + d.packages, c + d.config_files));
        assert_eq!(sums, (*packages, *config_files), "{managers:?}");
    }
    for backend in ALL {
        let manager = backend.manager();
        let has_one = all.iter().any(|sample| sample.managers.contains(&manager));
        assert!(has_one || manager == "dpkg", "{manager} has no sample");
    }
}
