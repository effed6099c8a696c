//! What is given as a guest and is none, or is one twice, is refused, with what may have been meant; what is merely
//! small is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Disk, File, Guest, Lab, Out, Planned, content, make_fifo, unify, unmount};

/// Plans for these paths with the usual base of none in particular.
fn try_plan(lab: &Lab, given: &[PathBuf], options: &[&str]) -> (Out, PathBuf) {
    let path = lab.path("wrong.json");
    std::fs::remove_file(&path).ok();
    let fixed = ["plan", "--protect", "immutable", "-o"].map(PathBuf::from);
    let options: Vec<PathBuf> = options.iter().map(PathBuf::from).collect();
    let args = [&fixed[..], std::slice::from_ref(&path), &options, given].concat();
    (unify(&args), path)
}

/// Refused with this exit code and these words, and nothing is left of it.
#[track_caller]
fn refused(lab: &Lab, given: &[PathBuf], code: i32, words: &[&str]) {
    let (out, plan) = try_plan(lab, given, &[]);
    let said = out.expect(code).stderr;
    for word in words {
        assert!(said.contains(word), "{word:?} is not in\n{said}");
    }
    assert!(!plan.exists() && !lab.base().exists());
}

/// A container as LXC keeps it: its root is one level down.
fn container(lab: &Lab, name: &str) -> Guest {
    let guest = lab.guest(name);
    guest.put("/config", &File::new("lxc.uts.name = x\n"));
    for path in ["/usr/lib/x/f", "/etc/pam.conf"] {
        guest.put(format!("/rootfs{path}"), &File::new(content(path)));
    }
    guest
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_root_one_level_too_high_is_refused_with_the_right_one() {
    let lab = lab!(Disk::Own);
    let given = ["web1", "web2"].map(|name| container(&lab, name).root().to_owned());
    let root = given[0].join("rootfs");
    let want = format!(
        "{} does not look like the root of a guest: it has no usr/, bin/ or etc/, and {1} does; did you mean {1}?",
        shown(&given[0]),
        shown(&root)
    );
    refused(&lab, &given, 2, &[&want, "--not-a-root"]);
    // As relative paths are given, they are told.
    let out = Command::new(crate::support::BIN)
        .args(["plan", "web1", "web2"])
        .current_dir(lab.guests())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("did you mean web1/rootfs?"), "{said}");

    // What is advised works, without a name and without a base.
    let advised = given.clone().map(|path| path.join("rootfs"));
    let (out, path) = try_plan(&lab, &advised, &[]);
    out.expect(0);
    let plan = Planned::read(&path);
    assert!(plan.link("web1", "/usr/lib/x/f").is_some());
    assert!(plan.link("web1", "/etc/pam.conf").is_none());
    assert_eq!(plan.json["base"]["path"], shown(&lab.base()));

    // Who insists gets what he asked for, and is told.
    let (out, path) = try_plan(&lab, &given, &["--not-a-root"]);
    let said = out.expect(0).stderr;
    assert!(said.contains("NOT A ROOT: web1: "), "{said}");
    let plan = Planned::read(&path);
    assert!(plan.link("web1", "/rootfs/etc/pam.conf").is_some());
    let noticed = &plan.json["guests"][0]["noticed"][0];
    assert_eq!(noticed["code"], "not-a-root");
    assert_eq!(noticed["likely"][0], shown(&root));
}

#[test]
fn all_that_holds_roots_is_told_from_one() {
    let lab = lab!(Disk::Own);
    let [web1, web2] = ["web1", "web2"].map(|name| lab.guest(name));
    for guest in [&web1, &web2] {
        guest.put("/usr/lib/x", &File::new(content(1)));
    }
    let both = format!(
        "these do: {}, {}; name each",
        shown(web1.root()),
        shown(web2.root())
    );
    refused(&lab, &[lab.guests()], 2, &[&both]);
    refused(&lab, &[lab.path("")], 2, &["guests/web1", "guests/web2"]);
    for (top, root) in [
        // Incus, a bundle, an image of mkosi, layers of Docker and containerd, an image that was unpacked
        ("incus", "containers/web1/rootfs"),
        ("bundle", "rootfs"),
        ("mkosi", "root"),
        ("docker", "overlay2/0a1b/diff"),
        ("snapshots", "12/fs"),
        ("unpacked", "squashfs-root"),
    ] {
        let place = lab.path(top);
        for name in ["usr/lib", "etc"] {
            std::fs::create_dir_all(place.join(root).join(name)).unwrap();
        }
        std::fs::write(place.join("metadata.yaml"), "x").unwrap();
        let want = format!("did you mean {}?", shown(&place.join(root)));
        refused(&lab, &[place], 2, &[&want]);
    }
    // What is a root in part is one, unless a better one is where roots are kept.
    let part = lab.path("part");
    std::fs::create_dir_all(part.join("etc")).unwrap();
    std::fs::create_dir_all(part.join("rootfs/usr")).unwrap();
    refused(
        &lab,
        &[part],
        2,
        &["it has no usr/ or bin/", "part/rootfs?"],
    );
    // A link is not followed, and told by its name.
    let linked = lab.path("linked");
    std::fs::create_dir(&linked).unwrap();
    std::os::unix::fs::symlink(web1.root(), linked.join("rootfs")).unwrap();
    refused(&lab, &[linked], 2, &["linked/rootfs?"]);
}

#[test]
fn what_is_to_be_unpacked_or_mounted_is_told() {
    let lab = lab!(Disk::Own);
    let saved = lab.path("saved");
    std::fs::create_dir(&saved).unwrap();
    std::fs::write(saved.join("manifest.json"), "[]").unwrap();
    std::fs::write(saved.join("repositories"), "{}").unwrap();
    refused(
        &lab,
        &[saved],
        2,
        &["is an unpacked archive of `docker save`", "skopeo copy"],
    );
    let oci = lab.path("oci");
    std::fs::create_dir_all(oci.join("blobs/sha256")).unwrap();
    std::fs::write(oci.join("index.json"), "{}").unwrap();
    std::fs::write(oci.join("oci-layout"), "{}").unwrap();
    let words = ["index.json is not what it should be"];
    refused(&lab, std::slice::from_ref(&oci), 1, &words);
    let (out, _) = try_plan(&lab, &[oci], &["--not-a-root"]);
    out.expect(0);

    let mut ext4 = vec![0; 2048];
    ext4[1080..1082].copy_from_slice(b"\x53\xef");
    for (name, bytes, words) in [
        ("image.img", ext4, ["is an ext4 image", "mount it"]),
        (
            "passwd",
            b"root:x:0:0\n".to_vec(),
            ["is a file", "directory"],
        ),
    ] {
        let path = lab.path(name);
        std::fs::write(&path, bytes).unwrap();
        refused(&lab, &[path], 2, &words);
    }
    let fifo = lab.path("fifo");
    make_fifo(&fifo);
    refused(&lab, &[fifo], 2, &["is no directory"]);
    refused(&lab, &["/dev/null".into()], 2, &["is no directory"]);
    refused(&lab, &["/".into()], 2, &["is the root of this host"]);
    refused(&lab, &[lab.path("missing")], 1, &["missing: No such file"]);
}

/// A chroot of a few files is a guest, whatever else it does not have.
#[test]
fn small_guests_are_guests() {
    let lab = lab!(Disk::Own);
    let trees: &[&[&str]] = &[
        &["/f"],
        &["/app"],
        &["/data/x/y/z"],
        &["/etc/x"],
        &["/bin/busybox"],
        &["/opt/app/usr/x", "/opt/app/bin/x"],
        &["/home/a/chroot/usr/x"],
        &["/bin/sh", "/srv/ftp/usr/x"],
        &["/usr/x", "/rootfs/usr/x", "/rootfs/etc/x"],
        &["/nix/store/x", "/usr/web/usr/x"],
    ];
    for (n, tree) in trees.iter().enumerate() {
        let guest = lab.guest(&format!("g{n}"));
        for path in *tree {
            guest.put(path, &File::new(content(path)));
        }
        let (out, _) = lab.try_plan(&[&guest], &[]);
        assert_eq!(out.code, 0, "{tree:?}: {}", out.stderr);
    }
}

/// By whatever way: a link, a mount, a place within the other.
#[test]
fn no_guest_is_given_twice() {
    let lab = lab!(Disk::Own);
    let web = lab.guest("web");
    for path in ["/usr/lib/x", "/var/lib/machines/inner/usr/x"] {
        web.put(path, &File::new(content(1)));
    }
    let inner = web.host("/var/lib/machines/inner");
    let [bound, bound_inner] = ["bound", "bound-inner"].map(|name| lab.path(name));
    let link = lab.path("link");
    std::os::unix::fs::symlink(web.root(), &link).unwrap();
    let mount = |from: &Path, to: &Path| {
        std::fs::create_dir(to).unwrap();
        let done = Command::new("mount")
            .arg("--bind")
            .args([from, to])
            .status();
        assert!(done.unwrap().success());
    };
    mount(web.root(), &bound);
    mount(&inner, &bound_inner);
    let web = web.root().to_owned();
    let cases = [
        (&link, "is given twice"),
        (&bound, "are one directory"),
        (&inner, "one within the other"),
        (&bound_inner, "one within the other"),
    ];
    let tried = cases.map(|(other, words)| {
        let (out, plan) = try_plan(&lab, &[web.clone(), other.clone()], &[]);
        (out, plan.exists(), words)
    });
    for place in [&bound, &bound_inner] {
        unmount(place);
    }
    for (out, has_plan, words) in tried {
        let said = out.expect(2).stderr;
        assert!(said.contains(words) && !has_plan, "{words}: {said}");
    }
}

/// The directory of a container whose root lies elsewhere: its configuration says where.
#[test]
fn a_root_elsewhere_is_the_one_that_the_configuration_names() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web1", "web2"].map(|name| lab.guest(name));
    for guest in [&web, &db] {
        guest.put("/usr/lib/x", &File::new(content(1)));
    }
    let place = lab.path("lxc/web1");
    std::fs::create_dir_all(place.join("snaps")).unwrap();
    let config = |value: &str| {
        let text = format!("lxc.uts.name = web1\nlxc.rootfs.path = {value}\n");
        std::fs::write(place.join("config"), text).unwrap();
    };
    config(&format!("dir:{}", shown(web.root())));
    let want = format!("did you mean {}?", shown(web.root()));
    refused(&lab, std::slice::from_ref(&place), 2, &[&want]);
    // Of a directory in it that looks like a root, and of the one that it names, it names one.
    std::fs::create_dir_all(place.join("rootfs/usr")).unwrap();
    refused(&lab, std::slice::from_ref(&place), 2, &[&want]);
    config(shown(&place.join("rootfs")));
    refused(&lab, std::slice::from_ref(&place), 2, &["lxc/web1/rootfs?"]);
    // What names nothing that is there says nothing.
    std::fs::remove_dir_all(place.join("rootfs")).unwrap();
    config("/no/such/directory");
    let (out, _) = try_plan(&lab, &[place, web.root().to_owned()], &[]);
    assert!(!out.stderr.contains("/no/such/directory"), "{}", out.stderr);
}
