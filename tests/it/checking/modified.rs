//! Files that are not what their packages brought, beside the package managers' own word.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Disk, File, Guest, Manager, alpine, debian, packaged, skipped, unify};

/// Paths that `dpkg -V` calls changed and not configuration, as they are without links on the way.
fn dpkg_verifies(guest: &Guest) -> BTreeSet<String> {
    let root = format!("--root={}", guest.root().display());
    let out = Command::new("dpkg")
        .env("LC_ALL", "C")
        .args([&root, "--verify"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let changed = text
        .lines()
        .filter(|line| line.starts_with("??5?????? ") && !line.contains(" c /"));
    let real = |line: &str| {
        let path = &line[line.find('/').unwrap()..];
        let host = std::fs::canonicalize(guest.host(path)).unwrap();
        format!("/{}", host.strip_prefix(guest.root()).unwrap().display())
    };
    changed.map(real).collect()
}

fn found(guest: &Guest, answer: &crate::support::CheckAnswer) -> BTreeSet<String> {
    let of_guest = format!("{}:", guest.name());
    let all = answer.found("file-modified").into_iter();
    all.map(|place| place.strip_prefix(&of_guest).unwrap().to_owned())
        .collect()
}

#[test]
fn what_dpkg_calls_changed_is_found_in_a_real_guest() {
    let lab = lab!(Disk::Own);
    let [web, _] = debian(&lab);
    let plain = lab.check(&[&web], &["--level", "baked-identity=off"]);
    plain.out.clone().expect(0);
    assert_eq!(found(&web, &plain), dpkg_verifies(&web));

    // Below a merged /usr, a document, a config file, a name that was removed, and one that only its time changed.
    for path in [
        "/bin/ls",
        "/usr/share/doc/adduser/copyright",
        "/etc/adduser.conf",
    ] {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(web.host(path))
            .unwrap();
        file.write_all(b"tampered").unwrap();
    }
    std::fs::remove_file(web.host("/usr/share/doc/apt/copyright")).unwrap();
    let touched = std::fs::File::options()
        .append(true)
        .open(web.host("/bin/cat"))
        .unwrap();
    touched
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let answer = lab.check(&[&web], &[]);
    answer.out.clone().expect(11);
    let want: BTreeSet<String> = ["/usr/bin/ls", "/usr/share/doc/adduser/copyright"]
        .map(str::to_owned)
        .into();
    assert_eq!(found(&web, &answer), want);
    assert_eq!(dpkg_verifies(&web), want);
    let facts = &answer.findings("file-modified")[0]["facts"];
    assert!(
        facts["package"] == "coreutils" && facts["expected"].as_str().unwrap().starts_with("md5:"),
        "{facts}"
    );
}

/// What an administrator does, and a thief: the same in each guest.
const TAMPER: &str = "
    echo x >> usr/share/lab/longer
    touch -d 2001-01-01 usr/share/lab/touched
    rm usr/share/lab/missing
    chmod 600 usr/share/lab/mode
    printf 'tOol\\n' > usr/bin/lab
    echo x >> etc/lab.conf
    echo l > var/log/lab.log
";

fn shell(script: &str, at: &Path) -> String {
    let mut shell = Command::new("sh");
    shell
        .env("LC_ALL", "C")
        .args(["-euc", script])
        .current_dir(at);
    let out = shell.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    said + &String::from_utf8_lossy(&out.stderr)
}

/// Paths that `rpm -Va` calls changed in their content and no configuration.
fn rpm_verifies(guest: &Guest) -> BTreeSet<String> {
    let root = guest.root().display();
    let said = shell(
        &format!("rpm --root {root} --define '_dbpath /var/lib/rpm' -Va --nodeps || :"),
        guest.root(),
    );
    let changed = said.lines().filter(|line| line.get(2..3) == Some("5"));
    let changed = changed.filter(|line| !line.contains("  c /"));
    changed
        .map(|line| line[line.find('/').unwrap()..].to_owned())
        .collect()
}

/// The same of `pacman -Qkk`.
fn pacman_verifies(guest: &Guest) -> BTreeSet<String> {
    let root = guest.root().display().to_string();
    let how =
        format!("pacman --root {root} --dbpath {root}/var/lib/pacman --config /dev/null -Qkk || :");
    let said = shell(&how, guest.root());
    let changed = said.lines().filter(|line| line.starts_with("warning: "));
    let changed = changed.filter_map(|line| line.strip_suffix(" (SHA256 checksum mismatch)"));
    let path = |line: &str| line[line.find(&root).unwrap() + root.len()..].to_owned();
    changed.map(path).collect()
}

#[test]
fn what_rpm_and_pacman_call_changed_is_found() {
    let lab = lab!(Disk::Own);
    for (manager, verifies) in [
        (Manager::Rpm, rpm_verifies as fn(&Guest) -> BTreeSet<String>),
        (Manager::Pacman, pacman_verifies),
    ] {
        let name = format!("{manager:?}").to_lowercase();
        let guest = match packaged(&lab, &name, manager) {
            Ok(guest) => guest,
            Err(why) => {
                skipped(&format!("file-modified beside {name}"), &why);
                continue;
            }
        };
        lab.check(&[&guest], &[]).out.expect(0);
        assert_eq!(verifies(&guest), BTreeSet::new(), "{name}");
        std::fs::create_dir_all(guest.host("/var/log")).unwrap();
        shell(TAMPER, guest.root());
        let answer = lab.check(&[&guest], &[]);
        answer.out.clone().expect(11);
        let want = ["/usr/bin/lab", "/usr/share/lab/longer"].map(str::to_owned);
        assert_eq!(found(&guest, &answer), BTreeSet::from(want), "{name}");
        assert_eq!(found(&guest, &answer), verifies(&guest), "{name}");
    }
}

/// Alpine's own `apk audit` calls `U` what differs, but for what is configuration.
#[test]
fn what_apk_calls_changed_is_found_in_a_real_guest() {
    let lab = lab!(Disk::Own);
    let guest = match alpine(&lab, "alpine") {
        Ok(guest) => guest,
        Err(why) => skip!("{why}"),
    };
    let audit = || {
        let root = guest.root().display();
        let said = shell(
            &format!("chroot {root} /sbin/apk --no-network audit --system -r"),
            guest.root(),
        );
        let changed = said.lines().filter_map(|line| line.strip_prefix("U "));
        changed
            .map(|path| format!("/{path}"))
            .collect::<BTreeSet<String>>()
    };
    let plain = lab.check(&[&guest], &[]);
    plain.out.clone().expect(0);
    assert_eq!((found(&guest, &plain), audit()), Default::default());
    let tamper = "
        echo x >> bin/busybox
        echo x >> usr/share/udhcpc/default.script
        echo x >> etc/motd
        chmod 700 usr/bin/ssl_client
        rm usr/bin/scanelf
        echo own > usr/bin/own
    ";
    shell(tamper, guest.root());
    let answer = lab.check(&[&guest], &[]);
    answer.out.clone().expect(11);
    assert_eq!(found(&guest, &answer), audit());
    assert_eq!(audit().len(), 2, "{:?}", audit());
}

fn sample(path: &str) -> Vec<u8> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests");
    let packed = std::fs::read(data.join(path)).unwrap();
    zstd::decode_all(&*packed).unwrap()
}

/// A database that rpm itself has made, in each of its kinds; all files of its packages are empty.
#[test]
fn headers_of_rpm_tell_the_content_of_files() {
    let lab = lab!(Disk::Own);
    for (name, file) in [
        ("sqlite", "rpmdb.sqlite"),
        ("ndb", "Packages.db"),
        ("bdb", "Packages"),
    ] {
        let guest = lab.guest(name);
        let database = sample(&format!("rpm/fleet/{file}.zst"));
        guest.put(format!("/var/lib/rpm/{file}"), &File::new(database));
        guest.put("/usr/bin/fleet-100", &File::new(""));
        guest.put("/usr/bin/fleet-101", &File::new("tampered"));
        guest.put("/etc/fleet/fleet-102.conf", &File::new("a config file"));
        guest.put("/var/log/fleet.log", &File::new("made by the guest"));
        let answer = lab.check(&[&guest], &[]);
        assert_eq!(
            found(&guest, &answer),
            BTreeSet::from(["/usr/bin/fleet-101".to_owned()]),
            "{name}"
        );
        assert_eq!(
            answer.findings("file-modified")[0]["facts"]["package"],
            "fleet-101"
        );
    }
}

/// The answers for "abc": FIPS 180.
#[test]
fn databases_of_apk_and_pacman_tell_it_too() {
    let lab = lab!(Disk::Own);
    let (alpine, arch) = (lab.guest("alpine"), lab.guest("arch"));
    let sha1 = "Z:Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
    let installed = format!(
        "P:lab\nV:1\nF:usr/bin\nR:same\n{sha1}\nR:other\n{sha1}\nF:etc\nR:lab.conf\n{sha1}\n\n"
    );
    alpine.put("/lib/apk/db/installed", &File::new(installed));
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let tree = format!(
        "#mtree\n/set type=file uid=0 gid=0 mode=644\n./usr/bin/same time=1.0 size=3 sha256digest={sha256}\n./usr/bin/other size=3 sha256digest={sha256}\n./etc/lab.conf sha256digest={sha256}\n"
    );
    let local = "/var/lib/pacman/local";
    arch.put(format!("{local}/ALPM_DB_VERSION"), &File::new("9\n"));
    let files =
        "%FILES%\nusr/bin/same\nusr/bin/other\netc/lab.conf\n\n%BACKUP%\netc/lab.conf\tx\n\n";
    arch.put(format!("{local}/lab-1-1/files"), &File::new(files));
    arch.put(
        format!("{local}/lab-1-1/mtree"),
        &File::new(gzip(tree.as_bytes())),
    );
    for guest in [&alpine, &arch] {
        guest.put("/usr/bin/same", &File::new("abc"));
        guest.put("/usr/bin/other", &File::new("abd"));
        guest.put("/etc/lab.conf", &File::new("mine"));
        let answer = lab.check(&[guest], &[]);
        answer.out.clone().expect(11);
        let want = BTreeSet::from(["/usr/bin/other".to_owned()]);
        assert_eq!(found(guest, &answer), want, "{}", guest.name());
        assert_eq!(
            answer.findings("file-modified")[0]["facts"]["package"],
            "lab"
        );
    }
    // A list that unpacks to more than it may, and one that is cut off, are no pass.
    for bad in [
        gzip(&vec![b'x'; 300 << 20]),
        gzip(tree.as_bytes())[..60].to_vec(),
    ] {
        arch.put(format!("{local}/lab-1-1/mtree"), &File::new(bad));
        let answer = lab.check(&[&arch], &[]);
        answer.out.clone().expect(3);
        assert_eq!(answer.found("input-unread"), ["arch"]);
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip")
        .arg("-1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let text = text.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&text).unwrap());
    let out = gzip.wait_with_output().unwrap();
    writer.join().unwrap();
    out.stdout
}

/// Digests of a kind that is not known are counted, and the check is blind for them; a digest may be longer than its
/// file's name says.
#[test]
fn what_cannot_be_verified_is_counted() {
    let lab = lab!(Disk::Own);
    let web = lab.guest("web");
    web.dpkg("agent", &[]);
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let sums = format!("{sha256}  usr/bin/good\n{sha256}  usr/bin/bad\nabcd  usr/bin/unknown\n");
    web.put("/var/lib/dpkg/info/agent.md5sums", &File::new(sums));
    web.put(
        "/var/lib/dpkg/info/agent.list",
        &File::new("/.\n/usr/bin/good\n/usr/bin/bad\n/usr/bin/unknown\n"),
    );
    for name in ["good", "unknown"] {
        web.put(format!("/usr/bin/{name}"), &File::new("abc"));
    }
    web.put("/usr/bin/bad", &File::new("abd"));
    let answer = lab.check(&[&web], &[]);
    assert_eq!(answer.found("file-modified"), ["web:/usr/bin/bad"]);
    assert_eq!(answer.json["not_verified"][0]["files"], 1);
    assert_eq!(answer.json["blind"], true);
    assert_eq!(answer.found("input-unread"), ["web"]);
    // That alone does not pass, and a policy that does not ask is not blind.
    web.put("/usr/bin/bad", &File::new("abc"));
    unify(&["check", "--not-a-root", &web.arg()]).expect(3);
    let off = "--level=file-modified=off";
    unify(&["check", "--not-a-root", off, &web.arg()]).expect(0);
    // Without a database nothing is asked, which is said.
    std::fs::remove_dir_all(web.host("/var/lib/dpkg")).unwrap();
    let said = unify(&["check", "--not-a-root", &web.arg()])
        .expect(0)
        .stdout;
    assert!(
        said.contains("Not asked (no guest has a package database"),
        "{said}"
    );
    let answer = lab.check(&[&web], &[]);
    let rules = answer.json["rules"].as_array().unwrap().iter();
    let modified = rules.clone().find(|rule| rule["rule"] == "file-modified");
    assert_eq!(modified.unwrap()["state"], "not-asked", "{modified:?}");
}
