//! What breaks leave that came to nothing, or to less than a guest hoped for: it is paid for, and misleads nobody.

use std::fs;

use super::runs::runs;
use super::{OPEN, broken_once, shared};
use crate::support::{Asking, Disk, File, Guest, Kernel, Lab, Planned, content, id, nlink};

/// What a guest does between the exchanges of its two names: it opens the copy by the first and removes the second.
fn spoils_its_break(lab: &Lab, web: &Guest, exchange: u32) -> String {
    let [f, g] = ["/usr/lib/f", "/usr/other/g"].map(|name| web.host(name).display().to_string());
    let pid = lab.path(&format!("reader-{exchange}"));
    let pid = pid.display();
    let holds = format!("exec 3< {f}; sleep 600 <&3 > /dev/null 2>&1 & echo $! > {pid}");
    format!("exchange#{exchange}=run:{holds}; rm {g}")
}

/// Two guests that share files, and a third that shall share one more with the second.
fn with_a_later_plan(lab: &Lab) -> ([Guest; 3], Planned) {
    let [web, db] = shared(lab);
    let mail = lab.guest("mail");
    for guest in [&mail, &db] {
        guest.put("/usr/new", &File::new(content(5)));
    }
    let plan = lab.plan(&[&mail, &db], &OPEN);
    ([web, db, mail], plan)
}

fn end_reader(lab: &Lab, exchange: u32) {
    let pid = fs::read_to_string(lab.path(&format!("reader-{exchange}"))).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// A copy that a guest holds while it makes the break fail is kept for a person: under a name of its own each time,
/// and the guest pays for it.
#[test]
fn a_guest_pays_for_what_it_leaves_in_quarantine() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = broken_once(&lab);
    let [f, g] = ["/usr/lib/f", "/usr/other/g"].map(|name| web.host(name));
    let last = runs(&lab).pop();
    let faults = [2, 5].map(|exchange| spoils_its_break(&lab, &web, exchange));
    let most = ["--most-files", "2"];
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &faults.join("\n"))], &most);
    for (round, exchange) in [2, 5].into_iter().enumerate() {
        kernel.meets(&Asking::to(&f), "LookAgain");
        assert_eq!(id(&f), id(&db.host("/usr/lib/f")), "{}", kernel.said());
        kernel.settled(&lab);
        assert_eq!(lab.quarantined().len(), round + 1, "{}", kernel.said());
        end_reader(&lab, exchange);
        fs::hard_link(&f, &g).unwrap();
    }
    kernel.meets(&Asking::to(&f), "Denied");
    kernel.says("--most-files");
    kernel.settled(&lab);
    assert_eq!(runs(&lab).pop(), last, "it is one run, which goes on");
    assert_eq!(kernel.end(), Some(0));
    assert_eq!((web.read("/usr/lib/f"), nlink(&f)), (content(1), 5));
}

/// What fails and leaves nothing is paid for as a copy, and no more: the run of the day goes on after it.
#[test]
fn a_break_that_comes_to_nothing_is_as_if_it_had_not_been() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, _] = broken_once(&lab);
    let last = runs(&lab).pop();
    let f = web.host("/usr/lib/f");
    let mut kernel = Kernel::start(
        &lab,
        &[("UNIFY_FAULT", "exchange#1=EIO")],
        &["--most-files", "2"],
    );
    kernel.meets(&Asking::to(&f), "Denied");
    kernel.settled(&lab);
    kernel.write(&f, b"+");
    kernel.settled(&lab);
    assert_eq!(runs(&lab).pop(), last, "{}", kernel.said());
    assert_eq!(kernel.end(), Some(0));
}

/// Where no more files can be marked, a file of one name is parted as ever, and nothing is left of it.
#[test]
fn a_full_map_denies_nobody() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", "own#1=E2BIG")], &[]);
    kernel.write(&web.host("/usr/lib/one"), b"+");
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
    assert_eq!(db.read("/usr/lib/one"), content(2));
    assert_eq!(web.read("/usr/lib/one"), [&content(2)[..], b"+"].concat());
}

/// A run of which nothing came gives its name to the next one. What that shares is learnt.
#[test]
fn the_name_of_a_run_that_was_called_off_is_the_next_ones() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _, mail], plan) = with_a_later_plan(&lab);
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", "exchange#1=EIO")], &[]);
    // Both begin in one second.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let rest = 1_000_000_000 - now.unwrap().subsec_nanos();
    std::thread::sleep(std::time::Duration::from_nanos(rest.into()));
    kernel.meets(&Asking::to(&web.host("/usr/lib/one")), "Denied");
    kernel.settled(&lab);
    plan.apply().expect_one_of(&[0, 4]);
    let file = mail.host("/usr/new");
    kernel.meets(&Asking::to(&file), "LookAgain");
    assert_eq!(nlink(&file), 1);
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
}

/// A daemon may have read long ago where a guest is: the guest stays where a later run has found it.
#[test]
fn a_break_does_not_put_a_guest_back_where_it_was() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, db, mail], plan) = with_a_later_plan(&lab);
    plan.apply().expect_one_of(&[0, 4]);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    let away = lab.guests().join("away");
    fs::rename(web.root(), &away).unwrap();
    let name = format!("web={}", away.display());
    mail.put("/usr/lib/one", &File::new(content(2)));
    let plan = lab.path("moved.json");
    let theirs = mail.arg();
    let out = ["-o", plan.to_str().unwrap()];
    let options = [&out[..], &OPEN[..], &[&name, &theirs]].concat();
    lab.on_base("plan", &options).expect(0);
    let plan = Planned::read(&plan);
    plan.apply().expect_one_of(&[0, 4]);
    kernel.write(&db.host("/usr/new"), b"+");
    kernel.settled(&lab);
    let last = lab.base().join("runs").join(runs(&lab).pop().unwrap());
    let receipt = fs::read_to_string(last.join("receipt.jsonl")).unwrap();
    let before = web.root().to_str().unwrap();
    assert!(receipt.contains(&format!("\"{before}\"")), "{receipt}");
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let guests = status["guests"].as_array().unwrap();
    let it = guests.iter().find(|guest| guest["name"] == "web").unwrap();
    assert_eq!(it["root"], away.to_str().unwrap(), "{status}");
    assert_eq!(kernel.end(), Some(0));
    lab.on_base("undo", &["--run", "all", "--yes"])
        .expect_one_of(&[0, 4]);
    assert_eq!(nlink(&away.join("usr/lib/one")), 1);
}

/// All names of a file are written down before the first is moved: of a file with too many there is no copy.
#[test]
fn a_file_whose_names_take_too_much_is_not_parted() {
    armed!();
    let lab = lab!(Disk::Own);
    let dir = format!("/usr{}", format!("/{}", "d".repeat(200)).repeat(15));
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest.dir(&dir);
        for number in 0..340 {
            guest.hard_link("/usr/f", format!("{dir}/{}{number}", "n".repeat(200)));
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let f = guests[0].host("/usr/f");
    let shared = id(&f);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    kernel.meets(&Asking::to(&f), "Denied");
    kernel.says("take more than");
    assert_eq!(id(&f), shared);
    kernel.settled(&lab);
}
