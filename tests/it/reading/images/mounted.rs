//! `mount:IMAGE`: a file system in a file is read like the directory that it is made of, and not a byte of it changes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::archives::hex;
use super::{images, make_tar};
use crate::support::{BIN, Disk, File, Guest, Lab, content, skipped, unify};

fn guest(lab: &Lab) -> Guest {
    let guest = lab.guest("web");
    for n in 0..20 {
        guest.put(format!("/usr/lib/f{n}"), &File::new(content(n)).mtime(5, 0));
    }
    guest.put(
        "/usr/bin/su",
        &File::new(content("su")).mode(0o4755).mtime(6, 0),
    );
    guest.put(
        "/etc/ssh/ssh_host_rsa_key",
        &File::new("-----BEGIN RSA PRIVATE KEY-----\n")
            .mode(0o600)
            .mtime(7, 0),
    );
    guest.put(
        "/usr/lib/x",
        &File::new("x").xattr("user.x", b"y").mtime(8, 0),
    );
    guest.hard_link("/usr/lib/f0", "/usr/lib/twin");
    guest
}

/// Makes an image of a root by a shell, which has `$root` and `$image`; `None` where the program is not here.
fn image(lab: &Lab, root: &Path, kind: &str, script: &str) -> Option<PathBuf> {
    let image = lab.path(&format!("{kind}.img"));
    let mut shell = Command::new("sh");
    shell
        .env("root", root)
        .env("image", &image)
        .args(["-euc", script]);
    let out = shell.output().unwrap();
    if out.status.code() == Some(127) {
        skipped(
            &format!("mount: of {kind}"),
            &String::from_utf8_lossy(&out.stderr),
        );
        return None;
    }
    assert!(
        out.status.success(),
        "{kind}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(image)
}

/// Programs that make a file system of a directory. The last is left as a crash leaves it: its journal must be replayed
/// by whoever mounts it to write.
const MADE: &[(&str, &str)] = &[
    ("squashfs", "mksquashfs $root $image -quiet -no-progress"),
    ("erofs", "mkfs.erofs $image $root"),
    (
        "ext4",
        "truncate -s 32M $image; mkfs.ext4 -q -d $root $image",
    ),
    (
        "btrfs",
        "truncate -s 128M $image; mkfs.btrfs -q -r $root $image",
    ),
    (
        "xfs",
        "truncate -s 320M $image; mkfs.xfs -q $image; mkdir $image.mnt; mount -o loop $image $image.mnt; \
         cp -a $root/. $image.mnt; umount $image.mnt",
    ),
    (
        "ext4-dirty",
        "truncate -s 32M $image.live; mkfs.ext4 -q -d $root $image.live; mkdir -p $image.mnt; \
         mount -o loop $image.live $image.mnt; echo x > $image.mnt/new; sync; echo y > $image.mnt/newer; \
         sync -f $image.mnt; cp $image.live $image; umount $image.mnt",
    ),
];

fn codes(answer: &serde_json::Value) -> Vec<String> {
    let found = answer["findings"].as_array().unwrap().iter();
    found.map(|one| one["key"].to_string()).collect()
}

#[test]
fn every_kind_is_read_as_its_directory_is() {
    let lab = lab!(Disk::Ext4);
    let web = guest(&lab);
    let tar = lab.path("web.tar");
    make_tar(web.root(), &tar, &[]);
    let check = |given: &str| {
        let answer = unify(&["check", "--json", "--not-a-root", given])
            .expect(11)
            .json();
        codes(&answer)
    };
    let want = check(&web.arg());
    for (kind, script) in MADE {
        let Some(image) = image(&lab, web.root(), kind, script) else {
            continue;
        };
        let before = hex(&std::fs::read(&image).unwrap());
        let given = format!("web=mount:{}", image.display());
        assert_eq!(check(&given), want, "{kind}");
        let more = [
            "--not-path",
            "/lost+found",
            "--not-path",
            "/new",
            "--not-path",
            "/newer",
        ];
        let directory = web.arg();
        let args = [&["diff", "--exit-code"], &more[..], &[&given, &directory]].concat();
        unify(&args).expect(0);
        let plan = images(&lab, &[&given, &format!("tar={}", tar.display())]);
        assert_eq!(
            plan.json["guests"][1]["image"]["form"], "mounted-image",
            "{kind}"
        );
        assert!(plan.actions("link").len() >= 20, "{kind}");
        // A copy has the same UUID.
        let copy = lab.path("copy.img");
        std::fs::copy(&image, &copy).unwrap();
        let copy = format!("copy=mount:{}", copy.display());
        unify(&["diff", "--exit-code", &given, &copy]).expect(0);
        assert_eq!(
            hex(&std::fs::read(&image).unwrap()),
            before,
            "{kind} was written to"
        );
        assert_eq!(loops_in_the_end(&image), "", "{kind}: left behind");
    }
}

/// Loop devices of an image, when they had time to go: the kernel lets go of them in the background, and others that
/// list devices may have them open for a moment.
fn loops_in_the_end(image: &Path) -> String {
    let since = Instant::now();
    loop {
        let out = Command::new("losetup").arg("-j").arg(image).output();
        let loops = String::from_utf8(out.unwrap().stdout).unwrap();
        if loops.is_empty() || since.elapsed() > Duration::from_secs(30) {
            return loops;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The options of an image's mount, as the kernel tells them, while a check waits for its other guest.
fn options_of_ext4(image: &Path) -> String {
    let mut check = Command::new(BIN)
        .args(["check", "--not-a-root"])
        .arg(format!("a=mount:{}", image.display()))
        .arg("b=-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let shows_image = |device: &Path| {
        let shown = std::fs::read_to_string(device.join("loop/backing_file"));
        shown.is_ok_and(|shown| Path::new(shown.trim_end()) == image)
    };
    let options = || {
        let mut devices = std::fs::read_dir("/sys/block").unwrap().flatten();
        let device = devices.find(|device| shows_image(&device.path()))?;
        let options = Path::new("/proc/fs/ext4").join(device.file_name());
        std::fs::read_to_string(options.join("options")).ok()
    };
    let since = Instant::now();
    let mut found = options();
    while found.is_none() && since.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
        found = options();
    }
    drop(check.stdin.take());
    check.wait().unwrap();
    found.expect("the image is mounted")
}

/// An image whose superblock has the kernel panic at the first error is mounted so that it goes on.
#[test]
fn an_image_does_not_say_how_it_is_mounted() {
    let lab = lab!(Disk::Own);
    let web = guest(&lab);
    let script = "truncate -s 32M $image; mkfs.ext4 -q -d $root $image; tune2fs -e panic $image";
    let Some(image) = image(&lab, web.root(), "ext4", script) else {
        return;
    };
    let options = options_of_ext4(&image.canonicalize().unwrap());
    let has = |option: &str| options.lines().any(|line| line == option);
    assert!(has("errors=continue") && has("ro"), "{options}");
    // The kernel would look for the second device among those of the host.
    let script = "truncate -s 128M $image $image.2; mkfs.btrfs -q $image $image.2";
    let Some(image) = self::image(&lab, web.root(), "btrfs", script) else {
        return;
    };
    let given = format!("a=mount:{}", image.display());
    let said = unify(&["check", "--not-a-root", &given]).expect(2).stderr;
    assert!(said.contains("a btrfs image of several devices"), "{said}");
}

/// A form that does not keep every attribute is compared by none, which is said.
#[test]
fn what_a_file_system_does_not_keep_is_not_compared() {
    let lab = lab!(Disk::Ext4);
    let web = guest(&lab);
    let mut raw = [0; 20];
    (raw[0], raw[3], raw[5]) = (1, 2, 0x20);
    let ping = File::new("ping").mode(0o755).mtime(9, 0);
    web.put("/usr/bin/ping", &ping.xattr("security.capability", &raw));
    let made = [
        (
            "iso",
            "genisoimage -quiet -R -o $image $root",
            "says nothing of attributes",
        ),
        ("squashfs", MADE[0].1, "keeps no access control lists"),
    ];
    for (kind, script, why) in made {
        let Some(image) = image(&lab, web.root(), kind, script) else {
            continue;
        };
        let given = format!("img=mount:{}", image.display());
        let args = ["check", "--json", "--not-a-root", &web.arg(), &given];
        let out = unify(&args).expect_one_of(&[8, 11]);
        if out.code == 8 && out.stderr.contains("No such device") {
            skipped(kind, "this kernel does not know the file system");
            continue;
        }
        let answer = out.expect(11).json();
        let mut rules = answer["rules"].as_array().unwrap().iter();
        let rule = rules.find(|rule| rule["rule"] == "xattr-differs").unwrap();
        assert_eq!(rule["not_asked_of"][0]["guest"], "img", "{kind}");
        let said = rule["not_asked_of"][0]["why"].as_str().unwrap();
        assert!(said.contains(why), "{kind}: {said}");
        let mut found = answer["findings"].as_array().unwrap().iter();
        let is_false = |one: &serde_json::Value| {
            ["setuid-differs", "xattr-differs"].contains(&one["rule"].as_str().unwrap())
        };
        assert!(!found.any(is_false), "{kind}: {answer}");
    }
}

/// What cannot be mounted is refused, with the command that does it.
#[test]
fn what_is_not_mounted_is_told_with_the_way_to_read_it() {
    let lab = lab!(Disk::Own);
    let write = |name: &str, bytes: &[u8]| {
        let path = lab.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut disk = vec![0; 4096];
    disk[512..520].copy_from_slice(b"EFI PART");
    let (squashfs, disk) = (
        write("a.sqfs", &[&b"hsqs"[..], &[7; 4096]].concat()),
        write("d.img", &disk),
    );
    let said = unify(&["check", &format!("x=mount:{squashfs}")])
        .expect(8)
        .stderr;
    assert!(said.contains("sqfs2tar IMAGE"), "{said}");
    let said = unify(&["check", &format!("x=mount:{disk}")])
        .expect(2)
        .stderr;
    assert!(said.contains("systemd-dissect --mount -r"), "{said}");
    let said = unify(&["check", &squashfs]).expect(2).stderr;
    assert!(said.contains("mount:IMAGE"), "{said}");
    // Nobody but root has the kernel read a file system.
    let out = Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            BIN,
            "check",
        ])
        .arg(format!("x=mount:{squashfs}"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    if !said.starts_with("unify") {
        skip!("another user cannot run the program here: {said}");
    }
    assert!(matches!(out.status.code(), Some(1 | 8)), "{said}");
}
