//! What the real dpkg wrote, compared with what the real dpkg says.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::sys::guest::GuestError;
use SkipReason::{ConfigFile, ConfigSidecar, Diverted, ModeOverride};

/// Paths of `${Conffiles}`, read another way than the product does.
fn conffiles_per_dpkg_query(root: &Path) -> Vec<String> {
    let admin = root.join("var/lib/dpkg");
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${Conffiles}\\n", "--admindir"])
        .arg(admin)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let entries = text.lines().filter_map(|line| line.strip_prefix(' '));
    entries
        .map(|entry| {
            let mut words: Vec<_> = entry.split(' ').collect();
            while matches!(*words.last().unwrap(), "obsolete" | "remove-on-upgrade") {
                words.pop();
            }
            words.pop();
            words.join(" ")
        })
        .collect()
}

#[test]
fn config_files_are_those_of_dpkg_query() {
    let Some(root) = Root::by_dpkg() else { return };
    let listed = conffiles_per_dpkg_query(&root.path);
    assert_eq!(listed.len(), 14, "the guest is not what it was: {listed:?}");
    // The two links of this guest, by hand.
    let resolved = listed.iter().map(|path| match path.as_str() {
        "/etc/harbor/linked.conf" => "/srv/config/linked.conf".to_owned(),
        path if path.starts_with("/lib/") => format!("/usr{path}"),
        path => path.to_owned(),
    });
    let exists = |path: &String| root.path.join(&path[1..]).is_file();
    let want: BTreeSet<_> = resolved.filter(exists).collect();
    assert_eq!(want.len(), 11);
    let answer = root.ask();
    let of_dpkg = |p: &&Protected| p.why == ConfigFile && p.per == "dpkg";
    let config = answer.protected.iter().filter(of_dpkg);
    let got: BTreeSet<_> = config.map(|p| p.path.to_string()).collect();
    assert_eq!(got, want);
}

#[test]
fn every_file_has_its_reason() {
    let Some(root) = Root::by_dpkg() else { return };
    let answer = root.ask();
    let got = facts(&answer);
    let (dpkg, ucf, divert) = ("dpkg", "ucf", "dpkg-divert");
    let harbor = Some("harbor");
    let want = [
        ("/etc/departed.conf", (ConfigFile, dpkg, Some("departed"))),
        ("/etc/generated.conf", (ConfigFile, ucf, harbor)),
        ("/etc/generated.conf.ucf-dist", (ConfigSidecar, ucf, harbor)),
        (
            "/etc/halfway.conf.dpkg-new",
            (ConfigSidecar, dpkg, Some("halfway")),
        ),
        (
            "/etc/harbor/ancient.conf.dpkg-old",
            (ConfigSidecar, dpkg, harbor),
        ),
        ("/etc/harbor/dropped.conf", (ConfigFile, dpkg, harbor)),
        ("/etc/harbor/edited.conf", (ConfigFile, dpkg, harbor)),
        ("/etc/harbor/kept.conf", (ConfigFile, dpkg, harbor)),
        (
            "/etc/harbor/kept.conf.dpkg-dist",
            (ConfigSidecar, dpkg, harbor),
        ),
        ("/etc/harbor/moved.conf", (ConfigFile, dpkg, harbor)),
        ("/etc/harbor/moved.conf.shipped", (Diverted, divert, None)),
        ("/etc/harbor/twin.conf", (ConfigFile, dpkg, harbor)),
        ("/etc/harbor/two words.conf", (ConfigFile, dpkg, harbor)),
        ("/etc/journal.conf", (ConfigFile, dpkg, Some("latecomer"))),
        ("/srv/config/linked.conf", (ConfigFile, dpkg, harbor)),
        (
            "/srv/config/linked.conf.dpkg-old",
            (ConfigSidecar, dpkg, harbor),
        ),
        ("/usr/bin/local-tool", (Diverted, divert, None)),
        ("/usr/bin/local-tool.real", (Diverted, divert, None)),
        ("/usr/bin/narrow", (ModeOverride, "dpkg-statoverride", None)),
        ("/usr/lib/harbor/old-path.conf", (ConfigFile, dpkg, harbor)),
        (
            "/usr/share/harbor/elsewhere.conf",
            (ConfigFile, dpkg, harbor),
        ),
    ];
    assert_eq!(got, want.map(|(p, f)| (p.to_owned(), f)).into());
}

#[test]
fn ids_are_those_of_the_files() {
    let Some(root) = Root::by_dpkg() else { return };
    let answer = root.ask();
    for file in &answer.protected {
        let meta = fs::symlink_metadata(root.path.join(&file.path.to_string()[1..])).unwrap();
        assert_eq!((file.id.dev, file.id.ino), (meta.dev(), meta.ino()));
    }
    let twin = fs::metadata(root.path.join("srv/config/other-twin.conf")).unwrap();
    let known = answer.protected.iter().any(|p| p.id.ino == twin.ino());
    assert!(known, "the second name of a config file is not recognised");
}

#[test]
fn databases_are_summed_up() {
    let Some(root) = Root::by_dpkg() else { return };
    let sum = |d: &Database| (d.manager.clone(), d.state, d.packages, d.config_files);
    let got: Vec<_> = root.ask().databases.iter().map(sum).collect();
    let known = DatabaseState::Known;
    let want = [
        ("dpkg".to_owned(), known, 4, 14),
        ("ucf".to_owned(), known, 1, 1),
    ];
    assert_eq!(got, want);
}

#[test]
fn a_diversion_of_a_conffile_by_a_package() {
    let Some(root) = Root::by_dpkg() else { return };
    let lines = "/etc/departed.conf\n/etc/departed.conf.away\nharbor\n";
    root.put("var/lib/dpkg/diversions", lines);
    root.put("etc/departed.conf.away", "shipped");
    root.put("etc/departed.conf.away.dpkg-new", "half unpacked");
    let answer = root.ask();
    let got = facts(&answer);
    let shipped = got["/etc/departed.conf.away"];
    assert_eq!(shipped, (Diverted, "dpkg-divert", Some("harbor")));
    let beside = got["/etc/departed.conf.away.dpkg-new"];
    assert_eq!(beside, (ConfigSidecar, "dpkg-divert", Some("harbor")));
    assert_eq!(got["/etc/departed.conf"].0, ConfigFile);
}

/// Writes as dpkg does: two journal files, then a new `status` by rename, then the journal is emptied.
fn write_generation(root: &Root, generation: usize) {
    let record =
        |package| format!("Package: {package}\nConffiles:\n /etc/{package}{generation} 0\n\n");
    let journal = |name: &str, package| {
        root.put("var/lib/dpkg/updates/tmp.i", record(package));
        let updates = root.path.join("var/lib/dpkg/updates");
        fs::rename(updates.join("tmp.i"), updates.join(name)).unwrap();
    };
    journal("0000", "first");
    journal("0001", "second");
    let database = root.path.join("var/lib/dpkg");
    // Every old `status` is kept, or its inode number would come back at once.
    let old = database.join(format!("old-{generation}"));
    fs::hard_link(database.join("status"), old).unwrap();
    let new = root.put(
        "var/lib/dpkg/status-new",
        record("first") + &record("second"),
    );
    fs::rename(new, database.join("status")).unwrap();
    fs::remove_file(database.join("updates/0000")).unwrap();
    fs::remove_file(database.join("updates/0001")).unwrap();
}

/// The generation of a package's conffile, from the claims.
fn generation_of(package: &str, listing: &Listing) -> usize {
    let prefix = format!("/etc/{package}");
    let paths = listing.claims.iter().map(|claim| &claim.path);
    let mut found = paths.filter_map(|path| path.strip_prefix(prefix.as_bytes()));
    let number = std::str::from_utf8(found.next().unwrap()).unwrap();
    number.parse().unwrap()
}

#[test]
fn a_database_in_motion_is_one_version_or_none() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let root = Root::empty();
    root.put("var/lib/dpkg/status", "");
    write_generation(&root, 0);
    let stop = AtomicBool::new(false);
    let torn = std::thread::scope(|scope| {
        scope.spawn(|| {
            let running = |_: &usize| !stop.load(Ordering::Relaxed);
            (1..)
                .take_while(running)
                .for_each(|generation| write_generation(&root, generation));
        });
        let guest = guest_at(&root.path);
        let torn = (0..2_000).find_map(|_| match dpkg::Dpkg.read(&Source::new(&guest, soon())) {
            Ok(Some(listing)) => {
                let first = generation_of("first", &listing);
                let second = generation_of("second", &listing);
                (first != second && first != second + 1).then_some((first, second))
            }
            Ok(None) => Some((0, 0)),
            Err(problem) => {
                let wanted = matches!(
                    problem,
                    Problem::Changing { .. } | Problem::Unreadable(GuestError::Unstable { .. })
                );
                (!wanted).then_some((usize::MAX, 0))
            }
        });
        stop.store(true, Ordering::Relaxed);
        torn
    });
    assert_eq!(torn, None, "generations of two packages from one reading");
}

/// What `dpkg-query -S` says of a path, if it knows one package.
fn owner_per_dpkg_query(root: &Path, path: &str) -> Option<String> {
    let output = Command::new("dpkg-query")
        .arg("--admindir")
        .arg(root.join("var/lib/dpkg"))
        .args(["-S", path])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Of a diverted name it tells whose list has it, not whose file is there.
    let known = text
        .lines()
        .next()
        .filter(|_| !text.contains("diversion "))?;
    let (packages, _) = known.split_once(": ")?;
    let first = packages.split(", ").next()?;
    Some(first.split(':').next()?.to_owned())
}

#[test]
fn owners_are_those_of_dpkg_query() {
    let Some(root) = Root::by_dpkg() else { return };
    let answer = root.ask();
    let mut checked = 0;
    let mut stack = vec![root.path.clone()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(&dir).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                stack.push(entry.path());
            }
            let path = format!(
                "/{}",
                entry.path().strip_prefix(&root.path).unwrap().display()
            );
            let Some(want) = owner_per_dpkg_query(&root.path, &path).filter(|_| kind.is_file())
            else {
                continue;
            };
            let got = answer
                .owners
                .of(path.as_bytes())
                .unwrap_or_else(|| panic!("{path}"));
            assert_eq!(&*got.name, want, "{path}");
            assert!(got.version.is_some(), "{path}");
            checked += 1;
        }
    }
    assert!(checked >= 8, "only {checked} files have an owner");
    assert!(answer.owners.of(b"/no/such/file").is_none());
}

/// A list of names that cannot be read takes owners away, which is said, and nothing else.
#[test]
fn owners_damage_nothing() {
    let Some(root) = Root::by_dpkg() else { return };
    root.put("var/lib/dpkg/info/latecomer.list", "/.\n");
    let before = root.ask();
    let list = root.path.join("var/lib/dpkg/info/harbor.list");
    fs::remove_file(&list).unwrap();
    let made = Command::new("mkfifo").arg(&list).status().unwrap();
    assert!(made.success());
    let after = root.ask();
    assert_eq!(after.databases, before.databases);
    assert_eq!(after.protected, before.protected);
    assert!(after.owners.of(b"/usr/bin/shared-tool").is_none());
    assert!(before.owners.are_whole() && !after.owners.are_whole());
}
