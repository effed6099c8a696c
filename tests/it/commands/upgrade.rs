//! The real dpkg upgrades a package inside a guest, and what happens is what the README says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Disk, Guest, Lab, content, dpkg_says, id};

/// A package with one program, built by dpkg-deb. Its files have fixed times, so that all guests get the same.
fn package(lab: &Lab, version: u32) -> PathBuf {
    let stage = lab.path(&format!("tool-{version}"));
    for dir in ["DEBIAN", "usr/bin"] {
        std::fs::create_dir_all(stage.join(dir)).unwrap();
    }
    let control = format!(
        "Package: tool\nVersion: {version}\nArchitecture: all\n\
         Maintainer: Lab <lab@example.invalid>\nDescription: lab\n"
    );
    std::fs::write(stage.join("DEBIAN/control"), control).unwrap();
    std::fs::write(stage.join("usr/bin/tool"), content(version)).unwrap();
    let deb = stage.with_extension("deb");
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Znone", "--build"]);
    let out = build.arg(&stage).arg(&deb).output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    deb
}

fn install(guest: &Guest, deb: &Path) -> Output {
    dpkg_says(guest, "--install", deb)
}

#[test]
fn an_upgrade_fails_loudly_until_the_names_are_private() {
    let lab = lab!(Disk::Own);
    let (old, new) = (package(&lab, 1), package(&lab, 2));
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    for guest in [&web, &db] {
        for dir in ["info", "updates", "triggers"] {
            guest.dir(format!("/var/lib/dpkg/{dir}"));
        }
        std::fs::write(guest.host("/var/lib/dpkg/status"), "").unwrap();
        assert!(install(guest, &old).status.success());
    }
    lab.plan(&[&web, &db], &["--protect", "immutable"])
        .apply()
        .expect(0);
    let (tool, shared) = (web.host("/usr/bin/tool"), id(&db.host("/usr/bin/tool")));
    assert_eq!(id(&tool), shared);

    let out = install(&web, &new);
    let said = String::from_utf8_lossy(&out.stderr);
    let readme = "unable to make backup link of './usr/bin/tool' before installing new version: Operation not permitted";
    assert!(!out.status.success() && said.contains(readme), "{said}");
    assert_eq!(
        std::fs::read(&tool).unwrap(),
        content(1),
        "the old version is whole"
    );

    lab.on_base("undo", &["--run", "all", "--guest", "web", "--yes"])
        .expect(0);
    assert!(install(&web, &new).status.success());
    assert_eq!(std::fs::read(&tool).unwrap(), content(2));
    let other = db.host("/usr/bin/tool");
    assert_eq!(
        (id(&other), std::fs::read(&other).unwrap()),
        (shared, content(1)),
        "the other guest keeps what it has"
    );
}
