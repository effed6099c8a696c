//! systemd-nspawn.

use super::super::nspawn::{NspawnUsers, parse};
use super::Scene;
use super::scene::assert_answer;
use crate::model::ClearsFlags::{No, Unknown, Yes};

#[test]
fn lines_are_read_as_systemd_reads_them() {
    for (text, drops) in [
        ("[Exec]\nDropCapability=CAP_LINUX_IMMUTABLE\n", true),
        (
            "[Exec]\nDropCapability = CAP_CHOWN cap_linux_immutable CAP_KILL",
            true,
        ),
        ("[Exec]\nDropCapability=all\n", true),
        (
            "[Exec]\nDropCapability=CAP_CHOWN\nDropCapability=CAP_LINUX_IMMUTABLE\n",
            true,
        ),
        (
            "[Exec]\nDropCapability=CAP_LINUX_IMMUTABLE\nDropCapability=\n",
            true,
        ),
        (
            "[Exec]\nDropCapability=CAP_CHOWN \\\n# said twice\n  CAP_LINUX_IMMUTABLE\n",
            true,
        ),
        ("DropCapability=CAP_LINUX_IMMUTABLE\n", false),
        ("[Files]\nDropCapability=CAP_LINUX_IMMUTABLE\n", false),
        (
            "[Exec]\n[Files]\nDropCapability=CAP_LINUX_IMMUTABLE\n",
            false,
        ),
        ("[Exec]\n#DropCapability=CAP_LINUX_IMMUTABLE\n", false),
        ("[Exec]\n;DropCapability=CAP_LINUX_IMMUTABLE\n", false),
        ("[Exec]\ndropcapability=CAP_LINUX_IMMUTABLE\n", false),
        ("[Exec]\nDropCapability=CAP_LINUX_IMMUTABLE2\n", false),
        ("[Exec]\nCapability=CAP_LINUX_IMMUTABLE\n", false),
    ] {
        assert_eq!(parse(text).drops, drops, "{text:?}");
    }
    for (value, users) in [
        ("no", NspawnUsers::OfHost),
        ("0", NspawnUsers::OfHost),
        ("yes", NspawnUsers::Private),
        ("pick", NspawnUsers::Private),
        ("identity", NspawnUsers::Private),
        ("65536", NspawnUsers::Private),
        ("65536:65536", NspawnUsers::Private),
        ("managed", NspawnUsers::NotKnown("managed".into())),
        ("65536:x", NspawnUsers::NotKnown("65536:x".into())),
    ] {
        let text = format!("[Exec]\nPrivateUsers={value}\n");
        assert_eq!(parse(&text).users, users, "{value}");
    }
}

#[test]
fn the_first_file_counts_and_a_machine_has_defaults() {
    let scene = Scene::new();
    let web = scene.guest("machines/web");
    let told = scene.asked(&web);
    assert_answer(&told, Yes, "there is no web.nspawn");
    let file = scene.path("etc/nspawn/web.nspawn");
    let want = format!(
        "write DropCapability=CAP_LINUX_IMMUTABLE under [Exec] in {}",
        file.display()
    );
    assert_eq!(told.remedy, Some(want));
    let drops = "[Exec]\nDropCapability=CAP_LINUX_IMMUTABLE\n";
    scene.write("machines/web.nspawn", drops);
    assert_answer(&scene.asked(&web), No, "machines/web.nspawn drops");
    scene.write("run/nspawn/web.nspawn", "[Exec]\nBoot=yes\n");
    assert_answer(
        &scene.asked(&web),
        Yes,
        "run/nspawn/web.nspawn does not drop it",
    );
    scene.write("etc/nspawn/web.nspawn", "[Exec]\nPrivateUsers=pick\n");
    assert_answer(&scene.asked(&web), No, "user namespace");
    scene.write("etc/nspawn/web.nspawn", "[Exec]\nPrivateUsers=managed\n");
    assert_answer(&scene.asked(&web), Unknown, "PrivateUsers=managed");
}

/// The file beside a machine takes, and gives nothing.
#[test]
fn the_file_beside_a_machine_is_believed_in_part() {
    let scene = Scene::new();
    let web = scene.guest("srv/web");
    scene.write("srv/web.nspawn", "[Exec]\nPrivateUsers=pick\n");
    let told = scene.asked(&web);
    assert_answer(&told, Yes, "alone, not in");
    assert!(told.remedy.unwrap().ends_with("/srv/web.nspawn"));
    let both = "[Exec]\nCapability=CAP_LINUX_IMMUTABLE\nDropCapability=CAP_LINUX_IMMUTABLE\n";
    scene.write("srv/web.nspawn", both);
    assert_answer(&scene.asked(&web), No, "drops");
}

#[test]
fn a_directory_anywhere_else_is_nobodys() {
    let scene = Scene::new();
    let told = scene.asked(&scene.guest("srv/plain"));
    assert_answer(&told, Unknown, "no manager's configuration");
    assert_eq!(told.manager, None);
}
