//! A guest puts whatever it likes into its own tree, and still keeps no plan of all guests from being made or from
//! being read.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Disk, File, Guest, Lab, Planned, content, unify, unify_with};

/// Directories within each other, whose names take as much room in a plan as names can. No path is longer than
/// the system takes, so they are made one by one.
fn deep(guest: &Guest, top: &str, levels: usize) -> PathBuf {
    let mut at = guest.host(top);
    std::fs::create_dir_all(&at).unwrap();
    for _ in 0..levels {
        at.push("\u{1}".repeat(240));
        std::fs::create_dir(&at).unwrap();
    }
    at
}

fn readable(plan: &Planned) {
    unify(&["show", plan.path.to_str().unwrap()]).expect(0);
}

fn put(path: &Path, content: &[u8], mode: u32) {
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let times = std::fs::FileTimes::new().set_modified(time);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_times(times).unwrap();
}

fn two(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[("/usr/share/honest", File::new(content("honest")))])
}

#[test]
fn names_of_one_file_do_not_make_a_line_that_nobody_reads() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let dir = deep(&web, "/usr/deep", 14);
    for file in ["one", "two"] {
        let first = dir.join(file);
        put(&first, &content("same"), 0o644);
        for n in 0..2500 {
            std::fs::hard_link(&first, dir.join(format!("{file}{n}"))).unwrap();
        }
    }
    let plan = lab.plan(&[&web, &db], &[]);
    readable(&plan);
    assert!(plan.link("web", "/usr/share/honest").is_some());
    let skipped = &plan.json["summary"]["skipped"]["too-many-names"]["files"];
    assert_eq!(*skipped, 2);
}

#[test]
fn near_misses_with_long_names_do_not_fill_a_summary() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let dir = deep(&web, "/usr/deep", 14);
    for n in 0..1000 {
        let text = format!("near {n}");
        put(&dir.join(format!("{n}a")), text.as_bytes(), 0o644);
        put(&dir.join(format!("{n}b")), text.as_bytes(), 0o755);
    }
    let plan = lab.plan(&[&web, &db], &[]);
    readable(&plan);
    let near = &plan.json["summary"]["near_misses"];
    assert_eq!(near["all"]["files"], 1000);
    let listed = near["listed"].as_array().unwrap().len();
    assert!((10..200).contains(&listed), "{listed}");
}

#[test]
fn a_secret_with_many_copies_does_not_fill_a_summary() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let key = b"-----BEGIN PRIVATE KEY-----\n";
    db.put(
        "/etc/ssl/private/key.pem",
        &File::new(key.to_vec()).mode(0o600),
    );
    let dir = deep(&web, "/etc/ssl/private", 13);
    for n in 0..2000 {
        put(&dir.join(format!("{n}.pem")), key, 0o600);
    }
    let plan = lab.plan(&[&web, &db], &[]);
    readable(&plan);
    let [secret] = &plan.json["summary"]["same_secrets"].as_array().unwrap()[..] else {
        panic!("one secret");
    };
    let files = secret["files"].as_array().unwrap();
    assert_eq!(files.len() as u64 + secret["more"].as_u64().unwrap(), 2001);
    let of = |guest: &str| {
        files
            .iter()
            .any(|file| file.as_str().unwrap().starts_with(guest))
    };
    assert!(of("db:") && of("web:"));
}

/// Many files that are next to nothing but holes: some are read, and then no more.
#[test]
fn holes_do_not_keep_a_plan_busy() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    for n in 0..40 {
        let path = web.host(format!("/usr/share/hole{n}"));
        put(&path, b"", 0o644);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(1 << 30).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 + n);
        file.set_modified(time).unwrap();
    }
    let plan = lab.plan(&[&web, &db], &[]);
    assert!(plan.link("web", "/usr/share/honest").is_some());
    let skipped = &plan.json["summary"]["skipped"]["too-sparse"]["files"];
    assert_eq!(*skipped, 24);
}

/// A guest with more names than a plan counts harms no other guest's plan.
#[test]
fn a_guest_with_too_many_names_is_left_out() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let [many, long] = ["many", "long"].map(|name| lab.guest(name));
    for n in 0..300 {
        many.put(format!("/usr/{n}"), &File::new(content(n)));
    }
    let honest = File::new("honest");
    for name in ["honest", &"a".repeat(250)] {
        long.put(format!("/usr/share/{name}"), &honest);
    }
    let (plan, base) = (lab.path("plan.json"), lab.base());
    let (plan, base) = (plan.to_str().unwrap(), base.to_str().unwrap());
    let guests = [&web, &db, &many, &long].map(Guest::arg);
    let mut args = vec!["plan", "-o", plan, "--base", base];
    args.extend(guests.iter().map(String::as_str));
    let out = unify_with(&[("UNIFY_MOST_NAMES", "200")], &args).expect(3);
    for guest in ["many", "long"] {
        let told = format!("LEFT OUT: {guest}: it is too large");
        assert!(out.stderr.contains(&told), "{}", out.stderr);
    }
    let told = unify(&["explain", "--plan", plan, "many:/usr/1"]).expect(0);
    let advice = told.stdout.contains("--on-damaged-database");
    assert!(
        told.stdout.contains("it is too large") && !advice,
        "{}",
        told.stdout
    );
    let plan = Planned::read(Path::new(plan));
    readable(&plan);
    let [web, long] = ["web", "long"].map(|guest| plan.link(guest, "/usr/share/honest"));
    assert!(web.is_some() && long.is_none());
}
