//! xbps, and property lists that are meant to harm.

use std::time::Duration;

use super::*;
use crate::packages::xbps::Xbps;
use crate::sys::effort::computed;

const LIST: &str = "var/db/xbps/pkgdb-0.38.plist";
const FILES: &str = "var/db/xbps/.x-files.plist";

fn plist(body: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<plist version=\"1.0\">{body}</plist>\n")
}

fn of_package(conf_files: &str) -> String {
    let array = format!("<key>conf_files</key><array>{conf_files}</array>");
    plist(&format!(
        "<dict><key>x</key><dict>{array}<key>pkgver</key><string>x-1_1</string></dict></dict>"
    ))
}

fn of_files(conf_files: &str) -> String {
    let array = format!("<key>conf_files</key><array>{conf_files}</array>");
    plist(&format!("<dict>{array}</dict>"))
}

#[test]
fn the_kept_guest() {
    let listing = fixture::read(&Xbps, &fixture::root("xbps"))
        .unwrap()
        .unwrap();
    assert!(!listing.silent);
    assert_eq!(fixture::claimed(&listing), fixture::config_files("xbps"));
    let want = [
        "/etc/harbor/a.conf harbor 1.0_1",
        "/etc/harbor/b&c.conf harbor 1.0_1",
        "/usr/share/harbor/only-here.conf harbor 1.0_1",
        "/usr/bin/harbor harbor 1.0_1",
        "/usr/bin/hb harbor 1.0_1",
    ];
    assert_eq!(fixture::owners(&listing), want);
}

#[test]
fn files_that_are_there() {
    let answer = fixture::ask("xbps");
    let (config, beside) = (SkipReason::ConfigFile, SkipReason::ConfigSidecar);
    let harbor = Some("harbor");
    let want = [
        ("/etc/departed.conf", (config, "xbps", Some("departed"))),
        ("/etc/harbor/a.conf", (config, "xbps", harbor)),
        ("/etc/harbor/a.conf.new-1.1_1", (beside, "xbps", harbor)),
        ("/etc/harbor/b&c.conf", (config, "xbps", harbor)),
        ("/usr/share/harbor/only-here.conf", (config, "xbps", harbor)),
    ];
    assert_eq!(facts(&answer), want.map(|(p, f)| (p.to_owned(), f)).into());
    let [database] = &answer.databases[..] else {
        panic!()
    };
    let sum = (database.state, database.packages, database.config_files);
    assert_eq!(sum, (DatabaseState::Known, 2, 5));
}

#[test]
fn any_format_number_and_both_kinds_of_file_count() {
    let root = Root::empty();
    root.put(
        "var/db/xbps/pkgdb-0.99.plist",
        of_package("<string>/etc/a</string>"),
    );
    root.put(LIST, of_package("<string>/etc/b</string>"));
    root.put(
        FILES,
        of_files("<dict><key>file</key><string>/etc/c</string></dict>"),
    );
    let listing = fixture::read(&Xbps, &root.path).unwrap().unwrap();
    assert_eq!(fixture::claimed(&listing), ["/etc/a", "/etc/b", "/etc/c"]);
    assert_eq!(listing.packages.len(), 1);
}

#[test]
fn nested_entities_are_refused_and_not_expanded() {
    let root = Root::empty();
    let mut entities = "<!ENTITY a \"aaaaaaaaaa\">".to_owned();
    for (name, inner) in ["b", "c", "d", "e", "f"]
        .iter()
        .zip(["a", "b", "c", "d", "e"])
    {
        entities += &format!("<!ENTITY {name} \"{}\">", format!("&{inner};").repeat(8));
    }
    let body = "<dict><key>conf_files</key><array><dict><key>file</key><string>/&f;</string></dict></array></dict>";
    root.put(FILES, format!("<!DOCTYPE p [{entities}]>{}", plist(body)));
    let want = format!("{FILES}: byte 0: document type with declarations of its own");
    assert_eq!(problem(&root.ask()), want);
}

#[test]
fn depth_has_a_bound() {
    let root = Root::empty();
    root.put(FILES, format!("<plist>{}", "<array>".repeat(100_000)));
    let before = computed();
    assert!(problem(&root.ask()).contains("more than 16 containers"));
    assert!(computed() - before < Duration::from_secs(10));
}

#[test]
fn what_breaks_the_grammar_damages_the_whole() {
    for bad in [
        "",
        "<plist>",
        "no list",
        "<dict/>",
        "<plist><dict><key>a</key></dict></plist>",
    ] {
        let root = Root::empty();
        root.put("etc/ok", "");
        root.put(LIST, of_package("<string>/etc/ok</string>"));
        root.put(FILES, bad);
        assert!(problem(&root.ask()).starts_with(FILES), "{bad}");
    }
    for path in ["etc/relative", "", "/"] {
        let root = Root::empty();
        root.put(LIST, of_package(&format!("<string>{path}</string>")));
        assert!(problem(&root.ask()).starts_with(LIST), "{path}");
    }
}

#[test]
fn names_that_are_none() {
    let root = Root::empty();
    let list = of_package("").replace("<key>x</key>", "<key>a\u{1b}[m</key>");
    root.put(LIST, list);
    assert!(problem(&root.ask()).contains("not a package name"));
}

#[test]
fn a_lost_list_is_damage_and_no_database_is_none() {
    let root = Root::empty();
    root.put("var/db/xbps/https___repo/x86_64-repodata", "binary");
    assert_eq!(root.ask(), Answer::default());
    root.put(FILES, of_files(""));
    let want = format!("{LIST}: missing, though var/db/xbps is there");
    assert_eq!(problem(&root.ask()), want);
}

#[test]
fn many_config_files_take_seconds_and_too_many_are_refused() {
    let many = |n: usize| {
        let strings: String = (0..n).map(|i| format!("<string>/f{i}</string>")).collect();
        of_package(&strings)
    };
    let before = computed();
    assert_eq!(Xbps.parse(many(300_000).as_bytes()), Ok(300_001));
    assert!(computed() - before < Duration::from_secs(30));
    let fault = Xbps.parse(many(limits::CONFIG_FILES + 1).as_bytes());
    assert_eq!(fault.unwrap_err().what, Defect::TooMany);
}

#[test]
fn mutations() {
    let root = fixture::root("xbps");
    let list = fs::read(root.join(LIST)).unwrap();
    let files = fs::read(root.join("var/db/xbps/.harbor-files.plist")).unwrap();
    fixture::mutated(&Xbps, &[&list, &files]);
}
