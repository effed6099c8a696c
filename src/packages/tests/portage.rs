//! Portage: what is listed, what is protected, and directories that are none.

use std::os::unix::fs::symlink;

use super::*;
use crate::packages::portage::Portage;

const CONTENTS: &str = "var/db/pkg/app-misc/x-1/CONTENTS";
/// Portage's masks are not used: these are protected here, and portage would overwrite them.
const MASKED: [&str; 2] = ["/etc/env.d/99harbor", "/etc/masked/inner.txt"];

fn objects(paths: &[&str]) -> String {
    paths.iter().map(|p| format!("obj {p} 0 1\n")).collect()
}

fn guest(paths: &[&str]) -> Root {
    let root = Root::empty();
    root.put(CONTENTS, objects(paths));
    root
}

fn claimed(root: &Root) -> Vec<String> {
    let listing = fixture::read(&Portage, &root.path).unwrap().unwrap();
    fixture::claimed(&listing)
}

#[test]
fn the_kept_guest() {
    let listing = fixture::read(&Portage, &fixture::root("portage"))
        .unwrap()
        .unwrap();
    assert!(!listing.silent);
    let mut want = fixture::config_files("portage");
    want.extend(MASKED.map(str::to_owned));
    want.sort();
    assert_eq!(fixture::claimed(&listing), want);
    let packages = listing.packages.iter();
    let packages: Vec<_> = packages.map(|p| (&*p.name, p.version.as_deref())).collect();
    let want = [
        ("app-misc/arriving", Some("2")),
        ("app-misc/harbor", Some("1.2-r3")),
        ("virtual/nothing", Some("0")),
    ];
    assert_eq!(packages, want);
    let owners = fixture::owners(&listing);
    assert_eq!(owners.len(), 13);
    for line in [
        "/etc/arriving.conf app-misc/arriving 2",
        "/etc/two words.conf app-misc/harbor 1.2-r3",
        "/usr/bin/hb app-misc/harbor 1.2-r3",
        "/var/lib/harbor/pipe app-misc/harbor 1.2-r3",
    ] {
        assert!(owners.iter().any(|owner| owner == line), "{line}");
    }
}

#[test]
fn files_that_are_there() {
    let answer = fixture::ask("portage");
    let (config, beside) = (SkipReason::ConfigFile, SkipReason::ConfigSidecar);
    let by = |why, package| (why, "portage", Some(package));
    let want = [
        ("/etc/._cfg0000_harbor.conf", by(beside, "app-misc/harbor")),
        ("/etc/arriving.conf", by(config, "app-misc/arriving")),
        ("/etc/env.d/99harbor", by(config, "app-misc/harbor")),
        ("/etc/harbor.conf", by(config, "app-misc/harbor")),
        ("/etc/masked/but/again.conf", by(config, "app-misc/harbor")),
        ("/etc/masked/inner.txt", by(config, "app-misc/harbor")),
        ("/etc/two words.conf", by(config, "app-misc/harbor")),
        (
            "/opt/harbor/set-in-make.conf",
            by(config, "app-misc/harbor"),
        ),
        (
            "/usr/share/harbor/protected.conf",
            by(config, "app-misc/harbor"),
        ),
    ];
    assert_eq!(facts(&answer), want.map(|(p, f)| (p.to_owned(), f)).into());
}

#[test]
fn settings_in_a_file_and_in_directories_within_directories() {
    let root = guest(&["/a/x", "/b/x", "/c/x", "/d/x"]);
    assert!(claimed(&root).is_empty());
    root.put("etc/make.conf", "CONFIG_PROTECT=/a\n");
    root.put("etc/portage/make.conf/1/2", "CONFIG_PROTECT='/b'\n");
    root.put("etc/portage/make.conf/3", "CONFIG_PROTECT=\"/c\"\n");
    assert_eq!(claimed(&root), ["/a/x", "/b/x", "/c/x"]);
}

#[test]
fn settings_without_end_are_refused() {
    let many = guest(&["/a"]);
    let rules: String = (0..=limits::PROTECTED_PREFIXES)
        .map(|n| format!(" /r{n}"))
        .collect();
    many.put("etc/profile.env", format!("CONFIG_PROTECT='{rules}'\n"));
    assert!(problem(&many.ask()).contains("more than 10000 protected paths"));

    let endless = guest(&["/a"]);
    fs::create_dir_all(endless.path.join("etc/portage/make.conf")).unwrap();
    symlink(".", endless.path.join("etc/portage/make.conf/again")).unwrap();
    assert!(problem(&endless.ask()).contains("too many symbolic links"));
}

#[test]
fn what_breaks_the_grammar_damages_the_whole() {
    for bad in ["obj /etc/a 0", "obj etc/a 0 1", "nonsense", "obj / 0 1", ""] {
        let root = guest(&["/etc/ok"]);
        root.put("etc/ok", "");
        let lines = objects(&["/etc/ok"]);
        root.put(CONTENTS, format!("{lines}{bad}\n"));
        let place = format!("{CONTENTS}: byte {}: ", lines.len());
        assert!(problem(&root.ask()).starts_with(&place), "{bad}");
    }
    let cut = guest(&[]);
    cut.put(CONTENTS, "obj /etc/a 0 1");
    assert!(problem(&cut.ask()).contains("newline"));
}

#[test]
fn paths_that_climb_stay_inside() {
    let root = guest(&["/etc/../../../etc/passwd", "/etc/./ok"]);
    root.put("etc/passwd", "inside");
    root.put("etc/ok", "inside");
    let protected: Vec<_> = root
        .ask()
        .protected
        .into_iter()
        .map(|p| p.path.to_string())
        .collect();
    assert_eq!(protected, ["/etc/ok", "/etc/passwd"]);
}

#[test]
fn a_fifo_is_not_waited_for() {
    for name in [CONTENTS, "etc/profile.env"] {
        let root = guest(&["/etc/ok"]);
        let path = root.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        drop(fs::remove_file(&path));
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        assert!(problem(&root.ask()).contains("found a FIFO"), "{name}");
    }
}

#[test]
fn without_packages_nothing_else_is_looked_at() {
    let root = Root::empty();
    root.put("var/db/pkg/plain", "");
    fs::create_dir_all(root.path.join("etc/profile.env/x")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(root.path.join("etc/make.conf"))
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(root.ask(), Answer::default());
}

#[test]
fn mutations() {
    let contents = fixture::root("portage").join("var/db/pkg/app-misc/harbor-1.2-r3/CONTENTS");
    let contents = fs::read(contents).unwrap();
    fixture::mutated(&Portage, &[&contents, b"dev /dev/x\nsym /a -> b (1, 2L)\n"]);
}
