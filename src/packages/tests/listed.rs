//! pacman, apk and opkg: kept guests against what the real tools listed, and guests that are meant to harm.

use super::*;
use crate::packages::apk::Apk;
use crate::packages::opkg::Opkg;
use crate::packages::pacman::Pacman;
use crate::sys::effort::computed;

fn kept(manager: &str, file: &str) -> Vec<String> {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests");
    let text = fs::read_to_string(guests.join(manager).join(file)).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn sample(manager: &str, file: &str) -> Vec<u8> {
    fs::read(fixture::root(manager).join(file)).unwrap()
}

fn read(backend: &dyn PackageDatabase, root: &Path) -> Listing {
    fixture::read(backend, root).unwrap().unwrap()
}

/// The database is pacman's own work; the list is that of `pacman -Qii`, and the file that `NoUpgrade` names.
#[test]
fn config_files_are_those_of_pacman() {
    let listing = read(&Pacman, &fixture::root("pacman"));
    let mut want = kept("pacman", "backup.txt");
    want.push("/etc/lab/not-listed.conf".into());
    want.sort();
    assert_eq!(fixture::claimed(&listing), want);
    let owners = fixture::owners(&listing);
    assert!(
        owners.contains(&"/opt/lab/outside.conf lab-p 2-1".to_owned()),
        "{owners:?}"
    );
}

#[test]
fn pacman_with_hostile_paths() {
    let root = Root::empty();
    let files = "%FILES%\netc/\n\n%BACKUP%\n../../etc/passwd\tx\n/abs\tx\netc/ok.conf\tx\n\n";
    root.put("var/lib/pacman/local/x-1-1/files", files);
    assert_eq!(
        fixture::claimed(&read(&Pacman, &root.path)),
        ["/etc/ok.conf"]
    );
    root.put("var/lib/pacman/local/ALPM_DB_VERSION", "10\n");
    assert!(
        fixture::read(&Pacman, &root.path).is_err(),
        "an unknown version"
    );
}

/// The database is apk's own work. What apk would not protect (`-`) is kept as well.
#[test]
fn apk_keeps_what_apk_protects() {
    let listing = read(&Apk, &fixture::root("apk"));
    let got = fixture::claimed(&listing);
    for path in kept("apk", "protected.txt") {
        assert!(got.contains(&path), "{path} is missing in {got:?}");
    }
    assert!(got.contains(&"/etc/lab/excluded.cache".to_owned()));
    assert!(!got.iter().any(|path| path.starts_with("/usr/")), "{got:?}");
    let owners = fixture::owners(&listing);
    assert!(
        owners.contains(&"/usr/bin/lab lab 2".to_owned()),
        "{owners:?}"
    );
}

#[test]
fn apk_with_hostile_input() {
    let root = Root::empty();
    let at = "lib/apk/db/installed";
    root.put(
        at,
        "P:x\nV:1\nF:../../etc\nR:passwd\nF:etc\nR:../../x\nR:ok\n\n",
    );
    assert_eq!(fixture::claimed(&read(&Apk, &root.path)), ["/etc/ok"]);
    root.put(at, "R:a\nZ:Q1\nP:x\nnonsense\n\n");
    assert!(fixture::read(&Apk, &root.path).is_err());
    // A pattern that explodes in a matcher that backtracks.
    root.put(at, format!("P:x\nV:1\nF:opt\nR:{}\n\n", "a".repeat(200)));
    let stars = format!("+opt/{}*b\n", "*a".repeat(60));
    root.put("etc/apk/protected_paths.d/x.list", stars);
    let before = computed();
    assert!(fixture::claimed(&read(&Apk, &root.path)).is_empty());
    assert!((computed() - before).as_secs() < 10);
}

#[test]
fn openwrt_with_apk() {
    let root = Root::empty();
    root.put(
        "lib/apk/db/installed",
        "P:x\nV:1\nF:srv\nR:kept\nR:other\n\n",
    );
    root.put("lib/apk/packages/x.conffiles", "/usr/x.conf\n");
    root.put("lib/apk/packages/x.conffiles_static", "/usr/y.conf 0123\n");
    root.put("etc/sysupgrade.conf", "# mine\n/srv/kept\n");
    assert_eq!(
        fixture::claimed(&read(&Apk, &root.path)),
        ["/srv/kept", "/usr/x.conf", "/usr/y.conf"]
    );
}

#[test]
fn config_files_are_those_of_opkg() {
    let listing = read(&Opkg, &fixture::root("opkg"));
    let mut want = kept("opkg", "config.txt");
    want.extend(["/etc/lab/keep".to_owned(), "/srv/kept".to_owned()]);
    want.sort();
    assert_eq!(fixture::claimed(&listing), want);
    assert_eq!(&*listing.packages[0].name, "lab-o");
}

#[test]
fn mutations() {
    fixture::mutated(
        &Pacman,
        &[&sample("pacman", "var/lib/pacman/local/lab-p-2-1/files")],
    );
    fixture::mutated(&Apk, &[&sample("apk", "lib/apk/db/installed")]);
    fixture::mutated(&Opkg, &[&sample("opkg", "usr/lib/opkg/status")]);
}

/// Several databases in one guest are united, and the answer is whole only if each is.
#[test]
fn two_managers_in_one_guest() {
    let root = Root::empty();
    root.put("etc/ok", "x");
    root.put("usr/f", "x");
    root.put("lib/apk/db/installed", "P:x\nV:1\nF:etc\nR:ok\n\n");
    root.put(
        "var/lib/pacman/local/y-1-1/files",
        "%FILES%\nusr/f\n\n%BACKUP%\nusr/f\tx\n\n",
    );
    let answer = root.ask();
    let managers: Vec<&str> = answer.databases.iter().map(|d| &*d.manager).collect();
    assert_eq!(managers, ["pacman", "apk"]);
    let got = facts(&answer);
    assert_eq!(got["/etc/ok"], (SkipReason::ConfigFile, "apk", Some("x")));
    assert_eq!(got["/usr/f"], (SkipReason::ConfigFile, "pacman", Some("y")));
    assert_eq!(answer.owners.of(b"/usr/f").map(|p| &*p.name), Some("y"));
    root.put("lib/apk/db/installed", "nonsense\n\n");
    let answer = root.ask();
    let damaged = answer
        .databases
        .iter()
        .any(|d| d.state == DatabaseState::Damaged);
    assert!(damaged);
}

/// dpkg keeps the list of a package that has left config files, with the files that it could not remove.
#[test]
fn what_is_installed_owns_before_what_was_removed() {
    let root = Root::empty();
    let status = "Package: a\nStatus: deinstall ok config-files\n\nPackage: b\nStatus: install ok installed\n\n";
    root.put("var/lib/dpkg/status", status);
    root.put("var/lib/dpkg/info/a.list", "/usr/both\n/usr/left\n");
    root.put("var/lib/dpkg/info/b.list", "/usr/both\n");
    fs::create_dir(root.path.join("usr")).unwrap();
    let (databases, owners) = ask_owners(&guest_at(&root.path), &|_| false);
    assert_eq!(databases, root.ask().databases);
    let of = |path: &[u8]| owners.of(path).map(|p| (&*p.name, p.owns()));
    assert_eq!(of(b"/usr/both"), Some(("b", true)));
    assert_eq!(of(b"/usr/left"), Some(("a", false)));
    assert!(owners.are_whole());
}
