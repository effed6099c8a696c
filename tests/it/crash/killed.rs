//! `apply` and `undo` are killed at random moments. Every name keeps what it had, and the next run heals.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{BIN, Disk, File, Guest, Lab, Listing, assert_same, content, id};

const FILES: usize = 400;
const MOMENTS: u32 = 10;

fn furnished(lab: &Lab) -> [Guest; 3] {
    let guests = ["a", "b", "c"].map(|name| lab.guest(name));
    for guest in &guests {
        for n in 0..FILES {
            guest.put(format!("/usr/share/{}/{n}", n % 7), &File::new(content(n)));
        }
        guest.put("/usr/lib/two", &File::new(content("two")));
        guest.hard_link("/usr/lib/two", "/usr/lib/names");
    }
    guests
}

/// What `undo` is asked for.
const ALL: [&str; 3] = ["--run", "all", "--yes"];

/// Starts `unify`, kills it when this part of what it takes is over, and tells whether it was still running.
fn start_and_kill(args: &[&str], takes: &mut Duration, moment: u32) -> bool {
    let patience = *takes * (2 * moment + 1) / (2 * MOMENTS);
    let mut command = Command::new(BIN);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(patience);
    let running = child.try_wait().unwrap().is_none();
    child.kill().ok();
    child.wait().unwrap();
    if !running {
        // The machine is quicker than it was: the next ones are killed earlier.
        *takes = patience;
    }
    running
}

/// A run that was killed cannot put the times of directories back; everything else must hold.
fn listings(guests: &[Guest; 3]) -> Vec<Listing> {
    guests
        .iter()
        .map(|guest| Listing::of(guest.root()).without_directory_times())
        .collect()
}

#[track_caller]
fn unchanged(guests: &[Guest; 3], before: &[Listing], when: &str) {
    for (before, after) in before.iter().zip(listings(guests)) {
        assert_same(before, &after, when);
    }
}

/// How long the command takes when it is not killed.
fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

#[test]
fn apply_and_undo_may_be_killed_at_any_moment() {
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab);
    let before = listings(&guests);
    let plan = lab.plan(&guests.each_ref(), &[]);
    let mut takes = [
        time(|| drop(plan.apply().expect(0))),
        time(|| drop(lab.on_base("undo", &ALL).expect(0))),
    ];
    let (mut rounds, mut killed) = (0, 0);
    while rounds < MOMENTS || (killed < MOMENTS && rounds < 3 * MOMENTS) {
        killed += killed_at(&lab, &guests, &before, &mut takes, rounds % MOMENTS);
        rounds += 1;
    }
    assert!(
        killed >= MOMENTS,
        "only {killed} of {} runs were still running when killed",
        2 * rounds
    );
}

/// How many of an apply and an undo were still running when they were killed.
fn killed_at(
    lab: &Lab,
    guests: &[Guest; 3],
    before: &[Listing],
    [apply_takes, undo_takes]: &mut [Duration; 2],
    moment: u32,
) -> u32 {
    let [a, _, c] = guests;
    let first = "/usr/share/0/0";
    let plan = lab.plan(&guests.each_ref(), &[]);
    let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
    let apply_runs = start_and_kill(&apply, apply_takes, moment);
    unchanged(guests, before, &format!("apply killed, moment {moment}"));

    heal(lab, guests, moment);
    unchanged(guests, before, &format!("apply healed, moment {moment}"));
    let plan = lab.plan(&guests.each_ref(), &[]);
    plan.apply().expect(0);
    plan.verify().expect(0);
    assert_eq!(id(&a.host(first)), id(&c.host(first)), "it is shared");

    let base = lab.base();
    let undo = ["undo", "--base", base.to_str().unwrap()];
    let undo_runs = start_and_kill(&[&undo[..], &ALL].concat(), undo_takes, moment);
    unchanged(guests, before, &format!("undo killed, moment {moment}"));
    lab.on_base("undo", &ALL).expect(0);
    unchanged(guests, before, &format!("undo finished, moment {moment}"));
    assert_ne!(id(&a.host(first)), id(&c.host(first)), "nothing is shared");
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0, "gc removes what nobody uses");
    u32::from(apply_runs) + u32::from(undo_runs)
}

/// Heals by `recover` or by the next `apply`, in turn. To heal twice is the same as to heal once.
fn heal(lab: &Lab, guests: &[Guest; 3], moment: u32) {
    if !lab.base().exists() {
        return;
    }
    if moment.is_multiple_of(2) {
        lab.on_base("recover", &[]).expect(0);
        lab.on_base("recover", &[]).expect(0);
    } else {
        let [a, b, c] = guests;
        lab.plan(&[a, b, c], &[]).apply().expect_one_of(&[0, 4]);
    }
    assert_eq!(
        lab.staged().len(),
        0,
        "staging is empty after healing: {:?}",
        lab.staged()
    );
}
