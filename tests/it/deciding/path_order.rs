//! `apply` takes all names of one path together, so that it opens and protects an object once.

use serde_json::Value;

use crate::support::{
    Disk, File, Guest, Lab, calls, content, id, is_immutable, listings, nlink, unchanged, unify,
    without_flag_of,
};

const FILES: usize = 30;

fn furnished(lab: &Lab) -> [Guest; 3] {
    ["a", "b", "c"].map(|name| {
        let guest = lab.guest(name);
        for n in 0..FILES {
            guest.put(format!("/usr/{n:03}"), &File::new(content(n)));
        }
        guest
    })
}

/// Guests and paths of a receipt's link lines.
fn linked(receipt: &[Value]) -> Vec<(String, String)> {
    let word = |line: &Value, key: &str| line[key].as_str().map(str::to_owned);
    let lines = receipt.iter();
    lines
        .filter_map(|line| Some((word(line, "guest")?, word(line, "path")?)))
        .collect()
}

fn all_share([a, b, c]: &[Guest; 3]) {
    for n in 0..FILES {
        let name = format!("/usr/{n:03}");
        let found = [a, b, c].map(|guest| id(&guest.host(&name)));
        assert!(found.iter().all(|id| *id == found[0]), "{name}: {found:?}");
        assert!(is_immutable(&a.host(&name)), "{name}");
    }
}

fn assert_by_path(names: &[(String, String)]) {
    let place = |(guest, path): &(String, String)| (path.clone(), guest.clone());
    assert!(names.is_sorted_by_key(place), "{names:?}");
}

/// Plans the guests into a file of this name, and applies that.
fn planned_as(name: &str, lab: &Lab, guests: &[Guest; 3]) {
    let (base, plan) = (lab.base(), lab.path(name));
    let [base, plan] = [&base, &plan].map(|path| path.to_str().unwrap());
    let guests = guests.each_ref().map(Guest::arg);
    let mut args = vec!["plan", "--base", base, "-o", plan];
    args.extend(guests.iter().map(String::as_str));
    unify(&args).expect(0);
    unify(&["apply", "--yes", plan]).expect(0);
}

#[test]
fn a_flag_that_is_on_stays_on() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab);
    let [a, b, c] = &guests;
    let before = listings(&[a, b, c]);
    let plan = lab.plan(&[a, b, c], &[]);
    // 20 names a batch: there are five.
    let path = plan.path.to_str().unwrap();
    let ioctls = calls(&lab, "ioctl", &["apply", "--yes", "--rate", "80", path]);
    let set = ioctls
        .iter()
        .filter(|call| call.text.contains("FS_IOC_SETFLAGS"));
    // One for each object, two for each that has names in two batches, and those of the trial whether flags work.
    let set = set.count();
    assert!((FILES..FILES + 20).contains(&set), "{set} flags were set");
    all_share(&guests);
    unchanged(&[a, b, c], &before, "after apply");
    let names = linked(&lab.receipt());
    assert_eq!(names.len(), 3 * FILES);
    assert_by_path(&names);
}

/// A reader cannot seek in a compressed plan: its lines are taken as they stand.
#[test]
fn a_compressed_plan_is_applied_as_it_stands() {
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab);
    let [a, b, c] = &guests;
    let before = listings(&[a, b, c]);
    planned_as("plan.jsonl.zst", &lab, &guests);
    all_share(&guests);
    unchanged(&[a, b, c], &before, "after apply");
    let names = linked(&lab.receipt());
    assert_eq!(names.len(), 3 * FILES);
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn json_lines_are_applied_by_path_too() {
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab);
    planned_as("plan.jsonl", &lab, &guests);
    all_share(&guests);
    assert_by_path(&linked(&lab.receipt()));
}

/// Only the flag lines that are left say what is protected: each is met before any other line of its object, so
/// that nothing is shared and unprotected wherever the run ends.
#[test]
fn where_a_flag_line_was_cut_lines_are_taken_as_they_stand() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = ["a", "b", "c"].map(|name| lab.guest(name));
    for guest in [&a, &b, &c] {
        guest.put("/usr/k", &File::new(content("k")));
    }
    for n in 0..3 {
        a.put(format!("/usr/z{n}"), &File::new(content("x")));
        b.put(format!("/usr/z{n}"), &File::new(content("x")));
    }
    c.put("/usr/f", &File::new(content("x")));
    let before = listings(&[&a, &b, &c]);
    let plan = lab.plan(&[&a, &b, &c], &[]);
    let cut = plan.link("a", "/usr/k").unwrap()["object"].clone();
    let edited = without_flag_of(&lab, &plan, &cut);
    let edited = edited.to_str().unwrap();
    for step in 0.. {
        let out = unify(&["apply", "--yes", "--max-actions", "1", edited]).expect_one_of(&[0, 4]);
        let k = id(&a.host("/usr/k"));
        for object in lab.objects().iter().filter(|object| nlink(object) > 1) {
            assert_eq!(
                is_immutable(object),
                id(object) != k,
                "step {step}: {object:?}"
            );
        }
        unchanged(&[&a, &b, &c], &before, "between two runs");
        if out.code == 0 {
            break;
        }
        assert!(step < 20, "it goes on");
    }
    assert_eq!(id(&a.host("/usr/z0")), id(&c.host("/usr/f")));
}

/// The file that is met first makes the object, so that nothing has to be copied; the flag line stands after the
/// first line.
#[test]
fn what_is_met_first_makes_the_object() {
    let lab = lab!(Disk::Own);
    let [a, b] = ["a", "b"].map(|name| lab.guest(name));
    a.put("/usr/z", &File::new(content(1)));
    b.put("/usr/f", &File::new(content(1)));
    let was = id(&b.host("/usr/f"));
    let plan = lab.plan(&[&a, &b], &["--objects", "adopt"]);
    let lines = plan.json["actions"].as_array().unwrap();
    let at = |guest: &str| {
        lines
            .iter()
            .position(|line| line["guest"] == guest)
            .unwrap()
    };
    assert_eq!(lines[at("a")]["makes"], Value::Null);
    assert_eq!(lines[at("b")]["makes"], "adopt");
    assert_eq!(lines[at("a") + 1]["action"], "flag");
    plan.apply().expect(0);
    assert_eq!(id(&a.host("/usr/z")), was);
    assert_eq!(id(&b.host("/usr/f")), was, "its inode is the object");
}
