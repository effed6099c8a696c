//! Where `doctor` tries things: never in a guest, and not where this user may not.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{asked, verdict};
use crate::support::{BIN, Disk, File, Lab, Listing, assert_same, content, unify};

fn is_of_mounts(row: &Value) -> bool {
    ["idmapped-mounts", "private-clone"].contains(&row["ability"].as_str().unwrap())
}

/// What must be written to be tried is untried, and what is looked at is not.
#[track_caller]
fn is_untried(answer: &Value, because: &str) {
    let rows = answer["places"][0]["tried"].as_array().unwrap();
    let untried: Vec<&Value> = rows
        .iter()
        .filter(|row| row["verdict"] == "untried" && !is_of_mounts(row))
        .collect();
    assert!(untried.len() > 8, "{answer}");
    for row in untried {
        let detail = row["detail"].as_str().unwrap();
        assert!(detail.contains(because), "{row}");
    }
    assert_eq!(verdict(answer, "case-sensitive"), "yes");
    assert_eq!(answer["places"][0]["methods"][0]["verdict"], "untried");
    assert!(answer["places"][0]["tried_in"].is_null());
}

#[test]
fn nothing_is_tried_in_a_guest_but_beside_it() {
    let lab = lab!(Disk::Own);
    let web = lab.guest("web");
    web.put("/usr/bin/f", &File::new(content(1)));
    web.put("/etc/passwd", &File::new("root\n"));
    let before = Listing::of(web.root());
    for dir in ["/", "/usr/bin"] {
        let answer = asked(&web.host(dir));
        let place = &answer["places"][0];
        assert_eq!(place["in_guest"]["host_path"], web.root().to_str().unwrap());
        assert_eq!(
            place["tried_in"]["host_path"],
            lab.guests().to_str().unwrap()
        );
        assert_eq!(verdict(&answer, "hard-links"), "yes");
    }
    assert_same(&before, &Listing::of(web.root()), "after doctor");
}

/// A guest that is a disk of its own has nothing beside it.
#[test]
fn nothing_is_tried_in_a_guest_that_has_nothing_beside_it() {
    let lab = match Lab::mounted_by("mount -t tmpfs tmpfs $top; mkdir -p $top/usr/bin $top/etc") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let root = lab.path("");
    let before = Listing::of(&root);
    is_untried(&asked(&root), "nothing is written into");
    unify(&["doctor", root.to_str().unwrap()]).expect(3);
    assert_same(&before, &Listing::of(&root), "after doctor");
}

#[test]
fn what_is_read_only_is_not_tried() {
    let lab = match Lab::mounted_by(
        "mount -t tmpfs tmpfs $top; mkdir $top/guests; mount -o remount,ro $top",
    ) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    is_untried(&asked(&lab.guests()), "mounted read-only");
    unify(&["doctor", lab.guests().to_str().unwrap()]).expect(3);
}

/// A user who is not root learns what needs root, and is told of no failure.
#[test]
fn another_user_than_root_learns_what_needs_root() {
    let lab = lab!(Disk::Own);
    let program = lab.path("unify");
    std::fs::copy(BIN, &program).unwrap();
    let as_user = |dir: &Path| {
        let mut setpriv = Command::new("setpriv");
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let out = setpriv.args(user).arg(&program).args(["doctor", "--json"]);
        let out = out
            .arg(dir)
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!((out.status.code(), &*said), (Some(3), ""));
        serde_json::from_slice::<Value>(&out.stdout).unwrap()
    };
    let above = lab.path("").parent().unwrap().to_owned();
    for dir in [&above, &lab.path("")] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    is_untried(
        &as_user(&lab.guests()),
        "no scratch directory: Permission denied",
    );
    let own = lab.path("own");
    std::fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65534), Some(65534)).unwrap();
    let answer = as_user(&own);
    assert_eq!(
        verdict(&answer, "hard-links"),
        "yes",
        "in a directory of one's own"
    );
    assert_eq!(verdict(&answer, "immutable-flag"), "untried");
    assert_eq!(verdict(&answer, "full-root"), "no");
    assert_eq!(std::fs::read_dir(&own).unwrap().count(), 0);
    // Root tries nothing where that user could exchange what is tried.
    is_untried(&asked(&own), "belongs to another user than root");
}

/// Several directories, the base, and none at all.
#[test]
fn directories_are_told_apart() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let before = Listing::of(&lab.base());
    let (base, papers) = (lab.base(), lab.path(""));
    let out = unify(&[
        "doctor",
        "--json",
        base.to_str().unwrap(),
        papers.to_str().unwrap(),
    ]);
    let answer = out.expect_one_of(&[0, 3]).json();
    let places = answer["places"].as_array().unwrap();
    assert_eq!(places.len(), 2);
    assert_eq!(
        places[0]["tried_in"]["host_path"],
        lab.guests().to_str().unwrap()
    );
    assert_eq!(places[0]["host_path"], base.to_str().unwrap());
    let near = Command::new(BIN)
        .args(["doctor", "--json"])
        .current_dir(lab.guests())
        .output()
        .unwrap();
    let near: Value = serde_json::from_slice(&near.stdout).unwrap();
    assert_eq!(near["places"][0]["host_path"], base.to_str().unwrap());
    assert_same(&before, &Listing::of(&lab.base()), "after doctor");
    unify(&["doctor", "/no/such/place"]).expect(1);
    unify(&["doctor", "/etc/passwd"]).expect(1);
}
