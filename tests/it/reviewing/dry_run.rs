//! `apply --dry-run`, `undo --dry-run` and `show --stale` say what would become of a plan, and change nothing on disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{
    Disk, File, Guest, Lab, Out, Planned, content, inside, is_immutable, unify, walk,
};

fn on(command: &str, plan: &Path, options: &[&str]) -> Out {
    let args = [command.into(), plan.as_os_str().to_owned()];
    let options = options.iter().map(|arg| (*arg).into());
    unify(&args.into_iter().chain(options).collect::<Vec<_>>())
}

fn dry(plan: &Planned, options: &[&str]) -> Out {
    on("apply", &plan.path, &[&["--dry-run"][..], options].concat())
}

/// Inode, times (that of access as well), links, blocks and flag of everything beneath a directory, itself included.
fn all_facts(top: &Path) -> BTreeMap<PathBuf, (u64, [i64; 6], u64, u64)> {
    // The kernel gives blocks to what was written whenever it writes it to the disk.
    rustix::fs::sync();
    let facts = |path: &Path| {
        let it = fs::symlink_metadata(path).unwrap();
        let times = [
            it.atime(),
            it.atime_nsec(),
            it.mtime(),
            it.mtime_nsec(),
            it.ctime(),
            it.ctime_nsec(),
        ];
        (it.ino(), times, it.nlink(), it.blocks())
    };
    let mut all = BTreeMap::new();
    let mut left = vec![top.to_owned()];
    while let Some(path) = left.pop() {
        all.insert(path.clone(), facts(&path));
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            // Listing a directory reads it: its facts were taken before.
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
    all
}

/// What changed, but for access times of directories, which this test itself reads.
fn changes(before: &BTreeMap<PathBuf, (u64, [i64; 6], u64, u64)>, top: &Path) -> Vec<PathBuf> {
    let now = all_facts(top);
    let same = |path: &PathBuf| match (before.get(path), now.get(path)) {
        (Some(a), Some(b)) if path.is_dir() => {
            (a.0, &a.1[2..], a.2, a.3) == (b.0, &b.1[2..], b.2, b.3)
        }
        (a, b) => a == b,
    };
    let all = before.keys().chain(now.keys());
    all.filter(|path| !same(path)).cloned().collect()
}

fn scene(lab: &Lab) -> ([Guest; 2], Planned) {
    let guests = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
        ("/usr/c", File::new(content(3))),
    ]);
    let plan = lab.plan(&guests.each_ref(), &[]);
    (guests, plan)
}

#[test]
fn a_dry_run_proves_all_and_changes_nothing() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    let before = all_facts(&lab.guests());
    let said = dry(&plan, &["--json"]).expect(0).json();
    assert_eq!(
        (&said["ok"], &said["totals"]["done"]),
        (&true.into(), &(6 + 3).into()),
        "{said}"
    );
    assert_eq!(
        changes(&before, &lab.guests()),
        [""; 0].map(PathBuf::from),
        "where there is no base"
    );
    assert!(!lab.base().exists());
    // A base, an object that is there and flagged, and a third guest that would be linked to it.
    plan.apply().expect(0);
    let app = lab.guest("app");
    for (n, path) in ["/usr/a", "/usr/b", "/usr/d"].into_iter().enumerate() {
        app.put(path, &File::new(content(n + 1)));
    }
    let more = lab.plan(&[&web, &db, &app], &[]);
    let before = all_facts(&lab.guests());
    let said = dry(&more, &["--json"]).expect(0).json();
    assert_eq!(said["totals"]["done"], 3, "{said}");
    assert_eq!(
        dry(&plan, &["--json"]).expect(0).json()["totals"]["already"],
        6 + 3
    );
    assert_eq!(
        changes(&before, &lab.guests()),
        [""; 0].map(PathBuf::from),
        "where there is one"
    );
    assert!(is_immutable(&web.host("/usr/a")));
    more.apply().expect(0);
}

/// Names with the fields that are told of them.
fn told(said: &Value, list: &str) -> BTreeMap<String, Vec<String>> {
    let line = |line: &Value| {
        let fields = line["fields"].as_array().into_iter().flatten();
        let fields = fields.map(|field| field.as_str().unwrap().to_owned());
        let (guest, path) = (line["guest"].as_str(), line["path"].as_str());
        (
            format!("{}:{}", guest.unwrap(), path.unwrap()),
            fields.collect(),
        )
    };
    said[list].as_array().unwrap().iter().map(line).collect()
}

/// Other bytes of the same length, and the time put back: only ctime and the content tell.
fn rewrite_in_secret(path: &Path) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    fs::write(path, content(9)).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(modified))
        .unwrap();
}

/// What is refused when it is tried is refused when it is done, and nothing else is.
#[test]
fn each_stale_line_is_named_with_its_field() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    rewrite_in_secret(&web.host("/usr/a"));
    fs::remove_file(db.host("/usr/b")).unwrap();
    let before = all_facts(&lab.guests());
    let said = dry(&plan, &["--json"]).expect(4).json();
    let refused = told(&said, "refusals");
    assert_eq!(refused.len(), 2, "{said}");
    assert!(
        refused["web:/usr/a"].contains(&"content".to_owned()),
        "{refused:?}"
    );
    assert!(refused.contains_key("db:/usr/b"), "{refused:?}");
    dry(&plan, &["--path", "/usr/c"]).expect(0);
    // The text says it, too.
    let text = dry(&plan, &[]).expect(4);
    let want = "web:/usr/a: refused: changed since the plan: ctime, content";
    assert!(text.stderr.contains(want), "{}", text.stderr);
    assert_eq!(changes(&before, &lab.guests()), [""; 0].map(PathBuf::from));
    assert_eq!(refused_by(&plan.apply().expect(4)), 2);
}

#[test]
fn a_look_at_names_tells_what_is_stale_and_what_is_done() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    rewrite_in_secret(&web.host("/usr/a"));
    fs::remove_file(db.host("/usr/b")).unwrap();
    let before = all_facts(&lab.guests());
    let stale = on("show", &plan.path, &["--stale", "--json"])
        .expect(0)
        .json();
    let lines = told(&stale, "lines");
    assert_eq!(
        (&lines["web:/usr/a"][..], &lines["db:/usr/b"][..]),
        (&["ctime".into()][..], &["gone".into()][..])
    );
    assert_eq!(
        (&stale["fresh"], &stale["stale_lines"]),
        (&4.into(), &2.into()),
        "{stale}"
    );
    on("show", &plan.path, &["--stale", "--exit-code"]).expect(10);
    on(
        "show",
        &plan.path,
        &["--stale", "--exit-code", "--path", "/usr/c"],
    )
    .expect(0);
    assert_eq!(changes(&before, &lab.guests()), [""; 0].map(PathBuf::from));
    plan.apply().expect(4);
    let stale = on("show", &plan.path, &["--stale", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&stale["done"], &stale["stale_lines"]),
        (&4.into(), &2.into()),
        "{stale}"
    );
    fs::rename(db.root(), lab.guests().join("moved")).unwrap();
    let stale = on("show", &plan.path, &["--stale", "--json", "--guest", "db"])
        .expect(0)
        .json();
    assert_eq!(told(&stale, "lines")["db:/usr/c"], ["root-changed"]);
}

/// A plan whose objects are not what their names say.
#[test]
fn a_dry_run_reads_what_objects_are_made_of() {
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = scene(&lab);
    plan.apply().expect(0);
    let app = lab.guest("app");
    app.put("/usr/a", &File::new(content(1)));
    let more = lab.plan(&[&web, &app], &["--no-cache"]);
    assert!(more.link("app", "/usr/a").is_some());
    crate::support::rot(&web.host("/usr/a"));
    let said = dry(&more, &["--json"]).expect(4).json();
    assert_eq!(said["refusals"][0]["code"], "damaged-object", "{said}");
    assert!(!is_immutable(&app.host("/usr/a")));
}

#[test]
fn what_refuses_an_apply_refuses_a_dry_run() {
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = scene(&lab);
    dry(
        &plan,
        &["--approved", &format!("sha256:{}", "0".repeat(64))],
    )
    .expect(5);
    let text = fs::read_to_string(&plan.path).unwrap();
    let edited = lab.path("edited.json");
    fs::write(&edited, text.replacen("\"size\":9000", "\"size\":9001", 1)).unwrap();
    on("apply", &edited, &["--dry-run"]).expect(5);
    let running = inside("sh", &["-c", "echo inside; read x"], web.root()).expect("a shell");
    let said = dry(&plan, &["--json"]).expect(4).json();
    assert_eq!(said["refusals"][0]["code"], "guest-running", "{said}");
    drop(running);
    dry(&plan, &[]).expect(0);
    fs::rename(web.root(), lab.guests().join("moved")).unwrap();
    fs::create_dir(web.root()).unwrap();
    dry(&plan, &[]).expect(5);
    assert!(!lab.base().exists());
}

#[test]
fn a_dry_run_works_on_what_is_mounted_read_only() {
    let disk = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let lab = disk.part("part");
    let ([web, db], plan) = scene(&lab);
    fs::remove_file(db.host("/usr/b")).unwrap();
    let top = lab.guests().ancestors().nth(2).unwrap().to_owned();
    let remount = |how: &str| {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&top)
            .status();
        done.is_ok_and(|status| status.success())
    };
    if !remount("ro") {
        skip!("the disk of the lab cannot be mounted read-only");
    }
    let (dry, stale) = (
        dry(&plan, &["--json"]),
        on("show", &plan.path, &["--stale"]),
    );
    assert!(remount("rw"));
    let said = dry.expect(4).json();
    assert_eq!(
        (&said["read_only"], &said["totals"]["refused"]),
        (&true.into(), &1.into()),
        "{said}"
    );
    stale.expect(0);
    assert!(!is_immutable(&web.host("/usr/a")));
}

#[test]
fn an_undo_that_is_looked_at_changes_nothing() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    plan.apply().expect(0);
    let before = all_facts(&lab.guests());
    let look =
        |options: &[&str]| lab.on_base("undo", &[&["--dry-run", "--json"][..], options].concat());
    let said = look(&["--run", "last"]).expect(0).json();
    assert_eq!(
        (&said["files"], &said["by_guest"]["web"]),
        (&6.into(), &3.into()),
        "{said}"
    );
    let part = look(&["--run", "last", "--guest", "db", "--path", "/usr/a"])
        .expect(0)
        .json();
    assert_eq!(part["files"], 1, "{part}");
    assert!(part["needed"].as_u64().unwrap() >= 9_000, "{part}");
    look(&["--run", "last", "--guest", "wbe"]).expect(2);
    assert_eq!(changes(&before, &lab.guests()), [""; 0].map(PathBuf::from));
    let mut names = 0;
    walk(guests[0].root(), &mut |_| names += 1);
    assert!(names > 3 && is_immutable(&guests[0].host("/usr/a")));
}

/// How many actions an apply refused, by its table.
fn refused_by(out: &Out) -> u64 {
    let mut lines = out.stdout.lines();
    let line = lines.find(|line| line.trim_start().starts_with("refused"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .expect("a count")
}
