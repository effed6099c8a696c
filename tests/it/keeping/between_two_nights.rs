//! What the world does to guests between two nights: destroyed, opened and half removed, renamed, made anew. Whatever
//! `status`, `plan` and `recover` say then is what the disk says.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Disk, File, Guest, Lab, content, id, is_immutable, lift_flags, nlink, walk};

const FILES: [&str; 4] = ["/usr/bin/f", "/usr/lib/g", "/usr/share/h", "/usr/share/own"];

fn guest(lab: &Lab, name: &str) -> Guest {
    let guest = lab.guest(name);
    for path in &FILES[..3] {
        guest.put(path, &File::new(content(path)));
    }
    guest.put(FILES[3], &File::new(format!("of {name}")));
    guest
}

/// Three guests that share three files.
fn night(lab: &Lab) -> [Guest; 3] {
    let guests = ["a", "b", "c"].map(|name| guest(lab, name));
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    guests
}

/// What the disk says of objects and of each guest's names.
struct Truth {
    /// Objects that guests refer to and that lack their flag.
    unprotected: u64,
    /// Names of objects by guest, and how many of them lack the flag.
    names: BTreeMap<String, (u64, u64)>,
}

impl Truth {
    fn of(lab: &Lab) -> Truth {
        let objects = lab.objects();
        let by_inode: HashMap<_, _> = objects.iter().map(|object| (id(object), object)).collect();
        let open = |object: &Path| nlink(object) > 1 && !is_immutable(object);
        let mut names: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for root in fs::read_dir(lab.guests()).unwrap() {
            let root = root.unwrap();
            let name = root.file_name().into_string().unwrap();
            if name == ".unify" {
                continue;
            }
            let count = names.entry(name).or_default();
            walk(&root.path(), &mut |found| {
                let inode = (found.stat.st_dev, found.stat.st_ino);
                if let Some(object) = by_inode.get(&inode) {
                    count.0 += 1;
                    count.1 += u64::from(open(object));
                }
            });
        }
        Truth {
            unprotected: objects.iter().filter(|object| open(object)).count() as u64,
            names,
        }
    }

    #[track_caller]
    fn assert_told_by(&self, status: &Value, when: &str) {
        assert_eq!(
            status["unprotected_objects"], self.unprotected,
            "{when}: {status}"
        );
        for guest in status["guests"].as_array().unwrap() {
            let name = guest["name"].as_str().unwrap();
            let told = [&guest["shared_names"], &guest["unprotected_names"]];
            let (shared, open) = self.names.get(name).copied().unwrap_or_default();
            assert_eq!(
                told,
                [&Value::from(shared), &Value::from(open)],
                "{when}: {guest}"
            );
        }
    }
}

/// What is seen in the morning, and after `recover`.
#[track_caller]
fn morning(lab: &Lab, guests: &[&Guest], when: &str) {
    let truth = Truth::of(lab);
    let out = lab.on_base("status", &["--json", "--exit-code"]);
    truth.assert_told_by(&out.json(), when);
    let (out, plan) = lab.try_plan(guests, &["--exit-code"]);
    let plan = plan.unwrap();
    let told = plan.json["summary"]["flags_lost"].as_u64();
    assert_eq!(told.unwrap_or(0), truth.unprotected, "{when}");
    let says = out.stderr.contains("UNPROTECTED");
    assert_eq!(says, truth.unprotected > 0, "{when}: {}", out.stderr);
    if says {
        assert_eq!(out.code, 10, "{when}");
    }
    let healed = lab.on_base("recover", &["--json"]).expect(0).json();
    assert_eq!(healed["flags_lost"], truth.unprotected, "{when}: {healed}");
    let after = Truth::of(lab);
    assert_eq!(after.unprotected, 0, "{when}");
    after.assert_told_by(&lab.on_base("status", &["--json"]).json(), when);
    plan.apply().expect_one_of(&[0, 4]);
    assert_eq!(Truth::of(lab).unprotected, 0, "{when}");
}

#[test]
fn a_guest_is_opened() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = night(&lab);
    lift_flags(a.root());
    morning(&lab, &[&a, &b, &c], "opened");
}

#[test]
fn a_guest_is_destroyed() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = night(&lab);
    lift_flags(a.root());
    fs::remove_dir_all(a.root()).unwrap();
    morning(&lab, &[&b, &c], "destroyed");
    lab.on_base("status", &["--exit-code"]).expect(10);
    lab.on_base("forget", &["a", "--yes"]).expect(0);
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// `rm -rf` without lifting the flags first: what is immutable stays.
#[test]
fn a_guest_is_half_removed() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = night(&lab);
    fs::remove_file(a.host(FILES[3])).unwrap();
    fs::remove_dir_all(a.root()).expect_err("names are immutable");
    morning(&lab, &[&a, &b, &c], "half removed");
    lab.on_base("forget", &["a", "--yes"]).expect(0);
    fs::remove_dir_all(a.root()).expect("nothing is immutable any more");
    lab.on_base("status", &["--exit-code"]).expect(0);
}

#[test]
fn a_guest_is_renamed() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = night(&lab);
    let renamed = lab.renamed(&a, "renamed");
    morning(&lab, &[&renamed, &b, &c], "renamed");
    lab.on_base("forget", &["a", "--yes"]).expect(0);
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    for path in &FILES[..3] {
        assert_eq!(nlink(&renamed.host(path)), 1, "{path}");
    }
}

#[test]
fn a_guest_is_made_anew_in_its_place() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = night(&lab);
    lift_flags(a.root());
    fs::remove_dir_all(a.root()).unwrap();
    let a = guest(&lab, "a");
    morning(&lab, &[&a, &b, &c], "made anew");
    assert_eq!(
        id(&a.host(FILES[0])),
        id(&b.host(FILES[0])),
        "it shares again"
    );
    let status = lab
        .on_base("status", &["--exit-code", "--json"])
        .expect(0)
        .json();
    assert_eq!(status["guests"][0]["drifted"], serde_json::json!([]));
}

/// By LXC itself, which takes the flags off.
#[test]
fn lxc_destroys_a_container() {
    let lab = lab!(Disk::Own);
    let made = ["c1", "c2"].map(|name| {
        fs::create_dir(lab.guests().join(name)).unwrap();
        let root = lab.guest(&format!("{name}/rootfs"));
        for path in &FILES[..3] {
            root.put(path, &File::new(content(path)));
        }
        let config = lab.guests().join(name).join("config");
        let text = format!(
            "lxc.rootfs.path = dir:{}\nlxc.uts.name = {name}\n",
            root.root().display()
        );
        fs::write(config, text).unwrap();
        (name, root)
    });
    let plan = lab.path("plan.json");
    let named = made
        .iter()
        .map(|(name, root)| format!("{name}={}", root.root().display()));
    let base = lab.base();
    let args = [
        "plan",
        "-o",
        plan.to_str().unwrap(),
        "--base",
        base.to_str().unwrap(),
    ];
    let args: Vec<String> = args.into_iter().map(str::to_owned).chain(named).collect();
    crate::support::unify(&args).expect(0);
    crate::support::unify(&["apply", "--yes", plan.to_str().unwrap()]).expect(0);
    let destroy = std::process::Command::new("lxc-destroy")
        .arg("-P")
        .arg(lab.guests())
        .args(["-n", "c1"])
        .output();
    let Ok(destroyed) = destroy else {
        skip!("LXC is not on this machine");
    };
    assert!(destroyed.status.success(), "{destroyed:?}");
    assert_eq!(
        Truth::of(&lab).unprotected,
        3,
        "lxc-destroy took the flags off"
    );
    lab.on_base("forget", &["c1", "--yes"]).expect(0);
    assert_eq!(Truth::of(&lab).unprotected, 0);
    lab.on_base("status", &["--exit-code"]).expect(0);
}
