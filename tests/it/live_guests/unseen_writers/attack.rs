//! What the unseen process does, as a command for the shim.

use std::path::Path;
use std::process::Command;

use crate::support::until_a_writer_waits;

/// One way to change a file without breaking a read lease.
pub struct Attack {
    what: &'static str,
    command: &'static str,
}

impl std::fmt::Debug for Attack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }
}

const fn attack(what: &'static str, command: &'static str) -> Attack {
    Attack { what, command }
}

/// The file is `$f` in all of them.
pub const ATTACKS: &[Attack] = &[
    attack(
        "truncate",
        r#"perl -e 'use Fcntl; ($f)=@ARGV; @s=stat $f; sysopen(F,$f,O_RDONLY|O_TRUNC) or die; utime $s[8],$s[9],$f' "$f""#,
    ),
    attack("mode", r#"chmod 4777 "$f""#),
    attack("owner", r#"chown 4711:4712 "$f""#),
    attack("time", r#"touch -d '2001-02-03' "$f""#),
    attack("attribute", r#"setfattr -n user.evil -v 1 "$f""#),
];

impl Attack {
    /// On this file.
    pub fn on(&self, file: &Path) -> String {
        format!("f='{}'; {}", file.display(), self.command)
    }

    /// On all files below this directory.
    pub fn on_all_in(&self, top: &Path) -> String {
        format!(
            "find '{}' -type f | while read -r f; do {}; done",
            top.display(),
            self.command
        )
    }

    /// Does it at once.
    pub fn now(&self, file: &Path) {
        shell(&self.on(file));
    }

    pub fn now_on_all_in(&self, top: &Path) {
        shell(&self.on_all_in(top));
    }

    /// Changes one byte under the flag, and puts everything back that can be put back.
    pub fn rewrite(file: &Path) -> String {
        format!(
            r#"f='{}'; t=$(mktemp); chattr -i "$f"; touch -r "$f" "$t"; printf X | dd of="$f" bs=1 seek=4000 conv=notrunc status=none; touch -r "$t" "$f"; chattr +i "$f"; rm "$t""#,
            file.display()
        )
    }

    /// A process that opens the file for writing, which waits for the lease, and writes a second after that. In the end
    /// this other file is there.
    pub fn waiting_writer(file: &Path, over: &Path) -> String {
        format!(
            r#"(perl -e 'open(F,"+<",$ARGV[0]) or exit; sleep 1; syswrite(F,"EVIL"); close F' '{}'; touch '{}') > /dev/null 2>&1 < /dev/null & {}"#,
            file.display(),
            over.display(),
            until_a_writer_waits(file, over)
        )
    }
}

fn shell(command: &str) {
    let done = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(done.success(), "{command}");
}
