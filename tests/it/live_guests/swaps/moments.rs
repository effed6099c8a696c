//! A guest does one thing at the worst moment.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::{
    Disk, File, Guest, Lab, Planned, content, figure, id, inside, is_immutable, listings, nlink,
    unchanged, unify_with,
};

fn apply_with(plan: &Planned, env: &[(&str, &str)]) -> crate::support::Out {
    unify_with(env, &["apply", "--yes", plan.path.to_str().unwrap()])
}

/// The number of the last call of this name in `apply` of such a plan, which is applied.
fn last(plan: &Planned, lab: &Lab, name: &str) -> usize {
    let trace = lab.path("trace");
    apply_with(plan, &[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())]).expect(0);
    let text = std::fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> = text.lines().collect();
    calls.iter().rposition(|call| *call == name).expect(name) + 1
}

/// Takes write leases on all files of a directory, and keeps them whatever the kernel says.
const LEASES: &str = r#"
    $SIG{IO} = "IGNORE"; $| = 1;
    for my $path (glob "$ARGV[0]/*") {
        open my $file, "+<", $path or die "$path: $!";
        fcntl($file, 1024, 1) or die "lease on $path: $!";
        push @all, $file;
    }
    print "inside\n"; <STDIN>;
"#;

#[test]
fn a_thousand_write_leases() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    for guest in [&web, &db] {
        for n in 0..1000 {
            guest.put(format!("/usr/leased/{n}"), &File::new(content(n)));
        }
        guest.put("/usr/free", &File::new(content("free")));
    }
    let before = listings(&[&web, &db]);
    let quiet = Instant::now();
    let plan = lab.plan(&[&web, &db], &[]);
    let quiet = quiet.elapsed();
    let dir = db.host("/usr/leased");
    let script = r#"ulimit -n 4096 && exec perl -e "$1" "$2""#;
    let args = ["-c", script, "sh", LEASES, dir.to_str().unwrap()];
    let Some(holder) = inside("sh", &args, Path::new("/")) else {
        skip!("no write leases here");
    };
    let most = quiet * 5 + Duration::from_secs(40);
    let start = Instant::now();
    let out = plan.apply().expect(4);
    assert!(start.elapsed() < most, "apply waited: {:?}", out.stderr);
    let applied = start.elapsed();
    let start = Instant::now();
    lab.try_plan(&[&web, &db], &[]).0.expect_one_of(&[0, 3]);
    assert!(start.elapsed() < most, "plan waited");
    figure(&format!(
        "swaps leases: plan took {quiet:.1?} without and {:.1?} with 1000 write leases, apply {applied:.1?}",
        start.elapsed()
    ));
    // Who holds a lease has a descriptor, and is inside.
    assert_ne!(id(&web.host("/usr/free")), id(&db.host("/usr/free")));
    drop(holder);
    unchanged(&[&web, &db], &before, "after a thousand leases");
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let leased = "/usr/leased/7";
    assert_eq!(id(&web.host(leased)), id(&db.host(leased)));
}

/// A log that is written faster than it is read ends for us where it ended when we came.
#[test]
fn a_file_that_grows_while_it_is_read() {
    let lab = lab!(Disk::Own);
    let long: Vec<u8> = content(1).into_iter().cycle().take(32 << 20).collect();
    let [web, db] = lab.twins(&[("/usr/long", File::new(long.clone()))]);
    let path = db.host("/usr/long");
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    let writer = std::thread::spawn(move || {
        let mut added = 0;
        while !asked.load(Ordering::Relaxed) && added < 4 << 30 {
            file.write_all(&[7; 4096]).unwrap();
            added += 4096;
            std::thread::sleep(Duration::from_micros(50));
        }
        added
    });
    let start = Instant::now();
    for _ in 0..3 {
        let (out, plan) = lab.try_plan(&[&web, &db], &[]);
        out.expect_one_of(&[0, 3]);
        plan.unwrap().apply().expect_one_of(&[0, 4]);
    }
    let took = start.elapsed();
    stop.store(true, Ordering::Relaxed);
    let added = writer.join().unwrap();
    assert!(took < Duration::from_secs(300), "{took:?}");
    let now = std::fs::read(&path).unwrap();
    assert_eq!(now.len(), long.len() + added, "every write is there");
    assert!(now.starts_with(&long) && now[long.len()..].iter().all(|&byte| byte == 7));
    assert_ne!(id(&web.host("/usr/long")), id(&path));
}

fn one_file(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[("/usr/f", File::new(content(1)))])
}

/// What another namespace has mounted on a name stays mounted there, whenever it comes.
#[test]
fn a_mount_that_appears_over_a_victim() {
    armed!();
    let disk = lab!(Disk::Own);
    // Between the look at the mounts and the exchange, at the exchange, and after it.
    for call in ["tmpfile", "exchange", "syncfs"] {
        let lab = disk.part(&format!("trace-{call}"));
        let [web, db] = one_file(&lab);
        let plan = lab.plan(&[&web, &db], &["--objects", "copy"]);
        let at = last(&plan, &lab, call);
        mounted_over_at(&disk.part(&format!("case-{call}")), at, call);
    }
}

fn mounted_over_at(lab: &Lab, at: usize, call: &str) {
    let [web, db] = one_file(lab);
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &["--objects", "copy"]);
    let (other, pid, name) = (lab.path("other"), lab.path("pid"), web.host("/usr/f"));
    std::fs::write(&other, "mounted").unwrap();
    let keeper = lab.path("keeper.sh");
    let (other, name) = (other.display(), name.display());
    let script = format!(
        "mount --bind '{other}' '{name}' && echo $$ > '{0}.new' && mv '{0}.new' '{0}'; exec sleep 600",
        pid.display()
    );
    std::fs::write(&keeper, script).unwrap();
    let fault = format!(
        "{at}=run:cd /; setsid unshare -m sh '{}' < /dev/null > /dev/null 2>&1 & \
         while ! test -s '{}'; do sleep 0.01; done",
        keeper.display(),
        pid.display()
    );
    let out = apply_with(&plan, &[("UNIFY_FAULT", &fault)]);
    let what = format!("mounted at call {at}, a {call}");
    let keeper = std::fs::read_to_string(&pid).expect("the keeper came");
    let seen = std::fs::read_to_string(format!("/proc/{}/root/{name}", keeper.trim()));
    let mounts = std::fs::read_to_string(format!("/proc/{}/mountinfo", keeper.trim()));
    std::process::Command::new("kill")
        .arg(keeper.trim())
        .status()
        .unwrap();
    let mounted = mounts.unwrap().contains(&name.to_string());
    assert!(mounted, "{what}: the mount is gone");
    assert_eq!(seen.unwrap(), "mounted", "{what}");
    // What is mounted after the exchange is mounted on the object, and stays.
    out.expect_one_of(if call == "syncfs" { &[0] } else { &[4] });
    unchanged(&[&web, &db], &before, &what);
    assert_eq!(lab.staged().len(), 0, "{what}");
}

/// The flag of an object is off for a moment, and a guest gives it another mode: then the object is not what its
/// name says, no guest gets it, and those that had it have their own file with the mode that it had.
#[test]
fn a_mode_given_to_an_object_while_its_flag_is_off() {
    armed!();
    let disk = lab!(Disk::Own);
    let third = |lab: &Lab| {
        let [web, db] = one_file(lab);
        lab.plan(&[&web, &db], &[]).apply().expect(0);
        let third = lab.guest("third");
        third.put("/usr/f", &File::new(content(1)));
        let plan = lab.plan(&[&third], &[]);
        (web, third, plan)
    };
    let lab = disk.part("trace");
    let on_again = last(&third(&lab).2, &lab, "setflags");

    let lab = disk.part("case");
    let (web, third, plan) = third(&lab);
    let (object, was) = (web.host("/usr/f"), id(&third.host("/usr/f")));
    let fault = format!("{on_again}=run:chmod 4777 '{}'", object.display());
    let was_object = id(&object);
    let out = apply_with(&plan, &[("UNIFY_FAULT", &fault)]).expect(12);
    assert!(out.stdout.contains("damaged-object"), "{}", out.stdout);
    let [aside] = &lab.quarantined()[..] else {
        panic!("the object is put away");
    };
    assert_eq!(id(aside), was_object);
    let mode = object.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o644);
    assert_ne!(id(&object), was_object);
    assert_eq!(id(&third.host("/usr/f")), was, "the third has its own file");
    assert!(!is_immutable(&object));
    assert_eq!(nlink(&third.host("/usr/f")), 1);
    assert_eq!(lab.staged().len(), 0);
}
