//! Others that reach the base: nothing is changed, and it is said.

use super::{perl, two, unshared};
use crate::support::{Disk, File, Inside, Lab, content, id, listings, unchanged, unify};

fn assert_not_ours(lab: &Lab, enter: impl FnOnce() -> Option<Inside>) {
    let [web, db] = two(lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let third = lab.guest("third");
    third.put("/usr/share/f", &File::new(content(1)));
    let before = listings(&[&web, &db, &third]);
    let Some(process) = enter() else {
        skip!("this machine cannot put a process there");
    };
    let plan = lab.plan(&[&third], &[]);
    let base = lab.base();
    let base = base.to_str().unwrap();
    let path = plan.path.to_str().unwrap();
    for args in [
        &["apply", "--yes", path][..],
        &["undo", "--base", base, "--run", "all", "--yes"],
        &["gc", "--base", base],
    ] {
        let out = unify(args).expect(8);
        assert!(out.stderr.contains("in other hands"), "{}", out.stderr);
    }
    let out = unify(&["status", "--base", base]).expect(0);
    assert!(out.stderr.contains("in other hands"), "{}", out.stderr);
    let again = lab.path("again.json");
    let out = unify(&["plan", "-o", again.to_str().unwrap(), &third.arg()]).expect(0);
    assert!(out.stderr.contains("in other hands"), "{}", out.stderr);
    unchanged(&[&web, &db, &third], &before, "while the base is not ours");
    drop(process);
    plan.apply().expect(0);
    assert_eq!(
        id(&web.host("/usr/share/f")),
        id(&third.host("/usr/share/f"))
    );
}

#[test]
fn a_mount_of_it_in_another_namespace() {
    let lab = lab!(Disk::Own);
    let base = lab.base();
    assert_not_ours(&lab, || unshared(r#"mount --bind "$1" /mnt"#, &[&base]));
}

#[test]
fn a_part_of_it_in_another_namespace() {
    let lab = lab!(Disk::Own);
    let objects = lab.base().join("objects");
    assert_not_ours(&lab, || unshared(r#"mount --bind "$1" /mnt"#, &[&objects]));
}

#[test]
fn a_process_that_is_rooted_there() {
    let lab = lab!(Disk::Own);
    let base = lab.base();
    let script = r#"chroot $ARGV[0] or die; chdir "/"; $| = 1; print "inside\n"; <STDIN>"#;
    assert_not_ours(&lab, || perl(script, &[&base]));
}
