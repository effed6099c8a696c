//! What is too much, unsafe to believe, or a guest's, is not known; and nothing waits.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

use super::super::Managers;
use super::Scene;
use super::scene::assert_answer;
use crate::model::ClearsFlags::{No, Unknown, Yes};

const DROP: &str = "lxc.cap.drop = linux_immutable\n";

#[test]
fn includes_that_do_not_end() {
    let scene = Scene::new();
    scene.write("inc/self", "lxc.include = TOP/inc/self\n");
    let told = scene.container("lxc.include = TOP/inc/self\n");
    assert_answer(&told, Unknown, "too many files");
    scene.write("ring/a.conf", "lxc.include = TOP/ring\n");
    let told = scene.container("lxc.include = TOP/ring\n");
    assert_answer(&told, Unknown, "too many files");
    for n in 0..70 {
        scene.write(&format!("many/{n}.conf"), "");
    }
    let told = scene.container("lxc.include = TOP/many\n");
    assert_answer(&told, Unknown, "too many files");
}

#[test]
fn huge_files_odd_bytes_and_fifos() {
    let scene = Scene::new();
    let huge = format!("{DROP}#{}\n", "x".repeat(300 << 10));
    assert_answer(&scene.container(&huge), Unknown, "too long");
    let odd = format!("{DROP}\0\u{1b}[2J = \0\nlxc.cap.drop\0 =\n");
    assert_answer(&scene.container(&odd), No, "drops linux_immutable");
    fs::write(
        scene.path("lxc/c/config"),
        b"\xff\xfe=\xff\nlxc.rootfs.path = \xff\n",
    )
    .unwrap();
    let root = scene.path("lxc/c/rootfs");
    assert_answer(&scene.asked(&root), Unknown, "names no directory");
    let config = scene.path("lxc/c/config");
    fs::remove_file(&config).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&config)
            .status()
            .unwrap()
            .success()
    );
    assert_answer(&scene.asked(&root), Unknown, "not a regular file");
}

#[test]
fn what_others_may_write_is_not_believed() {
    let scene = Scene::new();
    assert_answer(&scene.container(DROP), No, "drops");
    let (config, root) = (scene.path("lxc/c/config"), scene.path("lxc/c/rootfs"));
    let why = "others than root may write it";
    let mode = |mode| fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o646);
    assert_answer(&scene.asked(&root), Unknown, why);
    mode(0o644);
    if chown(&config, Some(1000), None).is_err() {
        eprintln!("SKIPPED: only root can give files away");
        return;
    }
    assert_answer(&scene.asked(&root), Unknown, why);
    chown(&config, Some(0), Some(1000)).unwrap();
    assert_answer(&scene.asked(&root), No, "drops");
    mode(0o664);
    assert_answer(&scene.asked(&root), Unknown, why);
}

/// A link of the administrator leads into a guest, of this plan or another one: it is not read there.
#[test]
fn nothing_is_read_in_a_guest() {
    let scene = Scene::new();
    let other = scene.guest("lxc/other/rootfs");
    scene.write("lxc/other/rootfs/drop", DROP);
    symlink(other.join("drop"), scene.path("lxc/link")).unwrap();
    scene.container("lxc.include = TOP/lxc/link\n");
    let root = scene.path("lxc/c/rootfs");
    let managers = Managers::new(scene.places(), vec![root.clone(), other]);
    assert_answer(
        &managers.flag_clearing(&root),
        Unknown,
        "it lies in a guest",
    );
    fs::write(root.join("drop"), DROP).unwrap();
    let told = scene.container("lxc.include = TOP/lxc/c/rootfs/drop\n");
    assert_answer(&told, Unknown, "it lies in a guest");
}

/// Two managers know it: the one that gives more is believed.
#[test]
fn the_manager_that_gives_most_decides() {
    let scene = Scene::new();
    scene.container(DROP);
    scene.write("etc/nspawn/rootfs.nspawn", "[Exec]\nBoot=yes\n");
    let told = scene.asked(&scene.path("lxc/c/rootfs"));
    assert_answer(&told, Yes, "rootfs.nspawn does not drop it");
}
