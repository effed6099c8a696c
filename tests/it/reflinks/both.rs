//! Plans of both methods: hard links where content and metadata are equal, reflinks of what these leave.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{
    Disk, File, Guest, Lab, Listing, Planned, content, figure, id, is_immutable, listings,
    shares_blocks, soon_has_its_own, unchanged, unify, unify_with,
};

const BOTH: &[&str] = &["--method", "both", "--reflink-config"];

/// More than lies beside the metadata anywhere, and no whole number of blocks.
fn text(name: &str) -> Vec<u8> {
    (0..40)
        .flat_map(|n| content(format!("{name}{n}")))
        .collect()
}

/// Three guests; on btrfs the third is in a subvolume of its own, which no hard link of the base reaches.
fn guests(lab: &Lab) -> [Guest; 3] {
    let guests = [lab.guest("a"), lab.guest("b"), lab.apart("c")];
    for (at, guest) in guests.iter().enumerate() {
        guest.put("/usr/share/same", &File::new(text("same")));
        let owned = File::new(text("owner"));
        let owner = if at == 2 { 7 } else { 0 };
        guest.put("/usr/share/owner", &owned.owner(owner, 0));
        let time = File::new(text("time")).mtime(1_700_000_000 + at as i64, 0);
        guest.put("/usr/share/time", &time);
        guest.put("/usr/share/own", &File::new(text(guest.name())));
        guest.put("/usr/bin/su", &File::new(text("su")).mode(0o4755));
        guest.put("/etc/tool.conf", &File::new(text("conf")));
        guest.put(
            "/etc/machine-id",
            &File::new("0123456789abcdef0123456789abcdef\n"),
        );
    }
    guests
}

fn method(plan: &Planned, guest: &str, path: &str) -> String {
    let line = plan.link(guest, path);
    line.map_or("none", |line| line["method"].as_str().unwrap())
        .to_owned()
}

/// No file is in two lines, and what gives its blocks is not changed by a hard link before it has given them.
fn each_file_has_one_line(plan: &Planned) {
    let names = plan.names();
    let all: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(all.len(), names.len(), "a name stands twice: {names:?}");
}

fn planned(lab: &Lab, guests: &[Guest; 3], disk: Disk) -> Planned {
    let plan = lab.plan(&guests.each_ref(), BOTH);
    assert_eq!(
        plan.json["sharing"]["mode"], "both",
        "{}",
        plan.json["sharing"]
    );
    assert_eq!(plan.json["protection"]["mode"], "immutable");
    each_file_has_one_line(&plan);
    let of = |path: &str| ["a", "b", "c"].map(|guest| method(&plan, guest, path));
    let third = if disk == Disk::Btrfs {
        "reflink"
    } else {
        "hardlink"
    };
    assert_eq!(of("/usr/share/same"), ["hardlink", "hardlink", third]);
    assert_eq!(of("/usr/share/owner"), ["hardlink", "hardlink", "reflink"]);
    for path in ["/usr/share/time", "/usr/bin/su", "/etc/tool.conf"] {
        assert_eq!(of(path), ["none", "reflink", "reflink"], "{path}");
    }
    assert_eq!(of("/etc/machine-id"), ["none"; 3]);
    assert_eq!(of("/usr/share/own"), ["none"; 3]);
    let skipped = &plan.json["summary"]["skipped"];
    assert_eq!(skipped["machine-identity"]["files"], 3, "{skipped}");
    assert_eq!(skipped["unique"]["files"], 3, "{skipped}");
    let totals = &plan.json["summary"]["totals"];
    let reflinks = plan
        .actions("link")
        .into_iter()
        .filter(|line| line["method"] == "reflink");
    assert_eq!(totals["reflinks"]["links"], reflinks.count(), "{totals}");
    plan
}

fn shown(plan: &Planned) {
    let path = plan.path.to_str().unwrap();
    let text = unify(&["show", path]).expect(0).stdout;
    for words in [
        "files to hard-link",
        "files to share blocks",
        "method   both: ",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let told = unify(&["show", "--json", path]).expect(0).json();
    assert!(told["memory"].as_u64().unwrap() > 0, "{told}");
    let part = &told["totals"]["reflinks"];
    assert!(
        part["saves"].as_u64() < told["totals"]["saves"].as_u64(),
        "{told}"
    );
    let compared = |name: &str| {
        let told = unify(&["explain", "--json", "--plan", path, name])
            .expect(0)
            .json();
        told["compared_by"].as_str().unwrap().to_owned()
    };
    assert_eq!(compared("a:/usr/share/same"), "content-and-metadata");
    assert_eq!(compared("b:/usr/share/time"), "content");
    assert_eq!(compared("a:/usr/share/own"), "content");
}

fn all_shared(guests: &[Guest; 3], disk: Disk) {
    let [a, b, c] = guests;
    let ids = |path: &str| guests.each_ref().map(|guest| id(&guest.host(path)));
    let [same, owner] = ["/usr/share/same", "/usr/share/owner"].map(ids);
    assert_eq!((same[0], owner[0]), (same[1], owner[1]));
    assert_eq!(same[0] == same[2], disk != Disk::Btrfs);
    assert!(
        is_immutable(&a.host("/usr/share/owner")) && !is_immutable(&c.host("/usr/share/owner"))
    );
    for path in [
        "/usr/share/owner",
        "/usr/share/time",
        "/usr/bin/su",
        "/etc/tool.conf",
    ] {
        assert!(
            shares_blocks(&b.host(path)) && shares_blocks(&c.host(path)),
            "{path}"
        );
    }
}

fn whole_way(disk: Disk) {
    let lab = lab!(disk);
    let guests = guests(&lab);
    let all = guests.each_ref();
    let before = listings(&all);
    let stored = lab.stored();
    let plan = planned(&lab, &guests, disk);
    let promised = plan.promised();
    shown(&plan);
    let path = plan.path.to_str().unwrap();
    let dry = unify(&["apply", "--dry-run", "--json", path])
        .expect(0)
        .json();
    assert_eq!(dry["totals"]["refused"], 0, "{dry}");
    plan.apply().expect(0);
    unchanged(&all, &before, "after apply");
    all_shared(&guests, disk);
    // Blocks of the base's records, and what the file system writes of either.
    let is_near = |freed: u64| freed.abs_diff(promised) < 4 << 20;
    let freed = stored - lab.stored_soon(|now| is_near(stored.saturating_sub(now)));
    assert!(is_near(freed), "{disk:?}: {freed} of {promised}");
    plan.verify().expect(0);
    plan.apply().expect(0);
    all_shared(&guests, disk);
    let again = lab.plan(&all, BOTH);
    assert!(
        again.actions("link").is_empty(),
        "{disk:?}: {:?}",
        again.actions("link")
    );
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("recover", &[]).expect(0);

    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&all, &before, "after undo");
    lab.on_base("gc", &[]).expect(0);
    assert!(lab.objects().is_empty());
    for guest in all {
        for path in [
            "/usr/share/same",
            "/usr/share/owner",
            "/usr/share/time",
            "/etc/tool.conf",
        ] {
            assert!(soon_has_its_own(&guest.host(path)), "{disk:?}: {path}");
        }
    }

    // A file joins what became an object before: its blocks are those of the object.
    plan_and_apply_late(&lab, &guests);
}

fn plan_and_apply_late(lab: &Lab, guests: &[Guest; 3]) {
    let [a, b, c] = guests;
    lab.plan(&[a, b], &[]).apply().expect(0);
    let plan = lab.plan(&guests.each_ref(), BOTH);
    let line = plan.link("c", "/usr/share/owner").unwrap();
    assert_eq!(line["method"], "reflink");
    plan.apply().expect(0);
    assert!(shares_blocks(&c.host("/usr/share/owner")));
    plan.verify().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
}

#[test]
fn on_xfs() {
    whole_way(Disk::Xfs);
}

#[test]
fn on_btrfs_across_subvolumes() {
    whole_way(Disk::Btrfs);
}

/// Where one of them cannot be had the other is alone, and the header says so.
#[test]
fn one_of_them_is_taken_where_the_other_cannot_be_had() {
    let lab = lab!(Disk::Ext4);
    let guests = guests(&lab);
    let plan = lab.plan(&guests.each_ref(), BOTH);
    assert_eq!(plan.json["sharing"]["mode"], "hardlink");
    assert!(
        plan.actions("link")
            .iter()
            .all(|line| line["method"] == "hardlink")
    );
    plan.apply().expect(0);

    let lab = lab!(Disk::Btrfs);
    let guests = ["a", "b"].map(|name| lab.apart(name));
    for guest in &guests {
        guest.put("/usr/share/same", &File::new(text("same")));
    }
    let plan = lab.plan(&guests.each_ref(), BOTH);
    assert_eq!(
        plan.json["sharing"]["mode"], "reflink",
        "{}",
        plan.json["sharing"]
    );
    assert!(plan.json["protection"].is_null());
    plan.apply().expect(0);
}

/// A limit is that of all lines together, and what was left is done by the next run.
#[test]
fn limits_hold_for_both_together() {
    let lab = lab!(Disk::Xfs);
    let guests = guests(&lab);
    let plan = lab.plan(&guests.each_ref(), BOTH);
    let path = plan.path.to_str().unwrap();
    let done = |args: &[&str]| {
        let out = unify(&[&["apply", "--yes", "--json"], args, &[path]].concat());
        out.expect_one_of(&[0, 4]).json()["totals"]["done"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(done(&["--max-actions", "2"]), 2);
    done(&[]);
    all_shared(&guests, Disk::Xfs);
    lab.on_base(
        "undo",
        &["--run", "all", "--yes", "--path", "/usr/share/owner"],
    )
    .expect(0);
    assert!(soon_has_its_own(&guests[2].host("/usr/share/owner")));
    assert!(shares_blocks(&guests[2].host("/usr/share/time")));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
}

/// Killed between and within the two parts: every name has what it had, and the next run ends it.
#[test]
fn runs_of_both_are_killed() {
    armed!();
    let lab = lab!(Disk::Xfs);
    let guests = guests(&lab);
    let all = guests.each_ref();
    let before: Vec<_> = listings(&all)
        .into_iter()
        .map(Listing::without_directory_times)
        .collect();
    let same = |when: &str| {
        for (before, guest) in before.iter().zip(all) {
            let now = Listing::of(guest.root()).without_directory_times();
            crate::support::assert_same(before, &now, when);
        }
    };
    let plan = lab.plan(&all, BOTH);
    let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
    let trace = lab.path("trace");
    unify_with(&[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], &apply).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let calls = std::fs::read_to_string(&trace).unwrap().lines().count();
    let every = if crate::support::is_long() {
        1
    } else {
        calls / 3
    };
    let cut: Vec<usize> = (1..=calls).step_by(every).collect();
    for at in &cut {
        let when = format!("killed at call {at} of {calls}");
        unify_with(&[("UNIFY_FAULT", &format!("{at}=kill"))], &apply);
        same(&when);
        lab.on_base("recover", &[]).expect(0);
        same(&format!("{when}, and healed"));
        let next = lab.plan(&all, BOTH);
        next.apply().expect(0);
        same(&format!("{when}, and applied"));
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        same(&format!("{when}, and undone"));
        lab.on_base("gc", &[]).expect(0);
        assert!(lab.objects().is_empty(), "{when}");
    }
    figure(&format!(
        "both methods: killed at {} of {calls} calls of apply",
        cut.len()
    ));
}

/// Subvolumes inside of a guest are no part of it: they are told by their own reason.
#[test]
fn a_subvolume_within_a_guest_has_its_own_reason() {
    let lab = lab!(Disk::Btrfs);
    let guests = guests(&lab);
    std::fs::create_dir_all(guests[0].host("/var/lib")).unwrap();
    let inner = guests[0].host("/var/lib/machines");
    let made = Command::new("btrfs")
        .args(["-q", "subvolume", "create"])
        .arg(&inner)
        .status();
    assert!(made.unwrap().success());
    std::fs::write(inner.join("f"), text("same")).unwrap();
    mounted(&lab, &guests[0].host("/usr/mnt"), || {
        for options in [BOTH, &["--method", "reflink"]] {
            let plan = lab.plan(&guests.each_ref(), options);
            let skip = plan.skip("a", "/var/lib/machines").unwrap();
            assert_eq!(skip["reason"], "subvolume");
            let count: &Value = &plan.json["summary"]["skipped"]["subvolume"];
            assert_eq!(count["files"], 1, "{count}");
        }
    });
}

/// With another file system mounted there, which is none.
fn mounted(lab: &Lab, place: &Path, then: impl FnOnce()) {
    std::fs::create_dir_all(place).unwrap();
    let mount = |args: &[&str]| Command::new("mount").args(args).arg(place).status();
    assert!(mount(&["-t", "tmpfs", "none"]).unwrap().success());
    then();
    crate::support::unmount(place);
    assert!(lab.path(".").exists());
}
