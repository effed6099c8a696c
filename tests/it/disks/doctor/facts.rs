//! What other programs can do in a directory: the shell, perl and their system calls.

use std::path::Path;
use std::process::Command;

/// What does `ability` need, as a program of a shell in an empty directory? It succeeds where that works.
fn program(ability: &str) -> Option<String> {
    let perl = |script: &str| format!("perl -e '{script}'");
    Some(match ability {
        "immutable-flag" => {
            "touch f; chattr +i f || exit 1; ! (echo x >> f) 2>/dev/null; e=$?; chattr -i f; exit $e".into()
        }
        "older-writers" => perl(
            r#"open(my $f, "+>", "f") or die; system("chattr", "+i", "f") == 0 or exit 1;
               my $done = syswrite($f, "x"); system("chattr", "-i", "f"); exit(defined($done) ? 1 : 0);"#,
        ),
        "nameless-files" => perl(
            r#"my $here = "."; my $fd = syscall(257, -100, $here, 020200002, 0600); exit 1 if $fd < 0;
               my ($from, $to) = ("/proc/self/fd/$fd", "f");
               exit(syscall(265, -100, $from, -100, $to, 0x400) == 0 ? 0 : 1);"#,
        ),
        "hard-links" => "touch f; ln f g".into(),
        "exchange" => perl(
            r#"for my $name ("f", "g") { open(my $f, ">", $name); print $f $name; }
               my ($one, $other) = ("f", "g");
               syscall(316, -100, $one, -100, $other, 2) == 0 or exit 1;
               open(my $f, "<", "f"); exit(<$f> eq "g" ? 0 : 1);"#,
        ),
        "reflink" => "yes | head -c 65536 > f; cp --reflink=always f g".into(),
        "leases" => perl(
            r#"open(my $w, ">", "f"); open(my $r, "<", "f");
               exit 1 if fcntl($r, 1024, 0); close($w); exit(fcntl($r, 1024, 0) ? 0 : 1);"#,
        ),
        "project-ids" => "touch f; chattr -p 7 f && lsattr -p f | grep -q '^ *7 '".into(),
        "verity" => perl(
            r#"open(my $w, ">", "f"); print $w "x"; close($w); open(my $r, "<", "f");
               my $how = pack("L3 x116", 1, 1, 4096); ioctl($r, 0x40806685, $how) or exit 1;
               exit(open(my $again, ">>", "f") ? 1 : 0);"#,
        ),
        "overlay-mounts" => {
            "mkdir l u w m; unshare -m sh -c 'mount -t overlay o -o lowerdir=$PWD/l,upperdir=$PWD/u,workdir=$PWD/w m && touch m/f'".into()
        }
        "no-access-times" => perl(
            r#"open(my $w, ">", "f"); print $w "x"; close($w); utime(1, 1, "f"); chown(65534, 65534, "f");
               sysopen(my $r, "f", 01000000) or exit 1; sysread($r, my $x, 1); exit((stat("f"))[8] == 1 ? 0 : 1);"#,
        ),
        "idmapped-mounts" => perl(
            r#"my $child = fork(); if (!$child) { exec("unshare", "-U", "--map-root-user", "sleep", "300"); }
               my $own = readlink("/proc/self/ns/user");
               for (1 .. 6000) { my $now = readlink("/proc/$child/ns/user"); last if $now && $now ne $own || waitpid($child, 1); select(undef, undef, undef, 0.01); }
               for (1 .. 6000) { open(my $m, "<", "/proc/$child/uid_map"); last if <$m> || waitpid($child, 1); select(undef, undef, undef, 0.01); }
               open(my $ns, "<", "/proc/$child/ns/user") or die; my ($here, $none) = (".", "");
               my $mount = syscall(428, -100, $here, 02000001); my $how = pack("Q4", 0x100000, 0, 0, fileno($ns));
               my $done = syscall(442, $mount, $none, 0x1000, $how, 32); kill(9, $child); waitpid($child, 0);
               exit($done == 0 ? 0 : 1);"#,
        ),
        "case-sensitive" => "touch f F; [ $(ls | wc -l) = 2 ]".into(),
        _ => return None,
    })
}

/// Does what `ability` needs work here? `None` where no other program tells.
pub fn works(ability: &str, dir: &Path) -> Option<bool> {
    let program = program(ability)?;
    let room = dir.join("fact");
    std::fs::create_dir(&room).unwrap();
    let mut shell = Command::new("sh");
    let out = shell.args(["-c", &program]).current_dir(&room).output();
    let out = out.unwrap();
    std::fs::remove_dir_all(&room).unwrap();
    Some(out.status.success())
}
