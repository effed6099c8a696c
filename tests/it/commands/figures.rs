//! What comes back, as it is promised, reported and counted, is what the disk gives back; and what differs is named.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Disk, File, Guest, Lab, Out, content, lift_flags, one_exchange, unify};

/// Random enough that no file system makes it smaller.
fn bytes(seed: u64, length: u64) -> Vec<u8> {
    let words = (0..length / 8).map(|n| (n ^ seed << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words.flat_map(|n| (n ^ n >> 29).to_le_bytes()).collect()
}

/// Blocks that only their own file has.
const OWN: u64 = 4 << 20;
/// Blocks that a clone shares.
const CLONED: u64 = 8 << 20;

/// Two guests with a file each of its own, and one that the second cloned from the first.
fn cloned(lab: &Lab) -> [Guest; 2] {
    let [web, db] = lab.twins(&[("/usr/own", File::new(bytes(1, OWN)))]);
    web.put("/usr/clone", &File::new(bytes(2, CLONED)));
    let mut cp = Command::new("cp");
    let cp = cp.args(["-a", "--reflink=always"]);
    let cp = cp.args([web.host("/usr/clone"), db.host("/usr/clone")]);
    assert!(cp.status().unwrap().success());
    sync(lab.base().parent().unwrap());
    [web, db]
}

fn sync(place: &Path) {
    let done = Command::new("sync").arg("-f").arg(place).status();
    assert!(done.unwrap().success());
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

fn report_of(lab: &Lab, guests: &[&Guest]) -> Out {
    let base = lab.base().display().to_string();
    let mut args = vec![
        "plan".to_owned(),
        "--base".into(),
        base,
        "--protect".into(),
        "immutable".into(),
    ];
    args.extend(guests.iter().map(|guest| guest.arg()));
    unify(&args).expect(0)
}

/// What clones share stays where it is: no plan, no run and no status counts it as won.
#[test]
fn blocks_that_are_shared_already_do_not_come_back() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let [web, db] = cloned(&lab);
        let plan = lab.plan(&[&web, &db], &[]);
        assert_eq!(plan.promised(), OWN, "{disk:?}");
        let caveats = &plan.json["summary"]["caveats"];
        assert_eq!(caveats["shared_blocks"], CLONED, "{disk:?}: {caveats}");
        let said = report_of(&lab, &[&web, &db]).stderr;
        assert!(
            said.contains("4.00 MiB come back in allocated"),
            "{disk:?}: {said}"
        );
        assert!(
            said.contains("8.00 MiB of what is linked are in blocks that files or snapshots share"),
            "{disk:?}: {said}"
        );

        let file = plan.path.to_str().unwrap();
        let told = unify(&["apply", "--yes", "--json", file]).expect(0).json();
        assert_eq!(told["totals"]["bytes"], OWN, "{disk:?}: {told}");
        let disk_says = number(&told["disk"]["used_before"]) - number(&told["disk"]["used_after"]);
        let near = OWN - (1 << 20)..OWN + (1 << 20);
        assert!(near.contains(&disk_says), "{disk:?}: {disk_says} came back");

        let told = unify(&[
            "undo",
            "--base",
            lab.base().to_str().unwrap(),
            "--run",
            "all",
            "--yes",
            "--json",
        ]);
        let told = told.expect(0).json();
        let disk_says = number(&told["disk"]["used_after"]) - number(&told["disk"]["used_before"]);
        let bytes = number(&told["totals"]["bytes"]);
        assert!(
            bytes.abs_diff(disk_says) < 2 << 20,
            "{disk:?}: {bytes} and {disk_says}"
        );
    }
}

/// A guest is freed of what it alone has; names and blocks elsewhere stay.
#[test]
fn status_counts_what_deleting_a_guest_frees() {
    for disk in [Disk::Own, Disk::Xfs] {
        let lab = lab!(disk);
        let (web, db) = match disk {
            Disk::Own => lab.twins(&[("/usr/own", File::new(bytes(1, OWN)))]).into(),
            _ => cloned(&lab).into(),
        };
        let cloned = if web.host("/usr/clone").exists() {
            CLONED
        } else {
            0
        };
        lab.plan(&[&web, &db], &["--exclude", "/usr/clone"])
            .apply()
            .expect(0);
        web.put("/usr/private", &File::new(bytes(3, OWN)));
        web.put("/usr/linked", &File::new(bytes(4, OWN)));
        std::fs::hard_link(web.host("/usr/linked"), lab.path("elsewhere")).unwrap();
        sync(web.root());
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        let guest = &status["guests"][1];
        assert_eq!(guest["name"], "web");
        assert_eq!(guest["unique_bytes"], OWN, "{disk:?}: {guest}");
        assert_eq!(guest["elsewhere_bytes"], OWN + cloned, "{disk:?}: {guest}");
        assert_eq!(
            guest["freed_if_deleted"], OWN,
            "{disk:?}: db holds the object: {guest}"
        );
        let said = lab.on_base("status", &[]).expect(0).stdout;
        assert!(
            said.contains(" more are shared by other names, files or snapshots"),
            "{said}"
        );
    }
}

/// Names are counted as names: that they share inodes now changes nothing.
#[test]
fn a_guest_has_as_many_names_before_and_after() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(1))),
        ("/usr/h", File::new(content(2))),
    ]);
    lab.plan(&[&web, &db], &["--exclude", "/usr/f"])
        .apply()
        .expect(0);
    let counts = || {
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        let guest = &status["guests"][0];
        (number(&guest["names"]), number(&guest["files"]))
    };
    assert_eq!(counts(), (3, 3));
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    assert_eq!(counts(), (3, 2));
    let said = lab.on_base("status", &[]).expect(0).stdout;
    assert!(said.contains("  guest  names  shared names  "), "{said}");
}

/// Objects that nothing refers to are promised once: by the plan that uses them, or by gc.
#[test]
fn room_that_gc_would_give_back_is_told_apart() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/own", File::new(bytes(1, OWN)))]);
    let first = lab.plan(&[&web, &db], &[]);
    assert!(first.json["summary"]["caveats"].is_null());
    first.apply().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(plan.promised(), 2 * OWN);
    assert_eq!(plan.json["summary"]["caveats"]["unused_objects"], OWN);
    let said = report_of(&lab, &[&web, &db]).stderr;
    assert!(
        said.contains("4.00 MiB of it are won without this plan, too"),
        "{said}"
    );
    let said = lab.on_base("status", &[]).expect(0).stdout;
    let want = format!(
        "`unify gc --base {}` gives back 4.00 MiB",
        lab.base().display()
    );
    assert!(said.contains(&want), "{said}");
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.plan(&[&web, &db], &[]).promised(), OWN);
}

#[test]
fn on_an_overlay_nothing_is_promised_for_sure() {
    let lab = match Lab::mounted_by(
        "cd $scratch; mkdir -p lo/guests/web/usr up wk; yes lower | head -c 90000 > lo/guests/web/usr/a; \
         cp -a lo/guests/web lo/guests/db; \
         mount -t overlay overlay -o lowerdir=$PWD/lo,upperdir=$PWD/up,workdir=$PWD/wk $top",
    ) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let guests = ["web", "db"].map(|name| lab.there(name));
    let plan = lab.path("p.json");
    let mut args = vec![
        "plan".into(),
        "--protect".into(),
        "immutable".into(),
        "-o".into(),
        plan.to_str().unwrap().to_owned(),
    ];
    args.extend(guests.iter().map(Guest::arg));
    let out = unify(&args);
    if out.code == 8 {
        return;
    }
    let said = out.expect(0).stderr;
    assert!(
        said.contains("up to") && said.contains("overlay mount"),
        "{said}"
    );
    let said = unify(&["apply", "--yes", plan.to_str().unwrap()])
        .expect(0)
        .stdout;
    assert!(
        said.contains("up to") && said.contains("overlay mount"),
        "{said}"
    );
}

/// What changed of an object is named where a plan tells what it was, and never guessed.
#[test]
fn the_field_that_differs_is_named() {
    type Change = fn(&Path);
    let cases: [(Change, &str, &str); 5] = [
        (|file| mode(file, 0o600), "mode", "mode"),
        (|file| chown(file, Some(7), None).unwrap(), "uid", "uid"),
        (|file| touch(file), "mtime", "mtime"),
        (|file| attribute(file), "xattrs", "xattrs"),
        (
            |file| {
                mode(file, 0o600);
                touch(file);
            },
            "mode, mtime",
            "mode, mtime",
        ),
    ];
    for (change, by_plan, by_base) in cases {
        let lab = lab!(Disk::Own);
        let (_, plan) = one_exchange(&lab);
        plan.apply().expect(0);
        let object = &lab.objects()[0];
        lift_flags(&lab.base().join("objects"));
        change(object);
        let said = |out: Out| {
            let said = [out.stdout, out.stderr].concat();
            let (_, fields) = said
                .split_once("the object is not what its name says: ")
                .unwrap_or_else(|| panic!("{said}"));
            fields.lines().next().unwrap().trim().to_owned()
        };
        assert_eq!(said(plan.verify().expect(6)), by_plan);
        assert_eq!(said(lab.on_base("verify", &[]).expect(6)), by_base);
    }
}

/// Without the plan only what can be proven is said.
#[test]
fn what_no_paper_tells_is_called_metadata() {
    let lab = lab!(Disk::Own);
    let (_, plan) = one_exchange(&lab);
    plan.apply().expect(0);
    for run in std::fs::read_dir(lab.base().join("runs")).unwrap() {
        for paper in std::fs::read_dir(run.unwrap().path()).unwrap() {
            let paper = paper.unwrap().path();
            if paper
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("plan")
            {
                std::fs::remove_file(paper).unwrap();
            }
        }
    }
    lift_flags(&lab.base().join("objects"));
    touch(&lab.objects()[0]);
    let said = lab.on_base("verify", &[]).expect(6).stdout;
    assert!(
        said.contains("the object is not what its name says: metadata\n"),
        "{said}"
    );
}

fn mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
}

fn touch(file: &Path) {
    let file = std::fs::File::open(file).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(file.metadata().unwrap().mtime(), 0);
}

fn attribute(file: &Path) {
    let set = Command::new("setfattr")
        .args(["-n", "user.a", "-v", "b"])
        .arg(file)
        .status();
    assert!(set.unwrap().success());
}
