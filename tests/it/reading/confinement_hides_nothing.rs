//! A command that gave its rights up still compares what only root sees, and says what it cannot see.

use std::time::Duration;

use crate::support::{
    Disk, File, Held, Lab, Planned, content, two_guests, unify, unify_without_admin,
};

/// An access control list that lets one more user read: `linux/posix_acl_xattr.h`, version 2.
fn list_with(user: u32) -> Vec<u8> {
    let (nobody, read, write) = (u32::MAX, 4_u16, 2_u16);
    let entries = [
        (0x01_u16, read | write, nobody),
        (0x02, read, user),
        (0x04, read, nobody),
        (0x10, read, nobody),
        (0x20, read, nobody),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        list.extend([tag.to_le_bytes(), rights.to_le_bytes()].concat());
        list.extend(id.to_le_bytes());
    }
    list
}

/// What only root sees or reads is compared nevertheless.
#[test]
fn what_only_root_may_read_is_compared() {
    const ACL: &str = "system.posix_acl_access";
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    for (number, guest) in [(1, &web), (2, &db)] {
        let put = |path: &str, file: File| guest.put(path, &file);
        let file = || File::new(content(1));
        put("/usr/plain", file());
        put("/usr/other", File::new(content(2)).owner(1234, 1234));
        put("/usr/closed/in", File::new(content(3)));
        put("/usr/trusted-same", file().xattr("trusted.x", b"same"));
        let differing = File::new(content(4)).xattr("trusted.x", guest.name().as_bytes());
        put("/usr/trusted-differs", differing);
        put(
            "/usr/list-same",
            File::new(content(5)).xattr(ACL, &list_with(1)),
        );
        put(
            "/usr/list-differs",
            File::new(content(6)).xattr(ACL, &list_with(number)),
        );
        put(
            "/usr/nobody",
            File::new(content(7)).owner(1234, 1234).mode(0),
        );
        put(
            "/usr/private",
            File::new(content(8)).owner(1234, 1234).mode(0o600),
        );
        put("/usr/able", File::new(content(9)));
        // This is set after the change of owner, which takes it away.
        let may = [&[1, 0, 0, 2, 0, 4][..], &[0; 14]].concat();
        let (able, none) = (guest.host("/usr/able"), rustix::fs::XattrFlags::empty());
        rustix::fs::lsetxattr(&able, "security.capability", &may, none).unwrap();
        let closed = guest.host("/usr/closed");
        std::os::unix::fs::chown(&closed, Some(1234), Some(1234)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&closed, mode).unwrap();
    }
    let plan = lab.plan(&[&web, &db], &["--skips", "all"]);
    for linked in ["plain", "other", "closed/in", "trusted-same", "list-same"] {
        assert!(
            plan.link("db", format!("/usr/{linked}")).is_some(),
            "{linked}"
        );
    }
    let skipped = [
        ("trusted-differs", "unique"),
        ("list-differs", "unique"),
        ("nobody", "not-world-readable"),
        ("private", "not-world-readable"),
        ("able", "privileged"),
    ];
    for (name, reason) in skipped {
        let line = plan.skip("db", format!("/usr/{name}")).expect(name);
        assert_eq!(line["reason"], reason, "{name}");
    }
    plan.apply().expect(0);
    plan.verify().expect(0);
}

/// Root's plan in another user's directory, as `sudo unify plan -o ~/plan.json` makes it, over an older one of
/// theirs.
#[test]
fn a_plan_in_a_foreign_directory() {
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let home = lab.path("home");
    let plan = home.join("plan.json");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(&plan, "old").unwrap();
    for path in [&home, &plan] {
        std::os::unix::fs::chown(path, Some(1234), Some(1234)).unwrap();
    }
    for mode in [0o755, 0o1777] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&home, mode).unwrap();
        unify(&["plan", "-o", plan.to_str().unwrap(), &web.arg(), &db.arg()]).expect(0);
        assert!(Planned::read(&plan).link("db", "/usr/f").is_some());
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 1, "no litter");
        std::os::unix::fs::chown(&plan, Some(1234), Some(1234)).unwrap();
    }
}

/// A file that changes while it is read is not what was looked at before, whatever its size and time say.
#[test]
fn a_file_that_changes_while_plan_reads_it_is_left_out() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let (plan, base) = (lab.path("plan.json"), lab.base());
    let base = ["--base", base.to_str().unwrap()];
    let guests = [web.arg(), db.arg()];
    let output = ["-o", plan.to_str().unwrap(), &guests[0], &guests[1]];
    // The program's own start reads so as well.
    let args = [&["plan"], &base[..], &output[..]].concat();
    let file = web.host("/usr/f");
    let change = || {
        let was = std::fs::metadata(&file).unwrap();
        // Other bytes would show when both are compared; these were there before.
        std::fs::write(&file, std::fs::read(&file).unwrap()).unwrap();
        let open = std::fs::File::options().write(true).open(&file).unwrap();
        open.set_modified(was.modified().unwrap()).unwrap();
    };
    let is_met = (0..5).any(|_| {
        let held = Held::at("pread64", "1+", &args);
        held.meanwhile(nix::libc::SYS_pread64, Some(&file), change)
    });
    assert!(is_met, "it was never changed in time");
    let plan = Planned::read(&plan);
    assert!(plan.link("web", "/usr/f").is_none(), "{:?}", plan.json);
    let skip = plan.skip("web", "/usr/f").expect("it is listed");
    assert_eq!(skip["reason"], "changed-while-reading");
}

/// What takes a file's place between the walk and the reading is not what was looked at either, even if it is the
/// same but for its inode.
#[test]
fn what_takes_the_place_of_a_file_before_plan_reads_it_is_left_out() {
    traced!();
    for _ in 0..5 {
        let lab = lab!(Disk::Own);
        if replaced_in_time(&lab) {
            return;
        }
    }
    panic!("they were never replaced in time");
}

/// Whether that was done before the plan read; if so it is as it must be.
fn replaced_in_time(lab: &Lab) -> bool {
    let paths = ["same", "short", "fifo", "dir", "link", "gone"].map(|name| format!("/usr/{name}"));
    let files = paths
        .each_ref()
        .map(|path| (path.as_str(), File::new(content(path))));
    let [web, db] = lab.twins(&files);
    let (plan, base) = (lab.path("plan.json"), lab.base());
    let args = ["plan", "--base", base.to_str().unwrap()];
    let output = ["-o", plan.to_str().unwrap(), &web.arg(), &db.arg()];
    // The memory of the machine is asked for when it is known what will be read.
    let held = Held::at("sysinfo", "1+", &[&args[..], &output[..]].concat());
    let is_met = held.meanwhile(nix::libc::SYS_sysinfo, None, || {
        let [same, short, fifo, dir, link, _] = paths.each_ref();
        for path in &paths {
            std::fs::remove_file(web.host(path)).unwrap();
        }
        web.put(same, &File::new(content(same)));
        web.put(short, &File::new("short"));
        web.fifo(fifo);
        web.dir(dir);
        web.symlink("same", link);
    });
    if !is_met {
        return false;
    }
    let plan = Planned::read(&plan);
    for path in &paths {
        let skip = plan.skip("web", path);
        let skip = skip.unwrap_or_else(|| panic!("{path}: {:#?}", plan.json));
        assert_eq!(skip["reason"], "changed-while-reading", "{path}");
        assert_eq!(skip["note"], serde_json::Value::Null, "{path}");
        assert!(plan.link("web", path).is_none() && plan.link("db", path).is_none());
    }
    true
}

/// Without that right the kernel does not even list `trusted.*` attributes: a plan says that it could not see them, and
/// remembers of no file that it has none; and what would merge files or copy them does not begin.
#[test]
fn attributes_that_cannot_be_seen_are_told_and_not_forgotten() {
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    for guest in [&web, &db] {
        let file = File::new(content("later")).xattr("trusted.x", guest.name().as_bytes());
        guest.put("/usr/later", &file);
    }
    // What is younger is not remembered.
    std::thread::sleep(Duration::from_secs(4));
    let (path, base) = (lab.path("blind.json"), lab.base());
    let base = ["--base", base.to_str().unwrap()];
    let output = ["-o", path.to_str().unwrap(), &web.arg(), &db.arg()].map(str::to_owned);
    let output = output.each_ref().map(String::as_str);
    let out = unify_without_admin(&[&["plan"], &base[..], &output[..]].concat());
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("trusted.*").count(), 1, "{said}");
    let blind = Planned::read(&path);
    assert_eq!(
        blind.json["unseen_attributes"],
        serde_json::json!(["trusted.*"])
    );
    let shown = unify(&["show", path.to_str().unwrap()]).expect(0);
    assert!(shown.stdout.contains("trusted.*"), "{}", shown.stdout);
    assert!(blind.link("web", "/usr/later").is_some(), "it cannot know");
    let plan = lab.plan(&[&web, &db], &[]);
    assert!(plan.json["unseen_attributes"].is_null());
    assert!(
        plan.link("web", "/usr/later").is_none(),
        "nothing blind was remembered"
    );
    assert!(lab.base().join("cache/digests").exists());
    let before = crate::support::listings(&[&web, &db]);
    for command in [
        &["apply", "--yes", path.to_str().unwrap()][..],
        &["undo", "--run", "all", "--yes", base[0], base[1]],
        &["recover", base[0], base[1]],
    ] {
        let out = unify_without_admin(command);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(8), "{command:?}: {said}");
        assert!(said.contains("CAP_SYS_ADMIN"), "{said}");
    }
    crate::support::unchanged(&[&web, &db], &before, "after refusals");
    blind.apply().expect(4);
    crate::support::unchanged(&[&web, &db], &before, "after apply");
}
