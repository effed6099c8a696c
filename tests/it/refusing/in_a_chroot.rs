//! The program in a chroot, which shows it less than there is.

use std::process::Command;

use crate::support::{BIN, Disk, File, content};

/// In a chroot whose directory is no mount point, the kernel does not list the mount that guests are on: the cause and
/// the way out are said, and the way out works.
#[test]
fn a_chroot_that_is_no_mount_point_is_told_from_one() {
    let lab = lab!(Disk::Ext4);
    let top = lab.path("");
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let script = r#"
        cd "$1"; mkdir -p bin proc; cp "$2" bin/unify
        for library in $(ldd "$2" | grep -o '/[^ ]*'); do mkdir -p ".${library%/*}"; cp "$library" ".$library"; done
        if [ "$3" = mounted ]; then mount --bind . .; cd ../"${1##*/}"; fi
        mount -t proc proc proc
        exec chroot . /bin/unify plan -o /plan.json "$4" "$5""#;
    let place = top.join("jail");
    std::fs::create_dir(&place).unwrap();
    std::fs::rename(lab.guests(), place.join("guests")).unwrap();
    let roots = [&web, &db].map(|guest| format!("/guests/{}", guest.name()));
    let plan = |how: &str| {
        let mut shell = Command::new("unshare");
        let words = [
            "-m",
            "sh",
            "-euc",
            script,
            "sh",
            place.to_str().unwrap(),
            BIN,
            how,
        ];
        let out = shell.args(words).args(&roots).output().unwrap();
        (
            out.status.code(),
            String::from_utf8_lossy(&out.stderr).into_owned(),
        )
    };
    let (code, said) = plan("plain");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("is in a chroot whose directory is no mount point"),
        "{said}"
    );
    assert!(said.contains("mount --bind DIR DIR"), "{said}");
    assert!(!place.join("plan.json").exists());
    let (code, said) = plan("mounted");
    assert!(matches!(code, Some(0 | 3)), "{said}");
    assert!(place.join("plan.json").exists());
    std::fs::rename(place.join("guests"), lab.guests()).unwrap();
}
