//! File systems over others. What they cannot do is refused when the plan is made, with a sentence that is true.

use std::os::unix::fs::MetadataExt;

use crate::support::{Disk, File, Lab, content, id, nlink, unify};

/// FUSE makes no files without a name: no advice helps, and none is given.
#[test]
fn without_nameless_files_nothing_is_promised() {
    let lab = match Lab::mounted_by("mkdir $scratch/src; bindfs $scratch/src $top") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let [web, db] = lab.twins(&[("/usr/lib/a", File::new(content("a")))]);
    for protect in [&[][..], &["--protect", "none", "--protect", "none"]] {
        let (out, plan) = lab.try_plan(&[&web, &db], protect);
        out.clone().expect(8);
        assert!(out.stderr.contains("O_TMPFILE"), "{}", out.stderr);
        assert!(!out.stderr.contains("--protect"), "{}", out.stderr);
        assert!(plan.is_none());
    }
    assert!(!lab.base().exists());
}

/// Guests in the lower and in the upper layer of an overlay, the base on it.
#[test]
fn on_an_overlay_what_is_promised_is_done() {
    let lab = match Lab::mounted_by(
        "cd $scratch; mkdir -p lo/guests/web/usr/lib up wk; yes lower | head -c 9000 > lo/guests/web/usr/lib/a; \
         cp -a lo/guests/web lo/guests/db; cp -a lo/guests/web/usr/lib/a lo/guests/db/usr/lib/a; \
         mount -t overlay overlay -o lowerdir=$PWD/lo,upperdir=$PWD/up,workdir=$PWD/wk $top; \
         cp -a $top/guests/web $top/guests/third",
    ) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let names = ["web", "db", "third"].map(|name| lab.guests().join(name));
    let file = |n: usize| names[n].join("usr/lib/a");
    let before: Vec<_> = (0..3).map(|n| std::fs::read(file(n)).unwrap()).collect();
    let plan = lab.path("p.json");
    let mut args = vec![
        "plan",
        "--protect",
        "immutable",
        "-o",
        plan.to_str().unwrap(),
    ];
    args.extend(names.iter().map(|name| name.to_str().unwrap()));
    let out = unify(&args);
    if out.code == 8 {
        assert!(!plan.exists(), "what is refused is not promised");
        return;
    }
    out.expect(0);
    unify(&["apply", "--yes", plan.to_str().unwrap()]).expect(0);
    assert_eq!(id(&file(0)), id(&file(1)));
    assert_eq!(nlink(&file(2)), 4);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    for (n, before) in before.iter().enumerate() {
        assert_eq!(nlink(&file(n)), 1);
        assert_eq!(std::fs::read(file(n)).unwrap(), *before);
    }
}

/// What is tried on scratch files leaves none behind, and no new time.
#[test]
fn a_plan_leaves_nothing_of_what_it_tried() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/lib/a", File::new(content("a")))]);
    let look = |dir: &std::path::Path| {
        let names = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        let meta = std::fs::metadata(dir).unwrap();
        (names, meta.mtime(), meta.mtime_nsec())
    };
    let before = look(&lab.guests());
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(look(&lab.guests()), before);
    plan.apply().expect(0);
    lab.plan(&[&web, &db], &[]);
    let (names, ..) = look(&lab.base());
    let tried = |name: &std::ffi::OsString| name.to_string_lossy().contains("rehearsal");
    assert!(!names.iter().any(tried), "{names:?}");
}
