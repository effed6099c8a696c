//! Projects, encryption and inode flags of files and directories: what `chattr`, `xfs_io` and `fscrypt` set, each of
//! them on some file systems only.

use std::path::Path;
use std::process::Command;

/// Puts a file or directory into a project; what is made in the directory inherits it, or does not.
#[track_caller]
pub fn set_project(path: &Path, project: u32, inherits: bool) {
    let script = r#"
        my ($path, $project, $inherits) = @ARGV;
        open(my $file, "<", $path) or die "$path: $!";
        my $facts = "\0" x 28;
        ioctl($file, 0x801c581f, $facts) or die "FSGETXATTR $path: $!";
        my @facts = unpack("L5 a8", $facts);
        $facts[0] = $inherits ? $facts[0] | 0x200 : $facts[0] & ~0x200;
        $facts[3] = $project;
        $facts = pack("L5 a8", @facts);
        ioctl($file, 0x401c5820, $facts) or die "FSSETXATTR $path: $!";
    "#;
    let inherits = if inherits { "1" } else { "0" };
    perl(
        script,
        &[path.to_str().unwrap(), &project.to_string(), inherits],
    )
    .unwrap();
}

/// The project of a file or directory, and whether it is inherited there.
#[track_caller]
pub fn project_of(path: &Path) -> (u32, bool) {
    let script = r#"
        open(my $file, "<", $ARGV[0]) or die "$ARGV[0]: $!";
        my $facts = "\0" x 28;
        ioctl($file, 0x801c581f, $facts) or die "FSGETXATTR: $!";
        my @facts = unpack("L5 a8", $facts);
        print $facts[3], " ", ($facts[0] & 0x200 ? 1 : 0);
    "#;
    let told = perl(script, &[path.to_str().unwrap()]).unwrap();
    let (project, inherits) = told.split_once(' ').unwrap();
    (project.parse().unwrap(), inherits == "1")
}

/// Encrypts an empty directory with a key of its own, or says why that is not possible here.
pub fn encrypt(directory: &Path) -> Result<(), String> {
    let script = r#"
        open(my $dir, "<", $ARGV[0]) or die "$ARGV[0]: $!";
        my $key = pack("L L a32 L L a32 a64", 2, 0, "", 64, 0, "", "k" x 64);
        ioctl($dir, 0xc0506617, $key) or die "ADD_ENCRYPTION_KEY: $!";
        my $policy = pack("C4 a4 a16", 2, 1, 4, 3, "", substr($key, 8, 16));
        ioctl($dir, 0x800c6613, $policy) or die "SET_ENCRYPTION_POLICY: $!";
    "#;
    perl(script, &[directory.to_str().unwrap()]).map(drop)
}

/// Changes inode flags, as in `+A` or `-C`.
#[track_caller]
pub fn chattr(change: &str, path: &Path) {
    let done = Command::new("chattr").arg(change).arg(path).output();
    let done = done.unwrap();
    assert!(done.status.success(), "chattr {change} {path:?}: {done:?}");
}

fn perl(script: &str, args: &[&str]) -> Result<String, String> {
    let out = Command::new("perl")
        .arg("-e")
        .arg(script)
        .args(args)
        .output();
    let out = out.map_err(|e| format!("perl: {e}"))?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&out.stderr).trim().to_owned())
    }
}
