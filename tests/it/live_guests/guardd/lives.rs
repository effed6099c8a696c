//! A daemon gives signs of life as long as it gets on, and no longer; and it ends soon after it is asked to, however
//! much it is about to read.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use super::OPEN;
use crate::support::{Asking, Disk, File, Kernel, content, id, until};

const NAMES: usize = 16;

/// Commands at these calls of one kind.
fn at_each(call: &str, calls: std::ops::RangeInclusive<usize>, command: &str) -> String {
    let lines = calls.map(|number| format!("{call}#{number}=run:{command}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// More signs of life than a test waits for.
const MOST_SIGNS: usize = 300;

/// The words that come on the socket until this one, or until they are so many, or none comes for so long.
fn heard(socket: &UnixDatagram, last: &str, most: usize, patience: Duration) -> Vec<String> {
    socket.set_read_timeout(Some(patience)).unwrap();
    let (mut all, mut bytes) = (Vec::new(), [0; 64]);
    while let Ok(length) = socket.recv(&mut bytes) {
        all.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        if all.len() == most || all.last().is_some_and(|word| word == last) {
            break;
        }
    }
    all
}

/// The healing of a file with many names takes longer than a daemon may be silent.
#[test]
fn a_healing_that_gets_on_is_a_sign_of_life_and_one_that_stands_still_is_none() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/0", &File::new(content(1)));
        for number in 1..NAMES {
            guest.hard_link("/usr/0", format!("/usr/{number}"));
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let [first, last] = [0, NAMES - 1].map(|name| guests[0].host(format!("/usr/{name}")));
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", "exchange#2=kill")], &[]);
    assert_eq!(kernel.answer_to(&Asking::to(&first)), None);
    drop(kernel);
    assert_ne!(id(&first), id(&last));
    // All names but the first are exchanged by the healing.
    let place = lab.path("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    let goes_on = lab.path("goes-on");
    let held = until(&goes_on);
    let slow = at_each("exchange", 1..=NAMES - 4, "sleep 0.5");
    let fault = format!(
        "{slow}\n{}",
        at_each("exchange", NAMES - 3..=NAMES - 3, &held)
    );
    let env = [
        ("UNIFY_FAULT", fault.as_str()),
        ("UNIFY_SILENCE", "2000"),
        ("NOTIFY_SOCKET", place.to_str().unwrap()),
        ("WATCHDOG_USEC", "300000"),
    ];
    let mut kernel = Kernel::begin(&lab, &env, &[]);
    // Ten signs a second, for the six seconds of the steps that get on and the two that it may be silent.
    let signs = heard(&socket, "READY=1", MOST_SIGNS, Duration::from_secs(15));
    assert!(!signs.contains(&"READY=1".to_owned()), "{}", kernel.said());
    assert!(signs.len() > 25, "{} signs", signs.len());
    assert!(
        signs.len() < MOST_SIGNS,
        "it stands still, and is taken for alive"
    );
    fs::write(&goes_on, "").unwrap();
    let signs = heard(&socket, "READY=1", usize::MAX, Duration::from_secs(60));
    assert_eq!(signs.last().map(String::as_str), Some("READY=1"));
    kernel.says("finished what an earlier process was cut off in");
    assert_eq!(id(&first), id(&last));
    assert_eq!(kernel.end(), Some(0));
}

/// Another process may heal a base for longer than a daemon may be silent.
#[test]
fn a_turn_is_waited_for_with_signs_of_life_until_the_daemon_is_to_end() {
    armed!();
    let lab = lab!(Disk::Own);
    super::shared(&lab);
    let turn = fs::File::create(lab.base().join("turn")).unwrap();
    let healing = nix::fcntl::Flock::lock(turn, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let place = lab.path("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    let env = [
        ("UNIFY_SILENCE", "1000"),
        ("NOTIFY_SOCKET", place.to_str().unwrap()),
        ("WATCHDOG_USEC", "300000"),
    ];
    let mut kernel = Kernel::begin(&lab, &env, &[]);
    // Ten a second, and so for longer than it may be silent.
    for _ in 0..40 {
        let sign = heard(&socket, "WATCHDOG=1", MOST_SIGNS, Duration::from_secs(30));
        assert_eq!(sign, ["WATCHDOG=1"], "{}", kernel.said());
    }
    kernel.says("waits for another process");
    assert_eq!(kernel.end(), Some(0));
    while !heard(
        &socket,
        "STOPPING=1",
        MOST_SIGNS,
        Duration::from_millis(500),
    )
    .is_empty()
    {}
    let mut kernel = Kernel::begin(&lab, &env, &[]);
    assert!(!heard(&socket, "WATCHDOG=1", MOST_SIGNS, Duration::from_secs(60)).is_empty());
    drop(healing);
    let signs = heard(&socket, "READY=1", MOST_SIGNS, Duration::from_secs(120));
    assert_eq!(signs.last().map(String::as_str), Some("READY=1"));
    kernel.says("ready: 1 bases");
    assert_eq!(kernel.end(), Some(0));
}

/// More objects than are read until the daemon is asked to end.
const OBJECTS: usize = 60;
const READ: usize = 8;

fn lists(trace: &Path) -> usize {
    let all = fs::read_to_string(trace).unwrap_or_default();
    all.lines().filter(|call| *call == "list").count()
}

fn await_lists(trace: &Path, kernel: &Kernel, many: usize) {
    for _ in 0..6000 {
        if lists(trace) >= many {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not read: {}", kernel.said());
}

/// Whoever asks it to end does not wait until a base is read, be it for the first time or anew.
#[test]
fn a_daemon_ends_while_a_base_is_read() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = ["web", "db", "mail"].map(|name| {
        let guest = lab.guest(name);
        for number in 0..OBJECTS {
            guest.put(format!("/usr/{number}"), &File::new(content(number)));
        }
        guest
    });
    let [web, db, mail] = &guests;
    lab.plan(&[web, db], &OPEN).apply().expect(0);
    let trace = lab.path("trace");
    let env = [("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
    let kernel = Kernel::start(&lab, &env, &[]);
    let until_ready = lists(&trace);
    assert!(until_ready > READ + 30, "{until_ready}");
    assert_eq!(kernel.end(), Some(0));
    // It is held at one call until it is asked to end, and is slow at those after that.
    let goes_on = lab.path("goes-on");
    let slow = |calls: std::ops::RangeInclusive<usize>| {
        let at = calls.start() + READ - 1;
        let held = at_each("list", at..=at, &until(&goes_on));
        format!("{held}\n{}", at_each("list", calls, "sleep 0.2"))
    };
    let ends_early = |kernel: Kernel, before: usize| {
        await_lists(&trace, &kernel, before + READ);
        kernel.ask_to_end();
        fs::write(&goes_on, "").unwrap();
        assert_eq!(kernel.last_words().0, Some(0));
        assert!(lists(&trace) < before + READ + 15, "{}", lists(&trace));
        for file in [&trace, &goes_on] {
            fs::remove_file(file).unwrap();
        }
    };
    fs::remove_file(&trace).unwrap();
    let fault = slow(1..=until_ready);
    let kernel = Kernel::begin(&lab, &[env[0], ("UNIFY_FAULT", &fault)], &[]);
    ends_early(kernel, 0);
    // What is written to is shared by a later run, and so the base is read again.
    let fault = slow(until_ready + 1..=3 * until_ready);
    let mut kernel = Kernel::start(&lab, &[env[0], ("UNIFY_FAULT", &fault)], &[]);
    mail.put("/usr/new", &File::new(content("new")));
    db.put("/usr/new", &File::new(content("new")));
    lab.plan(&[mail, db], &OPEN).apply().expect_one_of(&[0, 4]);
    kernel.ask(&Asking::to(&mail.host("/usr/new")));
    ends_early(kernel, until_ready);
}
