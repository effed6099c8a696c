//! LXC, with the files that Debian's package installs where it is there.

use std::fs;
use std::path::Path;

use super::Scene;
use super::scene::assert_answer;
use crate::model::ClearsFlags::{self, No, Unknown, Yes};

/// Lines of a configuration, the answer, and why.
const CONFIGURATIONS: &[(&str, ClearsFlags, &str)] = &[
    ("", Yes, "does not drop it"),
    (
        "lxc.cap.drop = mac_admin sys_time\n",
        Yes,
        "does not drop it",
    ),
    (
        "lxc.cap.drop = mac_admin linux_immutable\n",
        No,
        "drops linux_immutable",
    ),
    ("lxc.cap.drop = 9\n", No, "drops linux_immutable"),
    (
        "# lxc.cap.drop = linux_immutable\n",
        Yes,
        "does not drop it",
    ),
    (
        "lxc.cap.drop = \"linux_immutable\"\n",
        No,
        "drops linux_immutable",
    ),
    (
        "lxc.cap.drop = linux_immutable\nlxc.cap.drop =\n",
        Yes,
        "does not drop it",
    ),
    (
        "lxc.cap.drop = linux_immutable\nlxc.cap.keep =\n",
        Yes,
        "does not drop it",
    ),
    (
        "lxc.cap.drop =\n  lxc.cap.drop=linux_immutable",
        No,
        "drops linux_immutable",
    ),
    (
        "lxc.cap.keep = chown kill\n",
        No,
        "does not name linux_immutable",
    ),
    ("lxc.cap.keep = none\n", No, "does not name linux_immutable"),
    (
        "lxc.cap.keep = linux_immutable none\n",
        No,
        "does not name linux_immutable",
    ),
    (
        "lxc.cap.keep = chown linux_immutable\n",
        Yes,
        "names linux_immutable",
    ),
    (
        "lxc.cap.keep = chown\nlxc.cap.keep =\n",
        Yes,
        "does not drop it",
    ),
    ("lxc.idmap = u 0 100000 65536\n", No, "user namespace"),
    (
        "lxc.idmap = u 0 100000 65536\nlxc.idmap =\n",
        Yes,
        "does not drop it",
    ),
    (
        "lxc.idmap = u 0 1 2\nlxc.namespace.keep = user\n",
        Unknown,
        "of others",
    ),
    (
        "lxc.idmap = u 0 1 2\nlxc.namespace.clone = net pid\n",
        Unknown,
        "of others",
    ),
    (
        "lxc.idmap = u 0 1 2\nlxc.namespace.share.user = c2\n",
        Unknown,
        "of others",
    ),
];

#[test]
fn lists_are_made_cleared_and_ended_by_user_namespaces() {
    let scene = Scene::new();
    for (config, answer, why) in CONFIGURATIONS {
        assert_answer(&scene.container(config), *answer, why);
    }
}

#[test]
fn the_line_is_where_it_counts() {
    let scene = Scene::new();
    let file = scene.path("lxc/c/config");
    let told = scene.container("");
    let want = format!(
        "write lxc.cap.drop = linux_immutable at the end of {}",
        file.display()
    );
    assert_eq!(told.remedy, Some(want));
    let (_, text) = (told.manager, fs::read_to_string(&file).unwrap());
    fs::write(&file, text + "lxc.cap.drop = linux_immutable\n").unwrap();
    assert_answer(&scene.asked(&scene.path("lxc/c/rootfs")), No, "drops");
    let keeper = scene.write("inc/keep", "lxc.cap.keep = linux_immutable\n");
    let told = scene.container("lxc.include = TOP/inc/keep\n");
    let want = format!(
        "take linux_immutable out of lxc.cap.keep in {}",
        keeper.display()
    );
    assert_eq!(told.remedy, Some(want));
}

#[test]
fn includes_are_files_and_directories() {
    let scene = Scene::new();
    scene.write("inc/drop.conf", "lxc.cap.drop = linux_immutable\n");
    scene.write("inc/README", "lxc.cap.drop =\n");
    let include = "lxc.include = TOP/inc\n";
    assert_answer(&scene.container(include), No, "drops linux_immutable");
    let cleared = format!("{include}lxc.cap.drop =\n");
    assert_answer(&scene.container(&cleared), Yes, "does not drop it");
    scene.write("inc/b.conf", "lxc.cap.drop =\n");
    assert_answer(&scene.container(include), Unknown, "in no order");
    let missing = "lxc.include = TOP/none\n";
    assert_answer(&scene.container(missing), Unknown, "does not exist");
    let missing = "lxc.include = TOP/none/\nlxc.cap.keep = none\n";
    assert_answer(&scene.container(missing), No, "lxc.cap.keep");
    assert_answer(
        &scene.container("lxc.include = x\n"),
        Unknown,
        "no absolute path",
    );
}

#[test]
fn a_config_is_of_the_root_that_it_names() {
    let scene = Scene::new();
    scene.container("lxc.cap.drop = linux_immutable\n");
    let other = scene.guest("lxc/c/other");
    assert_answer(&scene.asked(&other), Unknown, "no manager's configuration");
    let far = scene.guest("srv/far");
    scene.write("lxc/far/config", "lxc.rootfs.path = dir:TOP/srv/link\n");
    std::os::unix::fs::symlink(&far, scene.path("srv/link")).unwrap();
    assert_answer(&scene.asked(&far), Yes, "does not drop it");
    scene.write("etc/lxc.conf", "lxc.lxcpath = TOP/else\n");
    assert_answer(&scene.asked(&far), Unknown, "no manager's configuration");
    scene.write(
        "else/far/config",
        "lxc.rootfs.path = TOP/srv/far\nlxc.cap.keep = none\n",
    );
    assert_answer(&scene.asked(&far), No, "lxc.cap.keep");
}

/// What cannot be read may hide the root: the manager is named all the same, and nothing is claimed.
#[test]
fn what_cannot_be_read_hides_no_manager() {
    let scene = Scene::new();
    let unknown = |root: &Path, why: &str| {
        let told = scene.asked(root);
        assert_answer(&told, Unknown, why);
        assert_eq!(told.manager.as_deref(), Some("lxc"), "{told:?}");
    };
    let usual = scene.guest("lxc/c/rootfs");
    let root = "lxc.rootfs.path = TOP/lxc/c/rootfs\n";
    for config in [
        format!("lxc.include = TOP/none\n{root}"),
        format!("{root}lxc.include = TOP/none\n"),
        "lxc.include = TOP/none\n".to_owned(),
        "lxc.rootfs.path = TOP/other\nlxc.include = TOP/none\n".to_owned(),
    ] {
        scene.write("lxc/c/config", &config);
        unknown(&usual, "/none, which does not exist");
    }
    scene.write(
        "lxc/c/config",
        "lxc.rootfs.path = overlayfs:/lower:/upper\n",
    );
    unknown(&usual, "names no directory as its root");

    let far = scene.guest("srv/far");
    scene.write("lxc/c/config", root);
    scene.write("inc/far", "lxc.rootfs.path = TOP/srv/far\n");
    scene.write(
        "lxc/far/config",
        "lxc.include = TOP/none\nlxc.include = TOP/inc/far\n",
    );
    unknown(&far, "which does not exist");
    scene.write("lxc/far/config", "lxc.include = TOP/inc/far\n");
    assert_answer(&scene.asked(&far), Yes, "does not drop it");
    scene.write("lxc/far/config", "lxc.include = TOP/none\n");
    unknown(&far, "which does not exist, and it may name this guest");
    assert_answer(&scene.asked(&usual), Yes, "does not drop it");
    fs::remove_file(scene.path("lxc/far/config")).unwrap();
    scene.write("lxc/notes", "");
    assert_answer(&scene.asked(&far), Unknown, "no manager's configuration");
    let huge = "#".repeat(300 << 10);
    scene.write("etc/lxc.conf", &huge);
    unknown(&far, "it is too long, and it may name this guest");
}

/// What Debian's package gives to every container, privileged or not.
#[test]
fn the_files_of_the_package() {
    let common = Path::new("/usr/share/lxc/config/common.conf");
    if !common.exists() {
        eprintln!("SKIPPED: LXC is not installed, its files are not tried");
        return;
    }
    let scene = Scene::new();
    let include = |name: &str| format!("lxc.include = /usr/share/lxc/config/{name}\n");
    let usual = include("common.conf");
    assert_answer(&scene.container(&usual), Yes, "does not drop it");
    let dropped = format!("{usual}lxc.cap.drop = linux_immutable\n");
    assert_answer(&scene.container(&dropped), No, "drops linux_immutable");
    let cleared = format!("{dropped}{}", include("userns.conf"));
    assert_answer(&scene.container(&cleared), Yes, "does not drop it");
    let mapped = format!("{cleared}lxc.idmap = u 0 100000 65536\n");
    assert_answer(&scene.container(&mapped), No, "user namespace");
}
