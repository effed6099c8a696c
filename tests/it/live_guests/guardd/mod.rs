//! The daemon of the guard, with a kernel that is a script: copies are made, names exchanged and records kept on real
//! file systems while guests run; what a real kernel does with the answers is in `keeping::guard`.

mod closing;
mod fairness;
mod in_use;
mod leases;
mod leftovers;
mod levels;
mod lives;
mod moving;
mod own_names;
mod readiness;
mod runs;
mod twins;
mod unfinished;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::{
    Asking, Disk, File, Guest, Kernel, Lab, append, content, fill_disk, id, nlink, unify,
};

/// Nothing but the daemon protects, so that a kernel without programs will do.
const OPEN: [&str; 4] = ["--protect", "none", "--protect", "none"];

/// Two guests that share a file of two names in different directories, and one of one name.
fn shared(lab: &Lab) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        let file = File::new(content(1)).owner(3, 4);
        guest.put(
            "/usr/lib/f",
            &file.mtime(1_700_000_000, 5).xattr("user.a", b"1"),
        );
        guest.dir("/usr/other");
        guest.hard_link("/usr/lib/f", "/usr/other/g");
        guest.put("/usr/lib/one", &File::new(content(2)));
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    assert_eq!(
        id(&guests[0].host("/usr/lib/f")),
        id(&guests[1].host("/usr/other/g"))
    );
    guests
}

fn facts(file: &Path) -> (u32, u32, u32, u64, i64, i64) {
    let state = std::fs::metadata(file).unwrap();
    (
        state.mode(),
        state.uid(),
        state.gid(),
        state.size(),
        state.mtime(),
        state.mtime_nsec(),
    )
}

fn xattr(file: &Path) -> Vec<u8> {
    let mut value = [0; 8];
    let length = rustix::fs::getxattr(file, "user.a", &mut value[..]).unwrap();
    value[..length].to_vec()
}

/// The whole act, with what a guest does meanwhile.
fn life(disk: Disk) {
    armed!();
    let lab = lab!(disk);
    let [web, db] = shared(&lab);
    let names = ["/usr/lib/f", "/usr/other/g"];
    let (object, before) = (id(&web.host(names[0])), facts(&web.host(names[0])));
    let mut kernel = Kernel::start(&lab, &[], &[]);

    // All names get the copy, which is like the object; the other guest keeps it.
    assert_eq!(
        kernel.answer_to(&Asking::to(&web.host(names[1]))).unwrap(),
        "LookAgain"
    );
    let [f, g] = names.map(|name| web.host(name));
    assert_eq!(id(&f), id(&g));
    assert!(id(&f) != object && nlink(&f) == 2);
    assert_eq!(
        (facts(&f), xattr(&f), web.read(names[0])),
        (before, b"1".to_vec(), content(1))
    );
    assert_eq!(kernel.held, ["hold", "unhold"], "more than one name");
    append(&f, b"more");
    assert_eq!(id(&db.host(names[0])), object);
    assert_eq!(db.read(names[1]), content(1));
    late_writer(&mut kernel, &web, &db);
    moved_names(&mut kernel, [&web, &db]);
    // A writer outside of every guest, by a name that no guest has, is denied.
    let objects = lab.objects().into_iter().filter(|object| nlink(object) > 1);
    for object in objects {
        let outside = Asking {
            has_parent: false,
            attempt: 2,
            ..Asking::to(&object)
        };
        assert_eq!(kernel.answer_to(&outside).unwrap(), "Denied");
    }
    kernel.settled(&lab);
    let said = kernel.said();
    assert!(
        said.contains("web:/usr/lib/f (and 1 more): a file of its own"),
        "{said}"
    );
    assert_eq!(kernel.end(), Some(0));
    told(&lab);
    lab.on_base("undo", &["--run", "all", "--yes"])
        .expect_one_of(&[0, 4]);
    lab.on_base("gc", &[]).expect(0);
    assert_eq!((lab.objects().len(), lab.staged().len()), (0, 0));
    assert_eq!(web.read(names[0]), [&content(1)[..], b"more"].concat());
    assert_eq!(db.read("/usr/third"), [&content(1)[..], b"db"].concat());
}

fn late_writer(kernel: &mut Kernel, web: &Guest, db: &Guest) {
    // A second writer of the same moment is told to look, and nothing is copied again.
    let [f, theirs] = [web, db].map(|guest| guest.host("/usr/lib/f"));
    let (parted, object) = (id(&f), id(&theirs));
    let late = Asking {
        stale: true,
        ..Asking::to(&theirs)
    };
    assert_eq!(kernel.answer_to(&late).unwrap(), "LookAgain");
    let in_vain = Asking { attempt: 4, ..late };
    assert_eq!(kernel.answer_to(&in_vain).unwrap(), "Denied");
    assert_eq!((id(&f), id(&theirs)), (parted, object));
}

fn moved_names(kernel: &mut Kernel, [web, db]: [&Guest; 2]) {
    // The guest has moved a directory, made a name, and put another file in the place of one.
    std::fs::rename(db.host("/usr/lib"), db.host("/usr/moved")).unwrap();
    std::fs::hard_link(db.host("/usr/moved/f"), db.host("/usr/third")).unwrap();
    std::fs::write(db.host("/usr/new"), "new").unwrap();
    std::fs::rename(db.host("/usr/new"), db.host("/usr/other/g")).unwrap();
    kernel.write(&db.host("/usr/third"), b"db");
    let [moved, third] = ["/usr/moved/f", "/usr/third"].map(|name| db.host(name));
    assert_eq!(id(&moved), id(&third));
    assert_eq!(
        (nlink(&third), db.read("/usr/other/g")),
        (2, b"new".to_vec())
    );
    let wrote = [&content(1)[..], b"db"].concat();
    assert_eq!(db.read("/usr/moved/f"), wrote);
    // Its file of one name, which it moved with the directory.
    kernel.write(&db.host("/usr/moved/one"), b"x");
    assert_eq!(web.read("/usr/lib/one"), content(2));
}

/// What was parted is parted, for all who ask.
fn told(lab: &Lab) {
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let guests = status["guests"].as_array().unwrap();
    let drifted: Vec<_> = guests
        .iter()
        .map(|guest| guest["drifted"].as_array().unwrap().len())
        .collect();
    assert_eq!(
        drifted,
        [3, 0],
        "the names that db moved or replaced by itself, {status}"
    );
    assert!(
        status["runs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|run| run["what"] == "break")
    );
    let written = &status["writers"];
    assert_eq!(written["guests"][1]["files"], 1, "{written}");
    assert!(written["since"].is_string());
}

#[test]
fn a_guest_gets_its_own_file_on_ext4() {
    life(Disk::Ext4);
}

#[test]
fn a_guest_gets_its_own_file_on_xfs() {
    life(Disk::Xfs);
}

#[test]
fn a_guest_gets_its_own_file_on_btrfs() {
    life(Disk::Btrfs);
}

/// Two files of one guest on one object are two files.
#[test]
fn what_is_written_to_one_file_is_not_for_its_twin() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for path in ["/usr/a", "/usr/b"] {
            guest.put(path, &File::new(content(1)));
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let web = &guests[0];
    let [a, b] = ["/usr/a", "/usr/b"].map(|name| web.host(name));
    assert_eq!(id(&a), id(&b));
    let mut kernel = Kernel::start(&lab, &[], &[]);
    kernel.write(&a, b"a");
    assert_eq!(web.read("/usr/b"), content(1));
    assert_eq!(nlink(&a), 1);
    assert!(kernel.held.is_empty(), "one name needs no hold");
}

/// The scene after one break that is over, so that the next goes on with its run.
fn broken_once(lab: &Lab) -> [Guest; 2] {
    let guests = shared(lab);
    let mut kernel = Kernel::start(lab, &[], &[]);
    kernel.write(&guests[0].host("/usr/lib/one"), b"x");
    kernel.settled(lab);
    assert_eq!(kernel.end(), Some(0));
    guests
}

/// Whatever call the daemon dies at: the next one finishes it or takes it back, and so does `recover`.
#[test]
fn a_daemon_that_dies_at_any_call_loses_nothing() {
    armed!();
    let disk = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let trace = disk.path("trace");
    let calls = {
        let lab = disk.part("trace-lab");
        let [web, _] = broken_once(&lab);
        let mut kernel =
            Kernel::start(&lab, &[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], &[]);
        let before = std::fs::read_to_string(&trace).unwrap().lines().count();
        kernel.write(&web.host("/usr/lib/f"), b"");
        kernel.settled(&lab);
        kernel.end();
        let all = std::fs::read_to_string(&trace).unwrap();
        before + 1..=all.lines().count()
    };
    let step = if crate::support::is_long() { 1 } else { 4 };
    let mut killed = 0;
    for (round, at) in calls.step_by(step).enumerate() {
        let lab = disk.part(&format!("at-{at}"));
        let [web, db] = broken_once(&lab);
        let fault = format!("{at}=kill");
        let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &fault)], &[]);
        let [f, g] = ["/usr/lib/f", "/usr/other/g"].map(|name| web.host(name));
        let answered = kernel.answer_to(&Asking::to(&f));
        if answered.is_some() {
            // It was told before the record was made.
            append(&f, b"+");
        }
        kernel.settled_or_dead();
        drop(kernel);
        match round % 2 {
            0 => drop(lab.on_base("recover", &[]).expect(0)),
            _ => assert_eq!(Kernel::start(&lab, &[], &[]).end(), Some(0)),
        }
        assert_eq!(id(&f), id(&g), "killed at {at}");
        let want = match answered.is_some() {
            true => [&content(1)[..], b"+"].concat(),
            false => content(1),
        };
        assert!(web.read("/usr/other/g") == want, "killed at {at}");
        assert!(db.read("/usr/lib/f") == content(1), "killed at {at}");
        assert_eq!(lab.staged().len(), 0, "killed at {at}");
        assert_eq!(lab.quarantined().len(), 0, "killed at {at}");
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        assert_eq!(web.read("/usr/lib/one"), [&content(2)[..], b"x"].concat());
        let drifts = |guest: &serde_json::Value| !guest["drifted"].as_array().unwrap().is_empty();
        assert!(
            !status["guests"].as_array().unwrap().iter().any(drifts),
            "killed at {at}: {status}"
        );
        assert_eq!(status["unknown_names"], 0, "killed at {at}");
        killed += 1;
    }
    crate::support::figure(&format!("guardd: killed at {killed} calls"));
}

/// A full disk is said to the writer, and nothing has changed.
#[test]
fn where_there_is_no_room_the_writer_is_told() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/large", &File::new(content(7).repeat(100)));
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let file = guests[0].host("/usr/large");
    let before = id(&file);
    let full = lab.path("full");
    for (fault, answer) in [("", "NoSpace"), ("reflink#1=EDQUOT", "OverQuota")] {
        match fault {
            "" => fill_disk(&full, 600),
            _ => std::fs::remove_dir_all(&full).unwrap(),
        }
        let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", fault)], &[]);
        assert_eq!(
            kernel.answer_to(&Asking::to(&file)).unwrap(),
            answer,
            "{}",
            kernel.said()
        );
        assert_eq!(id(&file), before);
        kernel.settled(&lab);
    }
    let mut kernel = Kernel::start(&lab, &[], &["--most-bytes", "4K"]);
    assert_eq!(kernel.answer_to(&Asking::to(&file)).unwrap(), "Denied");
    kernel.says("--most-bytes");
    assert_eq!(kernel.end(), Some(0));
    let mut kernel = Kernel::start(&lab, &[], &[]);
    kernel.write(&file, b"x");
    assert!(guests[1].read("/usr/large") == content(7).repeat(100));
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// While a run holds the base a break goes through between its batches, and the run does not touch what was parted.
#[test]
fn a_break_goes_through_while_a_run_is_at_work() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    let third = lab.guest("mail");
    third.put("/usr/lib/one", &File::new(content(2)));
    let mut kernel = Kernel::start(&lab, &[], &[]);
    // It has its turn by now, and waits in it: the run begins, and waits.
    kernel.write(&web.host("/usr/lib/one"), b"web");
    let plan = lab.plan(&[&third, &db], &OPEN);
    plan.apply().expect(0);
    kernel.write(&third.host("/usr/lib/one"), b"mail");
    assert_eq!(db.read("/usr/lib/one"), content(2));
    kernel.settled(&lab);
    let out = unify(&["status", "--json", "--base", lab.base().to_str().unwrap()]).expect(0);
    assert_eq!(out.json()["at_work"], false);
}

/// The service manager is told when it is ready and that it lives; a signal ends it.
#[test]
fn the_service_manager_is_told() {
    armed!();
    let lab = lab!(Disk::Own);
    shared(&lab);
    let place = lab.path("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&place).unwrap();
    let env = [
        ("NOTIFY_SOCKET", place.to_str().unwrap()),
        ("WATCHDOG_USEC", "300000"),
    ];
    let elsewhere = lab.path("no-base");
    let kernel = Kernel::start(&lab, &env, &["--base", elsewhere.to_str().unwrap()]);
    // It answers for the base that there is.
    let said = kernel.said();
    assert!(said.contains("no-base is left out: "), "{said}");
    // There is one daemon.
    let second = std::process::Command::new(crate::support::BIN)
        .args(["guardd", "--base", lab.base().to_str().unwrap()])
        .env("UNIFY_REQUESTS", lab.path("kernel"))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(7));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another daemon answers"), "{said}");
    let patience = std::time::Duration::from_secs(60);
    socket.set_read_timeout(Some(patience)).unwrap();
    let (start, mut is_ready, mut signs) = (std::time::Instant::now(), false, 0);
    while !is_ready || signs < 2 {
        assert!(
            start.elapsed() < patience,
            "ready: {is_ready}, {signs} signs"
        );
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        let word = &bytes[..length];
        is_ready |= word == b"READY=1";
        signs += u32::from(word == b"WATCHDOG=1");
    }
    assert!(
        kernel.said().contains("ready: 1 bases"),
        "{}",
        kernel.said()
    );
    assert_eq!(kernel.end(), Some(0));
}
