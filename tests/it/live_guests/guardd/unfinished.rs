//! A run was cut short while the daemon lives, and lies so until the next one: writers do not pay for that, and what it
//! has linked is known although no receipt says so.

use std::fs;
use std::time::Duration;

use super::OPEN;
use super::runs::runs;
use crate::support::{
    Asking, Disk, File, Guest, Kernel, Lab, Planned, content, id, nlink, unify_with,
};

const FILES: [usize; 3] = [1, 2, 3];

/// Two guests that share files of two names each.
fn of_two_names(lab: &Lab) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.dir("/usr/other");
        for file in FILES {
            guest.put(format!("/usr/lib/{file}"), &File::new(content(file)));
            guest.hard_link(format!("/usr/lib/{file}"), format!("/usr/other/{file}"));
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    guests
}

/// A plan by which one more guest shares a file with this one that nobody shares yet.
fn one_more(lab: &Lab, name: &str, db: &Guest) -> (Guest, Planned) {
    let guest = lab.guest(name);
    for one in [&guest, db] {
        one.put(format!("/usr/{name}"), &File::new(content(9)));
    }
    let plan = lab.plan(&[&guest, db], &OPEN);
    (guest, plan)
}

/// Applies, and is killed at this call.
fn cut_short(lab: &Lab, plan: &Planned, at: &str) {
    let fault = format!("{at}=kill");
    let args = ["apply", "--yes", plan.path.to_str().unwrap()];
    unify_with(&[("UNIFY_FAULT", &fault)], &args).expect(-1);
    assert_eq!(fs::read_dir(lab.base().join("staging")).unwrap().count(), 1);
}

/// From here on whoever reads all that the base remembers is told that it cannot be read.
fn let_nobody_read(lab: &Lab) {
    let first = &runs(lab)[0];
    let receipt = lab.base().join("runs").join(first).join("receipt.jsonl");
    fs::rename(&receipt, receipt.with_extension("away")).unwrap();
    fs::create_dir(&receipt).unwrap();
}

#[test]
fn a_run_that_was_cut_short_is_no_reason_to_read_anew() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = of_two_names(&lab);
    let (_, plan) = one_more(&lab, "mail", &db);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    cut_short(&lab, &plan, "exchange#1");
    let_nobody_read(&lab);
    for file in FILES {
        let [one, other] = ["lib", "other"].map(|dir| web.host(format!("/usr/{dir}/{file}")));
        kernel.write(&one, b"+");
        assert_eq!((id(&one), nlink(&one)), (id(&other), 2));
        assert_eq!(db.read(format!("/usr/lib/{file}")), content(file));
    }
    // Nor is it for who writes to what is another base's.
    db.put("/usr/elsewhere", &File::new(b"x".to_vec()));
    kernel.meets(&Asking::to(&db.host("/usr/elsewhere")), "Denied");
    kernel.says("no base that is known has this object");
    // What it has named is learnt anew.
    let mut objects = lab.objects().into_iter();
    let named = objects.find(|object| fs::read(object).unwrap() == content(9));
    kernel.meets(&Asking::to(&named.unwrap()), "Denied");
    kernel.says("cannot be read");
}

/// The same of one that lay so before the daemon read what there is.
#[test]
fn a_run_that_was_cut_short_before_is_no_reason_either() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = of_two_names(&lab);
    let (_, plan) = one_more(&lab, "mail", &db);
    cut_short(&lab, &plan, "exchange#1");
    let mut kernel = Kernel::start(&lab, &[], &[]);
    let_nobody_read(&lab);
    for file in FILES {
        kernel.write(&web.host(format!("/usr/lib/{file}")), b"+");
        assert_eq!(db.read(format!("/usr/lib/{file}")), content(file));
    }
    assert_eq!(kernel.end(), Some(0));
}

/// A run that is over says what it has done, and that is all there is to be read.
#[test]
fn a_run_that_is_over_is_a_reason_for_what_it_has_named() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = of_two_names(&lab);
    let (mail, plan) = one_more(&lab, "mail", &db);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    plan.apply().expect(0);
    kernel.write(&mail.host("/usr/mail"), b"+");
    kernel.settled(&lab);
    let (_, next) = one_more(&lab, "ftp", &db);
    next.apply().expect_one_of(&[0, 4]);
    let_nobody_read(&lab);
    kernel.write(&web.host("/usr/lib/1"), b"+");
    assert_eq!(db.read("/usr/lib/1"), content(1));
    assert_eq!(kernel.end(), Some(0));
}

/// A run was killed between the exchange of a name and its receipt. That name is a file of its own: what the guest
/// writes to the file that it had on the object before is not for it.
#[test]
fn what_only_a_journal_names_is_a_file_of_its_own() {
    armed!();
    let lab = lab!(Disk::Own);
    let scene = |name: &str| {
        let lab = lab.part(name);
        let guests = ["web", "db"].map(|name| {
            let guest = lab.guest(name);
            guest.put("/usr/a", &File::new(content(1)));
            guest.hard_link("/usr/a", "/usr/a2");
            guest
        });
        lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
        (lab, guests)
    };
    let more = |lab: &Lab, [web, db]: &[Guest; 2]| {
        web.put("/usr/b", &File::new(content(1)));
        lab.plan(&[web, db], &OPEN)
    };
    for is_before in [false, true] {
        let (lab, guests) = scene(["while", "before"][usize::from(is_before)]);
        let plan = more(&lab, &guests);
        let kernel = (!is_before).then(|| Kernel::start(&lab, &[], &[]));
        // The times of the directory are put back right after the exchange.
        cut_short(&lab, &plan, "times#1");
        let mut kernel = kernel.unwrap_or_else(|| Kernel::start(&lab, &[], &[]));
        let [web, db] = guests;
        let [a, a2, b] = ["/usr/a", "/usr/a2", "/usr/b"].map(|name| web.host(name));
        assert_eq!(id(&a), id(&b));
        let receipt = lab.base().join("runs").join(runs(&lab).pop().unwrap());
        let receipt = fs::read_to_string(receipt.join("receipt.jsonl")).unwrap();
        assert!(!receipt.contains("/usr/b"));
        kernel.write(&a, b"+");
        assert_eq!(id(&a), id(&a2));
        assert!(web.read("/usr/b") == content(1), "{}", kernel.said());
        kernel.write(&b, b"b");
        assert!(db.read("/usr/a") == content(1));
        assert_eq!(web.read("/usr/a2"), [&content(1)[..], b"+"].concat());
        assert_eq!(kernel.end(), Some(0));
        lab.on_base("recover", &[]).expect(0);
        assert_eq!(web.read("/usr/a"), [&content(1)[..], b"+"].concat());
        assert_eq!(web.read("/usr/b"), [&content(1)[..], b"b"].concat());
        lab.on_base("verify", &[]).expect(0);
    }
}

/// What a search through a guest found counts after the base was read anew.
#[test]
fn a_guest_is_not_searched_again_because_a_run_was_at_work() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = of_two_names(&lab);
    // Names that no guest has: only a search tells that they are not this one's.
    for file in FILES {
        let name = lab.path(&format!("of-no-guest-{file}"));
        fs::hard_link(db.host(format!("/usr/lib/{file}")), name).unwrap();
    }
    let (mail, plan) = one_more(&lab, "mail", &db);
    // A search is new enough for what was changed some seconds before.
    std::thread::sleep(Duration::from_secs(4));
    let trace = lab.path("trace");
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], &[]);
    let searches = || {
        let all = fs::read_to_string(&trace).unwrap();
        all.lines().filter(|call| *call == "view").count()
    };
    kernel.write(&web.host("/usr/lib/1"), b"+");
    assert_eq!(searches(), 1);
    kernel.settled(&lab);
    plan.apply().expect(0);
    // This one is not known, and all is read anew.
    kernel.write(&mail.host("/usr/mail"), b"+");
    kernel.write(&web.host("/usr/lib/2"), b"+");
    assert_eq!(searches(), 1);
    assert_eq!(db.read("/usr/lib/2"), content(2));
    assert_eq!(kernel.end(), Some(0));
}
