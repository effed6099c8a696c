//! A guest, or any other process, acts in the very moment in which `apply` makes a chosen call. The shim of
//! `src/sys/fault.rs` runs the act as a command, so that no race is left to chance.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{
    Disk, File, apply_while, content, id, line_of, listings, one_exchange, unchanged, unify_with,
    until_a_writer_waits,
};

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_file_replaced_at_the_last_moment_is_the_guests() {
    armed!();
    for disk in [Disk::Own, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let ([web, _], plan) = one_exchange(&lab);
        let (new, f) = (web.host("/usr/new"), web.host("/usr/f"));
        let replace = format!(
            "echo new > {0} && mv -f {0} {1}",
            new.display(),
            f.display()
        );
        apply_while(&plan, &[("exchange#1", replace)]).expect(4);
        assert_eq!(text(&f), "new\n", "{disk:?}: the update is not lost");
        assert_eq!(lab.staged().len(), 0);
    }
}

#[test]
fn a_file_deleted_at_the_last_moment_stays_deleted() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = one_exchange(&lab);
    let f = web.host("/usr/f");
    apply_while(&plan, &[("exchange#1", format!("rm {}", f.display()))]).expect(4);
    assert!(!f.exists(), "it is not resurrected");
    assert_eq!(lab.staged().len(), 0);
    let line = line_of(&lab.receipt(), "web", "/usr/f").clone();
    assert!(line.to_string().contains("gone"), "{line}");
}

/// An error of the disk does not count as a name that is gone, nor as one that is done.
#[test]
fn a_call_that_fails_is_a_failure() {
    armed!();
    for fault in ["exchange#1=EIO", "lease#1=EIO"] {
        let lab = lab!(Disk::Own);
        let ([web, db], plan) = one_exchange(&lab);
        let before = listings(&[&web, &db]);
        let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
        unify_with(&[("UNIFY_FAULT", fault)], &apply).expect(4);
        unchanged(&[&web, &db], &before, fault);
        assert_eq!(lab.staged().len(), 0);
        let receipt = lab.receipt();
        let failed = receipt.iter().filter(|line| line["outcome"] == "failed");
        assert_eq!(failed.count(), 1, "{fault}: {receipt:?}");
    }
}

/// The guest's newer file came out, and its name was deleted or replaced once more before it could go back.
#[test]
fn a_file_that_came_out_and_cannot_go_back_is_kept() {
    armed!();
    for replaced in [false, true] {
        let lab = lab!(Disk::Own);
        let ([web, _], plan) = one_exchange(&lab);
        let (new, f) = (web.host("/usr/new"), web.host("/usr/f"));
        let (new, f) = (new.display(), f.display());
        let replace = |by: &str| format!("echo {by} > {new} && mv -f {new} {f}");
        let then = if replaced {
            replace("second")
        } else {
            format!("rm {f}")
        };
        apply_while(
            &plan,
            &[("exchange#1", replace("first")), ("exchange#2", then)],
        )
        .expect(12);
        let now = std::fs::read_to_string(web.host("/usr/f")).ok();
        assert_eq!(now.as_deref(), replaced.then_some("second\n"));
        let kept = lab.quarantined();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(text(&kept[0]), "first\n");
    }
}

#[test]
fn a_mode_changed_at_the_last_moment_is_kept() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = one_exchange(&lab);
    let f = web.host("/usr/f");
    apply_while(
        &plan,
        &[("exchange#1", format!("chmod 0751 {}", f.display()))],
    )
    .expect(4);
    let mode = std::fs::metadata(&f).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o751, "the change is not lost");
}

/// Only the time of the file changed, not its content, and it was set back: the file was written nevertheless.
#[test]
fn a_file_rewritten_with_the_same_bytes_is_refused() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = one_exchange(&lab);
    web.put("/usr/f", &File::new(content(1)));
    plan.apply().expect(4);
    assert_ne!(id(&web.host("/usr/f")), id(&db.host("/usr/f")));
}

/// A writer that waits for the lease goes on only when its file is in place again.
#[test]
fn a_waiting_writer_writes_where_the_name_is() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = one_exchange(&lab);
    let f = web.host("/usr/f");
    let (done, early) = (lab.path("done"), lab.path("early"));
    let writer = format!(
        "(echo more >> {}; touch {}) > /dev/null 2>&1 & {}",
        f.display(),
        done.display(),
        until_a_writer_waits(&f, &done)
    );
    let watch = format!(
        "sleep 0.5; if [ -e {} ]; then touch {}; fi",
        done.display(),
        early.display()
    );
    apply_while(&plan, &[("exchange#1", writer), ("exchange#2", watch)]).expect(4);
    let start = Instant::now();
    while !done.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the writer waits for ever"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        !early.exists(),
        "it wrote while the name referred to another file"
    );
    assert!(text(&f).ends_with("more\n"), "what it wrote is there");
}

/// A process that puts a file into a directory meanwhile changes its time, and caches live by that.
#[test]
fn the_time_of_a_directory_that_others_use_stays_theirs() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = one_exchange(&lab);
    let before = std::fs::metadata(web.host("/usr")).unwrap();
    let other = format!("touch {}", web.host("/usr/other").display());
    apply_while(&plan, &[("getlease#1", other)]).expect(0);
    let after = std::fs::metadata(web.host("/usr")).unwrap();
    let time = |meta: &std::fs::Metadata| (meta.mtime(), meta.mtime_nsec());
    assert!(
        time(&after) > time(&before),
        "the time of the new file is hidden"
    );
}

/// A quiet directory gets its time back.
#[test]
fn the_time_of_a_directory_that_nobody_uses_comes_back() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = one_exchange(&lab);
    let before = listings(&[&web, &db]);
    plan.apply().expect(0);
    unchanged(&[&web, &db], &before, "after apply");
}

/// A run that is killed has put the time back already, so recover need not guess whose a time is: whatever a guest did
/// after the kill shows, and at whatever time.
#[test]
fn the_time_of_a_directory_after_a_cut_is_the_guests() {
    armed!();
    for cut in ["getlease#2", "exchange#2"] {
        for guest_acts in ["", "touch other", "touch -d @1500000000.5 ."] {
            let lab = lab!(Disk::Own);
            let guests = lab.twins(&[("/usr/f", File::new(content(1)))]);
            let [web, db] = &guests;
            for guest in &guests {
                guest.hard_link("/usr/f", "/usr/g");
            }
            let time = || {
                let meta = std::fs::metadata(web.host("/usr")).unwrap();
                (meta.mtime(), meta.mtime_nsec())
            };
            let plan = lab.plan(&[db, web], &[]);
            let before = time();
            let args = ["apply", "--yes", plan.path.to_str().unwrap()];
            unify_with(&[("UNIFY_FAULT", &format!("{cut}=kill"))], &args).expect(-1);
            assert_ne!(lab.staged().len(), 0, "{cut}: in flight");
            assert_eq!(time(), before, "{cut}: at once");
            let mut shell = Command::new("sh");
            shell.args(["-c", guest_acts]).current_dir(web.host("/usr"));
            assert!(shell.status().unwrap().success());
            let left = time();
            assert_eq!(left == before, guest_acts.is_empty());
            lab.on_base("recover", &[]).expect(0);
            assert_eq!(time(), left, "{cut}, {guest_acts}: after recover");
        }
    }
}

/// A guest's write lease makes an open wait for most of a minute, if it is not told not to.
#[test]
fn leases_of_a_guest_keep_nobody_waiting() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let holder = "use Fcntl; $SIG{IO} = 'IGNORE'; open(F, '<', $ARGV[0]) or die; \
         fcntl(F, 1024, 1) or die; print \"held\\n\"; close STDOUT; sleep 120";
    let mut holder = Command::new("perl")
        .args(["-e", holder])
        .arg(web.host("/usr/f"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    std::io::Read::read_to_string(holder.stdout.as_mut().unwrap(), &mut held).unwrap();
    assert_eq!(held, "held\n");
    let plan = lab.path("plan.json");
    let roots = [web.arg(), db.arg()];
    let status = Command::new("timeout")
        .args([
            "40",
            crate::support::BIN,
            "plan",
            "-o",
            plan.to_str().unwrap(),
            // It is open and locked, and would be left alone unread.
            "--allow",
            "open",
            "--allow",
            "locked",
        ])
        .args(&roots)
        .status()
        .unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_ne!(status.code(), Some(124), "plan waited for the lease");
    assert!(plan.exists());
}

/// The order of the calls is the protocol: objects durable, intents durable, exchange, sync, commit, drop.
#[test]
fn nothing_is_dropped_before_it_is_durable() {
    armed!();
    for objects in ["copy", "adopt"] {
        let lab = lab!(Disk::Own);
        let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
        let plan = lab.plan(&[&web, &db], &["--objects", objects]);
        let trace = lab.path("trace");
        let env = [("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
        unify_with(&env, &["apply", "--yes", plan.path.to_str().unwrap()]).expect(0);
        let trace = text(&trace);
        let calls: Vec<&str> = trace.lines().collect();
        let first = |name: &str, from: usize| {
            calls[from..].iter().position(|call| *call == name).unwrap() + from
        };
        let last =
            |name: &str, to: usize| calls[..to].iter().rposition(|call| *call == name).unwrap();
        let exchange = first("exchange", 0);
        let intents = last("write", exchange);
        assert!(
            last("sync", exchange) > intents,
            "{objects}: intents before the exchange"
        );
        if objects == "copy" {
            assert!(
                last("syncfs", exchange) > last("times", exchange),
                "the object is durable"
            );
        }
        let done = last("exchange", calls.len());
        let drop = first("unlink", done);
        let durable = first("syncfs", done);
        let commit = last("write", drop);
        assert!(
            done < durable && durable < commit,
            "{objects}: synced before the commit"
        );
        assert!(
            commit < last("sync", drop),
            "{objects}: committed before the drop"
        );
    }
}

/// What was taken out of a guest is open for writing when the run that kept the writer waiting is killed.
#[test]
fn a_file_that_is_open_for_writing_after_a_cut_goes_back() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = one_exchange(&lab);
    let was = id(&web.host("/usr/f"));
    let args = ["apply", "--yes", plan.path.to_str().unwrap()];
    unify_with(&[("UNIFY_FAULT", "getlease#2=kill")], &args).expect(-1);
    let [staged] = &lab.staged()[..] else {
        panic!("one file is in flight");
    };
    assert_eq!(id(staged), was);
    let mut writer = std::fs::File::options().append(true).open(staged).unwrap();
    lab.on_base("recover", &[]).expect(0);
    std::io::Write::write_all(&mut writer, b"more\n").unwrap();
    assert_eq!(id(&web.host("/usr/f")), was);
    assert!(text(&web.host("/usr/f")).ends_with("more\n"));
}
