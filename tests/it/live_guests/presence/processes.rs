//! What a process holds of a guest, whatever it calls it.

use std::path::{Path, PathBuf};

use super::{
    assert_left_alone, assert_quiet, assert_refused, perl, shell, two, unshare_number, unshared,
};
use crate::support::{BIN, Cgroup, Disk, inside, unify};

#[test]
fn a_descriptor_of_a_directory_that_was_handed_on() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    // The shell that opened it is gone; a child has inherited it.
    let script = r#"exec 9< "$1"; exec sh -c 'echo inside; read wait'"#;
    let process = super::start("sh", script, &[&db.host("/usr")]).unwrap();
    assert_left_alone(&lab, [&web, &db], process, "has a descriptor inside");
}

#[test]
fn a_descriptor_that_opens_nothing() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    // O_PATH, by the number that it has on every architecture that is tested.
    let script =
        r#"use Fcntl; sysopen(F, $ARGV[0], 010000000) or die; $| = 1; print "inside\n"; <STDIN>"#;
    let process = perl(script, &[&db.host("/usr/share/f")]).unwrap();
    assert_left_alone(&lab, [&web, &db], process, "has a descriptor inside");
}

#[test]
fn a_descriptor_of_a_deleted_file() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let script = r#"exec 9> "$1/gone"; rm "$1/gone""#;
    let process = shell(script, &[&db.host("/usr")]).unwrap();
    assert_left_alone(&lab, [&web, &db], process, "has a descriptor inside");
}

/// A daemon finds names in guests at any time, and would keep every run from them. An open file is another thing.
#[test]
fn a_directory_that_another_process_of_this_program_has_open() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let as_directory = format!("0{:o}", rustix::fs::OFlags::DIRECTORY.bits());
    for (held, how, code) in [("/usr/share/f", "0", 4), ("/usr/share", &as_directory, 0)] {
        let script =
            r#"$^F = 99; sysopen(F, $ARGV[0], oct $ARGV[1]) or die; exec $ARGV[2], "show", "-""#;
        let mut holder = std::process::Command::new("perl")
            .args(["-e", script])
            .args([db.host(held).as_path(), Path::new(how), Path::new(BIN)])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let program = format!("/proc/{}/exe", holder.id());
        while std::fs::read_link(&program).is_ok_and(|path| path != Path::new(BIN)) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(Path::new(&program).exists(), "it is over");
        lab.plan(&[&web, &db], &[]).apply().expect(code);
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(super::shared([&web, &db]), code == 0, "{held}");
    }
}

/// Opened in a mount namespace where the guest is elsewhere; then that mount is taken off, and is in no table.
#[test]
fn a_descriptor_on_a_mount_that_is_in_no_namespace() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = two(&lab);
    let script = r#"mount --bind "$1" /mnt && exec 9< /mnt/usr && umount -l /mnt"#;
    let Some(process) = unshared(script, &[db.root()]) else {
        skip!("this machine has no mount namespaces");
    };
    assert_left_alone(&lab, [&web, &db], process, "has a descriptor inside");
}

/// A library that perl maps and closes again.
fn library() -> Option<PathBuf> {
    let find = r#"use Config; for (@INC) { print("$_/auto/Fcntl/Fcntl.so"), last if -e "$_/auto/Fcntl/Fcntl.so" }"#;
    let found = std::process::Command::new("perl")
        .args(["-e", find])
        .output()
        .ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    (!path.is_empty()).then(|| path.into())
}

const MAP: &str = r#"require DynaLoader; DynaLoader::dl_load_file($ARGV[0]) or die; $| = 1; print "inside\n"; <STDIN>"#;

#[test]
fn a_mapping_and_nothing_else() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let Some(library) = library() else {
        skip!("no library of perl to map");
    };
    std::fs::copy(library, db.host("/usr/lib.so")).unwrap();
    let process = perl(MAP, &[&db.host("/usr/lib.so")]).unwrap();
    assert_left_alone(&lab, [&web, &db], process, "has a mapping inside");
}

/// By the path that the mapping shows, it is a file of the host's own.
#[test]
fn a_mapping_by_another_path() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let Some(library) = library() else {
        skip!("no library of perl to map");
    };
    std::fs::copy(library, db.host("/usr/lib.so")).unwrap();
    let script = format!(r#"mount --bind "$1" /mnt && exec perl -e '{MAP}' /mnt/lib.so"#);
    let Some(process) = unshared(&script, &[&db.host("/usr")]) else {
        skip!("this machine has no mount namespaces");
    };
    assert_left_alone(&lab, [&web, &db], process, "has a mapping inside");
}

#[test]
fn a_program_that_was_deleted() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    std::fs::copy("/bin/sh", db.host("/usr/sh")).unwrap();
    let program = db.host("/usr/sh");
    let args = ["-c", "echo inside; read wait"];
    let process = inside(program.to_str().unwrap(), &args, Path::new("/")).unwrap();
    std::fs::remove_file(&program).unwrap();
    assert_left_alone(&lab, [&web, &db], process, "has its program inside");
}

/// The first thread is where it was.
#[test]
fn a_thread_with_a_working_directory_of_its_own() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let Some(unshare) = unshare_number() else {
        skip!("the number of unshare(2) on this architecture is not known here");
    };
    let script = format!(
        r#"use threads; $| = 1;
        threads->create(sub {{ syscall({unshare}, 0x200) == 0 or die; chdir $ARGV[0] or die; print "inside\n"; sleep 600 }});
        sleep 600"#
    );
    let Some(process) = perl(&script, &[&db.host("/usr")]) else {
        skip!("this perl has no threads");
    };
    assert_left_alone(
        &lab,
        [&web, &db],
        process,
        "has its working directory inside",
    );
}

/// A process of a guest in its own mount namespace, rooted by `chroot` alone: nothing but its root is in its table.
#[test]
fn a_root_in_a_namespace_of_its_own() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let script = r#"exec perl -e 'chroot $ARGV[0] or die; chdir "/"; $| = 1; print "inside\n"; <STDIN>' "$1""#;
    let Some(process) = unshared(script, &[db.root()]) else {
        skip!("this machine has no mount namespaces");
    };
    let others = lab.plan(&[&web, &db], &[]);
    assert_quiet(&others, "web");
    assert_left_alone(&lab, [&web, &db], process, "has its root inside");
}

/// Services in mount namespaces that are copies of the host's, with what they hold of it.
#[test]
fn a_copy_of_our_own_view_is_no_guest_that_runs() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let scripts = [
        "true",
        r#"mount --bind "$1" "$1""#,
        "mount -t tmpfs none /mnt",
    ];
    let processes = scripts.map(|script| unshared(script, &[db.root()]));
    if processes.iter().any(Option::is_none) {
        skip!("this machine has no mount namespaces");
    }
    let plan = lab.plan(&[&web, &db], &[]);
    assert_quiet(&plan, "db");
    plan.apply().expect(0);
}

/// A second run reads the guests meanwhile, by mounts in no namespace.
#[test]
fn another_plan_at_work_is_no_guest_that_runs() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let out = lab.path("other.json");
    let third = lab.guest("third");
    third.dir("/usr");
    let mut other = std::process::Command::new("strace")
        .args(["-f", "-o", "/dev/null"])
        .args(["-e", "inject=landlock_restrict_self:delay_enter=5000000"])
        .arg(env!("CARGO_BIN_EXE_unify"))
        .args(["plan", "--output", out.to_str().unwrap(), &third.arg()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    plan.apply().expect(0);
    other.kill().ok();
    other.wait().ok();
}

/// The bounding set lacks the capability, and the thread can take it up nevertheless.
#[test]
fn a_capability_that_is_only_inheritable() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let cgroup: Cgroup = cgroup!("inheritable");
    let drop = "setpriv --bounding-set=-linux_immutable sh -c ': > ../ready; sleep 600 & wait'";
    let guest = format!("exec setpriv --inh-caps=+linux_immutable {drop}");
    let _guest = cgroup.start_mighty(db.root(), &guest);
    let ready = lab.path("guests/ready");
    for _ in 0..6000 {
        if ready.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let plan = lab.plan(&[&web, &db], &[]);
    let path = plan.path.to_str().unwrap();
    unify(&["apply", "--yes", "--allow-running", path]).expect(4);
    assert_refused(&lab, [&web, &db], &plan, "has its");
    let out = unify(&["apply", "--yes", "--allow-running", path]).expect(4);
    assert!(out.stderr.contains("CAP_LINUX_IMMUTABLE"), "{}", out.stderr);
}
