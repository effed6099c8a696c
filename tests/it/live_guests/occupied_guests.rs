//! A run leaves a guest alone while a process is in it.

use std::path::Path;

use crate::support::{
    BIN, Disk, File, Guest, Inside, content, id, inside, line_of, listings, strings_in, unchanged,
    unify_with,
};

/// With a process in `db`, its names are refused, and it is as if nothing had been tried there.
fn assert_db_is_left_alone(enter: impl FnOnce(&Guest) -> Option<Inside>) {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        ("/usr/share/g", File::new(content(2))),
    ]);
    let quiet = lab.plan(&[&web, &db], &[]);
    let before = listings(&[&web, &db]);
    let was = ["/usr/share/f", "/usr/share/g"].map(|path| id(&db.host(path)));
    let Some(process) = enter(&db) else {
        skip!("this machine cannot put a process there");
    };
    let running = lab.plan(&[&web, &db], &[]);
    for (plan, when) in [
        (quiet, "started after the plan"),
        (running, "running already at plan time"),
    ] {
        plan.apply().expect(4);
        let line = line_of(&lab.receipt(), "db", "/usr/share/f").clone();
        assert!(
            strings_in(&line).contains(&"guest-running"),
            "{when}: {line}"
        );
        assert_eq!(
            was,
            ["/usr/share/f", "/usr/share/g"].map(|path| id(&db.host(path))),
            "{when}"
        );
        unchanged(&[&web, &db], &before, when);
    }
    drop(process);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    assert_eq!(
        id(&web.host("/usr/share/f")),
        id(&db.host("/usr/share/f")),
        "once it is quiet it is applied"
    );
}

#[test]
fn a_working_directory_inside() {
    assert_db_is_left_alone(|db| {
        inside(
            "sh",
            &["-c", "echo inside; read wait"],
            &db.host("/usr/share"),
        )
    });
}

#[test]
fn a_root_inside() {
    let script = r#"chroot "." or die; $| = 1; print "inside\n"; <STDIN>"#;
    assert_db_is_left_alone(|db| inside("perl", &["-e", script], db.root()));
}

#[test]
fn a_mount_of_it_in_another_namespace() {
    let script = r#"mount --bind "$1" /mnt && cd / && echo inside && read wait"#;
    assert_db_is_left_alone(|db| {
        let root = db.root().to_str().unwrap();
        inside(
            "unshare",
            &["--mount", "sh", "-c", script, "sh", root],
            Path::new("/"),
        )
    });
}

/// A flagged object cannot get or lose names while a guest that holds it runs, even if that guest is not in the plan.
#[test]
fn a_running_holder_keeps_its_objects_closed() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let third = lab.guest("third");
    third.put("/usr/share/f", &File::new(content(1)));
    let plan = lab.plan(&[&third], &[]);
    assert!(
        plan.link("third", "/usr/share/f").is_some(),
        "objects of the base are matched"
    );
    let before = listings(&[&web, &db, &third]);
    let process = inside("sh", &["-c", "echo inside; read wait"], &db.host("/usr"));
    assert!(process.is_some());

    plan.apply().expect(4);
    assert!(
        strings_in(line_of(&lab.receipt(), "third", "/usr/share/f")).contains(&"holder-running")
    );
    lab.on_base("undo", &["--run", "all", "--guest", "web", "--yes"])
        .expect(4);
    assert_eq!(
        id(&web.host("/usr/share/f")),
        id(&db.host("/usr/share/f")),
        "undo is refused, too"
    );
    unchanged(&[&web, &db, &third], &before, "while db runs");

    drop(process);
    plan.apply().expect(0);
    assert_eq!(
        id(&web.host("/usr/share/f")),
        id(&third.host("/usr/share/f"))
    );
}

/// Something is mounted on a name: the mount would hide the exchange, so the name is left alone.
#[test]
fn a_name_that_is_a_mount_point() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        ("/usr/share/g", File::new(content(2))),
    ]);
    let plan = lab.plan(&[&web, &db], &[]);
    let (other, name) = (lab.path("other"), db.host("/usr/share/f"));
    let was = id(&name);
    std::fs::write(&other, content("mounted")).unwrap();
    let script = r#"mount --bind "$1" "$2" && echo inside && read wait"#;
    let args = [
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        other.to_str().unwrap(),
        name.to_str().unwrap(),
    ];
    let Some(process) = inside("unshare", &args, Path::new("/")) else {
        skip!("this machine has no mount namespaces");
    };
    plan.apply().expect(4);
    assert_eq!(id(&name), was, "the name below the mount kept its inode");
    drop(process);
}

/// Kernels before 5.8 do not tell by `statx` on which mount a file is: mounts are seen nevertheless, in other
/// namespaces and in our own, and what is not covered is shared.
#[test]
fn mounts_are_seen_on_old_kernels() {
    armed!();
    let old = ("UNIFY_OLD_KERNEL", "1");
    for own in [false, true] {
        let lab = lab!(Disk::Own);
        let [web, db] = ["web", "db"].map(|name| {
            let guest = lab.guest(name);
            guest.put("/usr/f", &File::new(content(1)));
            guest.hard_link("/usr/f", "/usr/g");
            guest.put("/usr/h", &File::new(content(2)));
            guest
        });
        let plan = lab.plan(&[&web, &db], &[]);
        let (other, name) = (lab.path("other"), db.host("/usr/g"));
        std::fs::write(&other, content("mounted")).unwrap();
        let (other, mounted) = (other.to_str().unwrap(), name.to_str().unwrap());
        let was = ["/usr/f", "/usr/g"].map(|path| id(&db.host(path)));
        let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
        if own {
            let script = r#"mount --bind "$1" "$2" && shift 2 && exec "$@""#;
            let args = ["--mount", "sh", "-c", script, "sh", other, mounted, BIN];
            let mut inside = std::process::Command::new("unshare");
            let inside = inside.args(args).args(apply).env(old.0, old.1);
            assert_eq!(inside.status().unwrap().code(), Some(4));
        } else {
            let script = r#"mount --bind "$1" "$2" && echo inside && read wait"#;
            let args = ["--mount", "sh", "-c", script, "sh", other, mounted];
            let Some(_process) = inside("unshare", &args, Path::new("/")) else {
                skip!("this machine has no mount namespaces");
            };
            unify_with(&[old], &apply).expect(4);
        }
        assert_eq!(was, ["/usr/f", "/usr/g"].map(|path| id(&db.host(path))));
        let line = line_of(&lab.receipt(), "db", "/usr/g").clone();
        assert!(strings_in(&line).contains(&"mounted-over"), "{line}");
        assert_eq!(id(&web.host("/usr/h")), id(&db.host("/usr/h")), "the rest");
        unify_with(&[old], &apply).expect(0);
    }
}
