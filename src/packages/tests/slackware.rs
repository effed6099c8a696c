//! Slackware: a habit instead of a statement.

use super::*;
use crate::packages::slackware::Slackware;

const PACKAGE: &str = "var/log/packages/x-1-noarch-1";

#[test]
fn the_kept_guest() {
    let listing = fixture::read(&Slackware, &fixture::root("slackware"))
        .unwrap()
        .unwrap();
    assert!(listing.silent);
    assert_eq!(
        fixture::claimed(&listing),
        fixture::config_files("slackware")
    );
    let [package] = &listing.packages[..] else {
        panic!("the link counts once")
    };
    assert_eq!(
        (&*package.name, package.version.as_deref()),
        ("harbor", Some("1.0"))
    );
    let owners = fixture::owners(&listing);
    for path in [
        "/etc/harbor.conf.new",
        "/usr/bin/harbor",
        "/install/doinst.sh",
    ] {
        let line = format!("{path} harbor 1.0");
        assert!(owners.contains(&line), "{line}");
    }
}

#[test]
fn files_that_are_there() {
    let answer = fixture::ask("slackware");
    let (config, beside) = (SkipReason::ConfigFile, SkipReason::ConfigSidecar);
    let want = [
        ("/etc/harbor.conf", config),
        ("/etc/harbor.conf.new", beside),
        ("/etc/harbor.conf.orig", beside),
        ("/etc/plain", config),
        ("/etc/rc.d/rc.harbor", config),
        ("/usr/share/harbor/harborrc", config),
    ];
    let want = want.map(|(path, why)| (path.to_owned(), (why, "slackware", Some("harbor"))));
    assert_eq!(facts(&answer), want.into());
    assert_eq!(answer.databases[0].state, DatabaseState::Silent);
}

#[test]
fn the_old_place_and_escaped_names() {
    let root = Root::empty();
    root.put(PACKAGE, "FILE LIST:\netc/\\303\\251\n");
    root.put("etc/é", "");
    root.put(
        "var/lib/pkgtools/packages/y-1-noarch-1",
        "FILE LIST:\netc/y\n",
    );
    root.put("etc/y", "");
    let protected = root.ask().protected;
    let paths: Vec<_> = protected.iter().map(|p| p.path.as_bytes()).collect();
    assert_eq!(
        paths,
        [b"/etc/y".as_slice(), "/etc/é".as_bytes()],
        "both directories"
    );
}

#[test]
fn what_breaks_the_grammar_damages_the_whole() {
    for (bad, at) in [
        ("no list\n", 8),
        ("FILE LIST:\netc/a", 11),
        ("FILE LIST:\netc/\0\n", 11),
    ] {
        let root = Root::empty();
        root.put(PACKAGE, bad);
        let place = format!("{PACKAGE}: byte {at}: ");
        assert!(problem(&root.ask()).starts_with(&place), "{bad:?}");
    }
    let long = Root::empty();
    long.put(PACKAGE, format!("FILE LIST:\netc/{}\n", "a".repeat(5_000)));
    assert!(problem(&long.ask()).contains("path longer than 4095"));
}

#[test]
fn paths_that_climb_stay_inside() {
    let root = Root::empty();
    root.put(
        PACKAGE,
        "FILE LIST:\netc/../../../etc/passwd\n../../etc/b.new\n",
    );
    root.put("etc/passwd", "inside");
    root.put("etc/b", "inside");
    let protected: Vec<_> = root
        .ask()
        .protected
        .into_iter()
        .map(|p| p.path.to_string())
        .collect();
    assert_eq!(protected, ["/etc/b", "/etc/passwd"]);
}

#[test]
fn mutations() {
    let package = fixture::root("slackware").join("var/lib/pkgtools/packages/harbor-1.0-noarch-1");
    let package = fs::read(package).unwrap();
    fixture::mutated(&Slackware, &[&package, b"FILE LIST:\netc/\\377\\\\\n"]);
}
