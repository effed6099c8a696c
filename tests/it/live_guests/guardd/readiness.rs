//! Each base is answered for from the moment it is ready; what was asked of one that cannot be served is denied.

use super::shared;
use crate::support::{Asking, Disk, Guest, Kernel, Lab, nlink};

/// Two bases of one file system, with two guests each.
type BaseAndGuests = (Lab, [Guest; 2]);

fn two_bases() -> Result<(Lab, [BaseAndGuests; 2]), String> {
    let disk = Lab::in_memory(Disk::Ext4)?;
    let bases = ["one", "other"].map(|name| {
        let lab = disk.part(name);
        let guests = shared(&lab);
        (lab, guests)
    });
    Ok((disk, bases))
}

/// Nothing can be healed in this base.
fn spoil(lab: &Lab) {
    let run = std::fs::read_dir(lab.base().join("runs")).unwrap().next();
    let run = run.unwrap().unwrap().file_name();
    std::fs::write(lab.base().join("staging").join(run), "no directory").unwrap();
}

/// A base that waits for its healing keeps no other from answering, and its own requests wait for it.
#[test]
fn each_base_answers_from_the_moment_it_is_ready() {
    armed!();
    let (_disk, [(slow, [web, _]), (quick, [far, _])]) = match two_bases() {
        Ok(bases) => bases,
        Err(why) => skip!("{why}"),
    };
    let turn = std::fs::File::create(slow.base().join("turn")).unwrap();
    let run = nix::fcntl::Flock::lock(turn, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let other = quick.base();
    let mut kernel = Kernel::begin(&slow, &[], &["--base", other.to_str().unwrap()]);
    let file = web.host("/usr/lib/one");
    let waits = kernel.ask(&Asking::to(&file));
    kernel.meets(&Asking::to(&far.host("/usr/lib/one")), "LookAgain");
    assert_eq!((nlink(&far.host("/usr/lib/one")), nlink(&file)), (1, 3));
    assert!(!kernel.said().contains("ready"), "{}", kernel.said());
    drop(run);
    kernel.hears(waits, "LookAgain");
    assert_eq!(nlink(&file), 1);
    kernel.says("ready: 2 bases");
    for lab in [&slow, &quick] {
        kernel.settled(lab);
    }
    assert_eq!(kernel.end(), Some(0));
    slow.on_base("status", &["--exit-code"]).expect(0);
}

/// Writers to files of a base that cannot be healed are told so, and those of others are answered.
#[test]
fn writers_of_a_base_that_cannot_be_healed_are_denied() {
    armed!();
    let (_disk, [(spoiled, [web, _]), (whole, [far, _])]) = match two_bases() {
        Ok(bases) => bases,
        Err(why) => skip!("{why}"),
    };
    spoil(&spoiled);
    let other = whole.base();
    let mut kernel = Kernel::begin(&spoiled, &[], &["--base", other.to_str().unwrap()]);
    let file = web.host("/usr/lib/one");
    // Asked before it is known, perhaps, and afterwards.
    kernel.meets(&Asking::to(&file), "Denied");
    kernel.says("ready: 1 bases");
    kernel.meets(&Asking::to(&file), "Denied");
    kernel.write(&far.host("/usr/lib/one"), b"x");
    let said = kernel.said();
    let denied = said.lines().filter(|line| line.contains("denied to"));
    assert!(denied.clone().count() == 2, "{said}");
    assert!(
        denied.clone().all(|line| line.contains("is left out: ")),
        "{said}"
    );
    assert_eq!(nlink(&file), 3);
    assert!(!kernel.held.contains(&"rest".to_owned()));
    kernel.settled(&whole);
    assert_eq!(kernel.end(), Some(0));
}

/// A daemon that cannot serve anything ends, and its last word is that nobody shall wait.
#[test]
fn a_daemon_that_fails_lets_nobody_wait() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, _] = shared(&lab);
    spoil(&lab);
    let mut kernel = Kernel::begin(&lab, &[], &[]);
    let answer = kernel.answer_to(&Asking::to(&web.host("/usr/lib/f")));
    // It may be gone before it hears of it.
    assert!(
        answer.is_none_or(|word| word == "Denied"),
        "{}",
        kernel.said()
    );
    let said = kernel.said();
    let (code, words) = kernel.last_words();
    assert_eq!(words, ["rest"], "{said}");
    assert_ne!(code, Some(0));
    // One that is asked to end may be started anew: who waits goes on to wait.
    std::fs::remove_dir_all(lab.base().join("staging")).unwrap();
    std::fs::create_dir(lab.base().join("staging")).unwrap();
    let kernel = Kernel::start(&lab, &[], &[]);
    kernel.ask_to_end();
    assert_eq!(kernel.last_words(), (Some(0), Vec::new()));
}
