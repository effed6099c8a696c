//! What a package manager could not remove is told by `status` and `verify`, and what they advise works.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{
    BIN, Disk, File, Guest, Lab, Planned, content, debian, dpkg_says, is_immutable, lift_flags,
    unify,
};

/// A package, built by dpkg-deb. Its files have fixed times, so that all guests get the same.
fn package(lab: &Lab, version: u32, files: &[&str], conffiles: &str) -> PathBuf {
    let stage = lab.path(&format!("tool-{version}"));
    let control = format!(
        "Package: tool\nVersion: {version}\nArchitecture: all\n\
         Maintainer: Lab <lab@example.invalid>\nDescription: lab\n"
    );
    let put = |path: &str, content: &[u8]| {
        let path = stage.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    put("DEBIAN/control", control.as_bytes());
    if !conffiles.is_empty() {
        put("DEBIAN/conffiles", conffiles.as_bytes());
    }
    files.iter().for_each(|path| put(path, &content(path)));
    let deb = stage.with_extension("deb");
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Znone", "--build"]);
    succeed(&build.arg(&stage).arg(&deb).output().unwrap());
    deb
}

fn succeed(out: &Output) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
}

/// The real dpkg in a guest; whatever it says, it must report success.
fn dpkg(guest: &Guest, what: &str, on: impl AsRef<Path>) {
    succeed(&dpkg_says(guest, what, on));
}

/// Two guests with a merged `/usr`, the package, and a file that no package has.
fn with_package(lab: &Lab, deb: &Path) -> [Guest; 2] {
    ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for dir in ["info", "updates", "triggers"] {
            guest.dir(format!("/var/lib/dpkg/{dir}"));
        }
        guest.put("/usr/lib/made-by-postinst", &File::new(content("made")));
        guest.symlink("usr/lib", "/lib");
        std::fs::write(guest.host("/var/lib/dpkg/status"), "").unwrap();
        dpkg(&guest, "--install", deb);
        guest
    })
}

fn share(lab: &Lab, guests: &[&Guest], options: &[&str]) -> Planned {
    let plan = lab.plan(guests, &[&["--protect", "immutable"], options].concat());
    plan.apply().expect(0);
    plan
}

fn status_of(lab: &Lab, name: &str) -> Value {
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let guests = status["guests"].as_array().unwrap();
    let guest = guests.iter().find(|guest| guest["name"] == name);
    guest.expect("the base remembers the guest").clone()
}

fn orphaned(guest: &Value) -> Vec<&str> {
    let names = guest["orphaned"].as_array().unwrap();
    names
        .iter()
        .map(|name| name["path"].as_str().unwrap())
        .collect()
}

const FILES: [&str; 3] = [
    "lib/tool/data",
    "usr/bin/tool",
    "usr/share/tool/odd [a]'s *",
];
const NAMES: [&str; 3] = [
    "/usr/bin/tool",
    "/usr/lib/tool/data",
    "/usr/share/tool/odd [a]'s *",
];

#[test]
fn what_a_purge_leaves_is_told_and_the_advice_works() {
    let lab = lab!(Disk::Own);
    let deb = package(&lab, 1, &FILES, "");
    let [web, db] = with_package(&lab, &deb);
    let plan = share(&lab, &[&web, &db], &[]);
    assert!(is_immutable(&web.host("/usr/lib/made-by-postinst")));
    lab.on_base("status", &["--exit-code"]).expect(0);
    dpkg(&web, "--purge", "tool");

    assert!(
        !dpkg_says(&web, "--install", &deb).status.success(),
        "not while they are protected"
    );
    let guest = status_of(&lab, "web");
    assert_eq!(orphaned(&guest), NAMES);
    let first = &guest["orphaned"][0];
    assert_eq!(
        (&first["package"], &first["version"]),
        (&"tool".into(), &"1".into())
    );
    assert_eq!(orphaned(&status_of(&lab, "db")), [""; 0]);
    lab.on_base("status", &["--exit-code"]).expect(10);
    let said = lab.on_base("status", &[]).expect(0).stdout;
    assert!(said.contains("ORPHANED: web: 3 shared names"), "{said}");
    verified(&plan, &NAMES);

    let advised = said
        .lines()
        .find_map(|line| line.split_once("to be rid of them:  unify "));
    let line = format!("{BIN} {} --yes", advised.expect("advice").1);
    succeed(&Command::new("bash").args(["-c", &line]).output().unwrap());
    assert!(NAMES.iter().all(|name| !is_immutable(&web.host(name))));
    assert!(
        is_immutable(&web.host("/usr/lib/made-by-postinst")),
        "only these"
    );
    dpkg(&web, "--install", &deb);
    dpkg(&web, "--purge", "tool");
    assert!(NAMES.iter().all(|name| !web.host(name).exists()));
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// The plan holds, and `verify` says what became of its names.
fn verified(plan: &Planned, names: &[&str]) {
    let verify = ["verify".as_ref(), "--json".as_ref(), plan.path.as_os_str()];
    let found = unify(&verify).expect(0).json();
    assert_eq!(found["ok"], true, "{found}");
    let all = found["orphaned"].as_array().unwrap();
    let paths: Vec<&str> = all
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, names);
    assert!(
        all.iter()
            .all(|one| one["code"] == "orphaned" && one["guest"] == "web")
    );
    let text = plan.verify().expect(0).stdout;
    assert!(
        text.contains(&format!("web:{}: no installed package owns", names[0])),
        "{text}"
    );
}

/// dpkg keeps the list of a package that has config files, with all names that it could not remove.
#[test]
fn a_package_that_has_left_its_config_files_owns_nothing_else() {
    let lab = lab!(Disk::Own);
    let files = ["etc/tool.conf", "usr/bin/tool"];
    let deb = package(&lab, 1, &files, "/etc/tool.conf\n");
    let [web, db] = with_package(&lab, &deb);
    share(&lab, &[&web, &db], &[]);
    dpkg(&web, "--remove", "tool");
    let list = String::from_utf8(web.read("/var/lib/dpkg/info/tool.list")).unwrap();
    assert!(
        list.contains("/usr/bin/tool"),
        "dpkg lists it still: {list}"
    );
    assert_eq!(orphaned(&status_of(&lab, "web")), ["/usr/bin/tool"]);
}

#[test]
fn what_an_upgrade_drops_is_told() {
    let lab = lab!(Disk::Own);
    let old = package(
        &lab,
        1,
        &["usr/share/tool/dropped", "usr/share/tool/kept"],
        "",
    );
    let new = package(&lab, 2, &["usr/share/tool/kept"], "");
    let [web, db] = with_package(&lab, &old);
    let plan = share(&lab, &[&web, &db], &["--exclude", "/usr/share/tool/kept"]);
    dpkg(&web, "--install", &new);
    assert!(is_immutable(&web.host("/usr/share/tool/dropped")));
    let guest = status_of(&lab, "web");
    assert_eq!(orphaned(&guest), ["/usr/share/tool/dropped"]);
    assert_eq!(guest["orphaned"][0]["version"], "1");
    verified(&plan, &["/usr/share/tool/dropped"]);
}

/// The plans by which such a guest was taught to the base have no line about its files; that of its old name has.
#[test]
fn a_guest_that_is_known_otherwise_now_is_told_of() {
    let lab = lab!(Disk::Own);
    let deb = package(&lab, 1, &FILES, "");
    let [web, db] = with_package(&lab, &deb);
    share(&lab, &[&web, &db], &[]);
    let www = lab.renamed(&web, "www");
    dpkg(&www, "--purge", "tool");
    share(&lab, &[&www, &db], &[]);
    let guest = status_of(&lab, "www");
    assert_eq!(orphaned(&guest), NAMES, "by its root");
    assert_eq!(guest["orphaned"][0]["package"], "tool");
    lab.on_base("forget", &["--yes", "web"]).expect(0);
    assert_eq!(orphaned(&status_of(&lab, "www")), NAMES);
    assert_eq!(orphaned(&status_of(&lab, "db")), [""; 0]);

    // A copy with its links, in the place of what was there.
    lift_flags(&lab.guests());
    let copy = lab.guests().join("copy");
    succeed(
        &Command::new("cp")
            .arg("-al")
            .args([www.root(), &copy])
            .output()
            .unwrap(),
    );
    std::fs::remove_dir_all(www.root()).unwrap();
    let arg = copy.display().to_string();
    lab.on_base("recover", &["--restored", &arg]);
    let guest = status_of(&lab, "copy");
    assert_eq!(orphaned(&guest), NAMES, "by what is not there any more");
    let text = lab.on_base("status", &[]).expect(0).stdout;
    assert!(!text.contains("UNKNOWN: copy"), "{text}");
}

/// What cannot be read is no evidence.
#[test]
fn without_a_whole_database_and_the_plan_nothing_is_claimed() {
    let lab = lab!(Disk::Own);
    let deb = package(&lab, 1, &FILES, "");
    let [web, db] = with_package(&lab, &deb);
    let plan = share(&lab, &[&web, &db], &[]);
    let unknown = |why: &str, code: i32| {
        let status = lab.on_base("status", &["--json"]).expect(code).json();
        let guests = status["guests"].as_array().unwrap();
        let guest = guests.iter().find(|guest| guest["name"] == "web").unwrap();
        assert_eq!(orphaned(guest), [""; 0], "{why}");
        let said = guest["owners_unknown"].as_str().expect(why);
        assert!(said.contains(why), "{said}");
        let text = lab.on_base("status", &["--exit-code"]).expect(code).stdout;
        assert!(text.contains("UNKNOWN: web: "), "{text}");
        text
    };
    std::fs::remove_file(web.host("/var/lib/dpkg/info/tool.list")).unwrap();
    unknown("do not list the files of all packages", 3);
    std::fs::write(web.host("/var/lib/dpkg/status"), "rubbish").unwrap();
    unknown("its dpkg database is damaged", 3);
    std::fs::remove_dir_all(web.host("/var/lib/dpkg")).unwrap();
    unknown("its dpkg database is gone", 3);
    let said = plan.verify().expect(3).stdout;
    assert!(
        said.contains("UNKNOWN: web: ") && !said.contains("ORPHANED"),
        "{said}"
    );
    dpkg_anew(&web);
    assert_eq!(
        orphaned(&status_of(&lab, "web")),
        NAMES,
        "it knows of no package"
    );
    let run = std::fs::read_dir(lab.base().join("runs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    std::fs::remove_file(run.path().join("plan")).unwrap();
    // What is not there was not unreadable.
    unknown("the plan of run", 0);
}

/// A database without packages.
fn dpkg_anew(guest: &Guest) {
    guest.dir("/var/lib/dpkg/info");
    std::fs::write(guest.host("/var/lib/dpkg/status"), "").unwrap();
}

#[test]
fn what_rpm_could_not_remove_is_told() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    let database = |guest: &Guest, kind: &str| {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests/rpm");
        let packed = std::fs::read(data.join(kind).join("rpmdb.sqlite.zst")).unwrap();
        let database = File::new(zstd::decode_all(&*packed).unwrap());
        guest.put("/usr/lib/sysimage/rpm/rpmdb.sqlite", &database);
    };
    let had = ["/usr/bin/lab", "/usr/lib/nobodys"];
    for guest in [&web, &db] {
        database(guest, "sqlite");
        had.iter()
            .for_each(|path| guest.put(path, &File::new(content(path))));
    }
    let plan = share(&lab, &[&web, &db], &[]);
    lab.on_base("status", &["--exit-code"]).expect(0);
    // As after `rpm -e`: other packages, and none of those that were there.
    std::fs::remove_file(web.host("/usr/lib/sysimage/rpm/rpmdb.sqlite")).unwrap();
    database(&web, "fleet");
    let guest = status_of(&lab, "web");
    assert_eq!(orphaned(&guest), [had[0]]);
    assert_eq!(guest["orphaned"][0]["package"], "lab-a");
    verified(&plan, &had[..1]);
}

/// In a chroot of real Debian guests, with their own dpkg and their own `rm`.
#[test]
fn what_debian_leaves_is_told_exactly() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    let removed = [("--purge", "tzdata"), ("--remove", "adduser")];
    let list = |package| web.host(format!("/var/lib/dpkg/info/{package}.list"));
    if !removed.iter().all(|(_, package)| list(package).exists()) {
        skip!("this guest was made without these packages");
    }
    // What these packages have and little else, because time goes with the names.
    let others = ["/usr/bin", "/usr/lib", "/usr/share/[!z]*"];
    let others: Vec<&str> = others.iter().flat_map(|path| ["--exclude", path]).collect();
    let plan = share(&lab, &[&web, &db], &others);
    for (how, package) in removed {
        chroot(&web, &["dpkg", how, "--force-depends", package]);
    }
    let left = had_by(&plan, &removed.map(|(_, package)| package));
    assert!(left.len() > 100, "{left:?}");
    let guest = status_of(&lab, "web");
    assert_eq!(orphaned(&guest), left);
    let said = lab.on_base("status", &[]).expect(0).stdout;
    assert!(said.contains("(adduser, tzdata)"), "{said}");
    let shown = said.lines().filter(|line| line.starts_with("  web:"));
    assert_eq!(shown.count(), 20, "{said}");

    lab.on_base("undo", &["--run", "all", "--guest", "web", "--yes"])
        .expect(0);
    chroot(&web, &[&["rm", "--"], &left[..]].concat());
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// Names of the first guest that belonged to these packages when they were planned, in order.
fn had_by<'p>(plan: &'p Planned, packages: &[&str]) -> Vec<&'p str> {
    let links = plan.actions("link").into_iter();
    let had = links.filter(|link| {
        let package = link["package"].as_str();
        link["guest"] == "web" && package.is_some_and(|package| packages.contains(&package))
    });
    had.map(|link| link["path"].as_str().unwrap()).collect()
}

fn chroot(guest: &Guest, command: &[&str]) {
    let mut chroot = Command::new("chroot");
    let how = ["env", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"];
    succeed(
        &chroot
            .arg(guest.root())
            .args(how)
            .args(command)
            .output()
            .unwrap(),
    );
}
