//! A pass over the processes that may have missed one is none.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{assert_quiet, runs, shared, two, unshare_number};
use crate::support::{BIN, Disk, Planned, id, unify, unify_with};

/// Perl that does something again and again until a file is there. It tells when it has begun, and when it is over.
struct Until<'p>(Child, &'p Path);

impl<'p> Until<'p> {
    fn start(script: &str, args: &[&Path], stop: &'p Path) -> Until<'p> {
        let child = Command::new("perl")
            .args(["-e", script])
            .arg(stop)
            .args(args)
            .stdin(Stdio::null())
            .spawn()
            .expect("perl runs");
        let it = Until(child, stop);
        assert!(it.comes_to("begun"), "it does not begin");
        it
    }

    /// Does it tell that within a minute?
    fn comes_to(&self, word: &str) -> bool {
        let told = self.1.with_extension(word);
        (0..6000).any(|_| {
            let is_told = told.exists();
            if !is_told {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            is_told
        })
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        std::fs::write(self.1, "").ok();
        self.0.wait().ok();
        self.comes_to("over");
    }
}

/// No process of the guest lives for longer than a moment.
const HOP: &str = r#"my ($stop, $in) = @ARGV; chdir $in or die; $SIG{CHLD} = "IGNORE"; my $end = time + 600;
    say_so("begun"); until (-e $stop or time > $end) { exit if fork; select undef, undef, undef, 0.001 }
    chdir "/"; say_so("over");
    sub say_so { open my $file, ">", "$stop.$_[0]" or die }"#;

#[test]
fn a_guest_whose_processes_fork_and_end() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let stop = lab.path("stop");
    let hops = Until::start(HOP, &[&db.host("/usr")], &stop);
    for _ in 0..5 {
        let plan = lab.plan(&[&web, &db], &[]);
        assert!(runs(&plan, "db"), "it is seen, or it cannot be told");
        plan.apply().expect(4);
        assert!(!shared([&web, &db]));
    }
    drop(hops);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
}

/// The same among the threads of one process, whose first thread is outside.
#[test]
fn a_guest_whose_threads_start_threads_and_end() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let Some(unshare) = unshare_number() else {
        skip!("the number of unshare(2) on this architecture is not known here");
    };
    // A thread of perl shares the working directory with the one that starts it; each takes its own first, and the next
    // is started before it ends.
    let script = format!(
        r#"use threads; my ($stop, $in) = @ARGV; my $end = time + 600;
        sub say_so {{ open my $file, ">", "$stop.$_[0]" or die }}
        sub hop {{ syscall({unshare}, 0x200); chdir $in; -e "$stop.begun" or say_so("begun"); select undef, undef, undef, 0.001; return if -e $stop or time > $end; threads->create(\&hop)->detach }}
        threads->create(\&hop)->detach; until (-e $stop or time > $end) {{ select undef, undef, undef, 0.05 }} say_so("over")"#
    );
    let stop = lab.path("stop");
    let hops = Until::start(&script, &[&db.host("/usr")], &stop);
    for _ in 0..5 {
        assert!(runs(&lab.plan(&[&web, &db], &[]), "db"));
    }
    drop(hops);
}

/// A busy host: what is born elsewhere all the time keeps nothing from being told.
#[test]
fn a_busy_host_is_no_reason_to_refuse() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let stop = lab.path("stop");
    let script = r#"my ($stop) = @ARGV; my $end = time + 600; $SIG{CHLD} = "IGNORE";
        until (-e $stop or time > $end) { exit 0 unless fork; say_so("begun"); select undef, undef, undef, 0.003 }
        say_so("over"); sub say_so { open my $file, ">", "$stop.$_[0]" or die }"#;
    let storm = Until::start(script, &[], &stop);
    let plan = lab.plan(&[&web, &db], &[]);
    assert_quiet(&plan, "db");
    plan.apply().expect(0);
    drop(storm);
}

/// In another PID namespace nobody knows what runs: what changes guests refuses, and `plan` says so.
#[test]
fn another_pid_namespace() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let in_another = |args: &[&str]| {
        let unshare = ["--pid", "--fork", "--mount-proc", BIN];
        Command::new("unshare")
            .args(unshare)
            .args(args)
            .output()
            .unwrap()
    };
    if in_another(&["--version"]).status.code() != Some(0) {
        skip!("this machine has no PID namespaces");
    }
    let path = plan.path.to_str().unwrap();
    let out = in_another(&["apply", "--yes", path]);
    assert_eq!(out.status.code(), Some(8), "{out:?}");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        said.contains("PID namespace") && said.contains("nsenter"),
        "{said}"
    );
    assert!(!shared([&web, &db]));
    let (web_arg, db_arg, new) = (web.arg(), db.arg(), lab.path("new.json"));
    let args = ["plan", "--output", new.to_str().unwrap(), &web_arg, &db_arg];
    assert_eq!(in_another(&args).status.code(), Some(0));
    let new = Planned::read(&new);
    assert!(runs(&new, "db"), "it is not claimed that it stands still");
    let unknown = &new.json["guests"][0]["running_unknown"];
    assert!(
        unknown.as_str().unwrap().contains("PID namespace"),
        "{unknown}"
    );
    assert_eq!(&new.json["guests"][0]["uses_unknown"], unknown);
    plan.apply().expect(0);
    let base = lab.base();
    let base = base.to_str().unwrap();
    let undo = in_another(&["undo", "--base", base, "--run", "all", "--yes"]);
    assert_eq!(undo.status.code(), Some(8), "{undo:?}");
    // Nothing is to be healed, so nothing is refused.
    assert_eq!(
        in_another(&["recover", "--base", base]).status.code(),
        Some(0)
    );
    assert_eq!(in_another(&["gc", "--base", base]).status.code(), Some(0));
    assert_eq!(id(&web.host("/usr/share/f")), id(&db.host("/usr/share/f")));
}

/// What an interrupted run left is not healed either where nobody knows what runs.
#[test]
fn nothing_is_healed_in_another_pid_namespace() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let path = plan.path.to_str().unwrap();
    unify_with(
        &[("UNIFY_FAULT", "exchange#1=kill")],
        &["apply", "--yes", path],
    );
    let base = lab.base();
    let base = base.to_str().unwrap();
    for command in ["recover", "gc"] {
        let out = Command::new("unshare")
            .args([
                "--pid",
                "--fork",
                "--mount-proc",
                BIN,
                command,
                "--base",
                base,
            ])
            .output()
            .unwrap();
        if out.status.code() == Some(1) {
            skip!("this machine has no PID namespaces");
        }
        assert_eq!(out.status.code(), Some(8), "{command}: {out:?}");
    }
    unify(&["recover", "--base", base]).expect(0);
    assert_eq!(lab.staged().len(), 0);
}

/// Where the kernel does not count births to us, nothing is known of what was missed.
#[test]
fn births_that_are_not_counted() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let script = r#"mount --bind /dev/null /proc/stat && exec "$@""#;
    let out = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh", BIN, "apply", "--yes"])
        .arg(&plan.path)
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(4), "{out:?}");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("how many processes were born"), "{said}");
    assert!(!shared([&web, &db]));
}
