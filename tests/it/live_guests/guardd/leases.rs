//! A guest may hold a write lease on a shared file, and then nobody opens it: its writers wait until the lease is gone,
//! and nobody else does.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::shared;
use crate::support::{Asking, Disk, Kernel, append, content, generation, id, nlink};

/// Who holds a write lease, whatever the kernel says of it.
struct Holder(Child);

const HOLDER: &str = "use Fcntl; $SIG{IO} = 'IGNORE'; open(F, '<', $ARGV[0]) or die; \
     fcntl(F, 1024, 1) or die; print \"held\\n\"; close STDOUT; sleep 120";

/// One who gives it up whenever somebody wants the file, and takes it anew at once.
const AGAIN: &str = "use Fcntl; open(F, '<', $ARGV[0]) or die; \
     $SIG{IO} = sub { fcntl(F, 1024, 2); 1 until fcntl(F, 1024, 1) }; \
     fcntl(F, 1024, 1) or die; print \"held\\n\"; close STDOUT; sleep 1 while 1";

impl Holder {
    fn of(file: &Path) -> Holder {
        Holder::that(HOLDER, file)
    }

    fn that(holds: &str, file: &Path) -> Holder {
        let mut perl = Command::new("perl");
        perl.args(["-e", holds]).arg(file).stdout(Stdio::piped());
        let mut holder = perl.spawn().unwrap();
        let mut held = String::new();
        let told = holder.stdout.as_mut().unwrap();
        told.read_to_string(&mut held).unwrap();
        assert_eq!(held, "held\n");
        Holder(holder)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_lease_denies_no_writer_and_delays_no_other() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let [one, f] = ["/usr/lib/one", "/usr/lib/f"].map(|name| web.host(name));
    let theirs = db.host("/usr/lib/f");
    let mut kernel = Kernel::start(&lab, &[], &[]);
    // One that is under way as the lease is met is not cut off.
    kernel.meets(&Asking::to(&f).of(1), "LookAgain");
    let made = generation(&one);
    let holder = Holder::of(&db.host("/usr/lib/one"));
    let waits = kernel.ask_about(&Asking::to(&one).of(1), made);
    kernel.meets(&Asking::to(&theirs).of(2), "LookAgain");
    // Whose name leads elsewhere already needs no object.
    let late = Asking {
        stale: true,
        ..Asking::to(&one).of(1)
    };
    let late = kernel.ask_about(&late, made);
    kernel.hears(late, "LookAgain");
    assert_eq!([nlink(&one), nlink(&f), nlink(&theirs)], [3, 2, 2]);
    drop(holder);
    kernel.hears(waits, "LookAgain");
    assert_eq!(nlink(&one), 1);
    append(&one, b"x");
    assert_eq!(db.read("/usr/lib/one"), content(2));
    kernel.settled(&lab);
    let said = kernel.said();
    assert!(
        !said.contains("denied") && !said.contains("cut off"),
        "{said}"
    );
    assert_eq!(kernel.end(), Some(0));
    lab.on_base("status", &["--exit-code"]).expect(0);
}

#[test]
fn a_lease_that_is_taken_again_and_again_denies_no_writer() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let one = web.host("/usr/lib/one");
    let made = generation(&one);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    let _holder = Holder::that(AGAIN, &db.host("/usr/lib/one"));
    let waits = kernel.ask_about(&Asking::to(&one), made);
    kernel.hears(waits, "LookAgain");
    assert_eq!(nlink(&one), 1);
    assert_eq!(web.read("/usr/lib/one"), content(2));
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
}

/// A daemon that comes after one that was killed waits with its healing, and answers for the base then.
#[test]
fn a_lease_puts_off_a_healing_and_leaves_no_base_out() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let names = ["/usr/lib/f", "/usr/other/g"].map(|name| web.host(name));
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", "exchange#2=kill")], &[]);
    assert_eq!(kernel.answer_to(&Asking::to(&names[0])), None);
    drop(kernel);
    assert_ne!(id(&names[0]), id(&names[1]));
    let holder = Holder::of(&db.host("/usr/lib/f"));
    let mut kernel = Kernel::begin(&lab, &[], &[]);
    let waits = kernel.ask(&Asking::to(&db.host("/usr/lib/one")));
    kernel.says("is healed when nobody holds it");
    drop(holder);
    kernel.says("finished what an earlier process was cut off in");
    kernel.hears(waits, "LookAgain");
    assert_eq!(id(&names[0]), id(&names[1]));
    assert_eq!(kernel.end(), Some(0));
}
