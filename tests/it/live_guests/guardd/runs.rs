//! What breaks leave in the base: few runs, however often guests write, and all of them true.

use super::{OPEN, shared};
use crate::support::{Disk, File, Kernel, Lab, content, id, nlink};

/// Runs that left papers.
pub fn runs(lab: &Lab) -> Vec<String> {
    let dir = std::fs::read_dir(lab.base().join("runs")).unwrap();
    let mut runs: Vec<String> = dir
        .map(|run| run.unwrap().file_name().into_string().unwrap())
        .collect();
    runs.sort();
    runs
}

/// What `status` says of the runs of breaks: how many, and of how many files, names and bytes.
fn told(lab: &Lab) -> (usize, u64, u64) {
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let runs = status["runs"].as_array().unwrap();
    let breaks: Vec<_> = runs.iter().filter(|run| run["what"] == "break").collect();
    let sum = |what: &str| {
        let each = breaks
            .iter()
            .map(|run| run["totals"][what].as_u64().unwrap());
        each.sum()
    };
    (breaks.len(), sum("done"), sum("names"))
}

/// A guest that writes again and again makes no run each time. Over midnight there are two.
#[test]
fn breaks_of_a_day_are_one_run() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for number in 0..FILES {
            let text = format!("shared {number}").into_bytes();
            guest.put(format!("/usr/{number}"), &File::new(text));
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let before = runs(&lab).len();
    let [web, db] = &guests;
    let mut kernel = Kernel::start(&lab, &[], &[]);
    for number in 0..FILES {
        kernel.write(&web.host(format!("/usr/{number}")), b"+");
        kernel.settled(&lab);
    }
    // Another daemon goes on with it.
    assert_eq!(kernel.end(), Some(0));
    let mut kernel = Kernel::start(&lab, &[], &[]);
    kernel.write(&db.host("/usr/0"), b"db");
    kernel.settled(&lab);
    assert!(runs(&lab).len() <= before + 2, "{:?}", runs(&lab));
    let (many, files, names) = told(&lab);
    assert!(many <= 2);
    assert_eq!((files, names), (FILES + 1, FILES + 1));
    // What a run does between two breaks stands between them.
    let third = lab.guest("mail");
    third.put("/usr/1", &File::new(b"shared 1".to_vec()));
    lab.plan(&[db, &third], &OPEN).apply().expect(0);
    assert_eq!(id(&third.host("/usr/1")), id(&db.host("/usr/1")));
    kernel.write(&third.host("/usr/1"), b"mail");
    kernel.settled(&lab);
    assert_eq!(told(&lab).1, FILES + 2);
    assert!(runs(&lab).len() <= before + 5);
    assert_eq!(kernel.end(), Some(0));
    // Their papers stay as long as they are needed, and tell what is shared.
    lab.on_base("gc", &["--keep-runs", "1"]).expect(0);
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("verify", &[]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"])
        .expect_one_of(&[0, 4]);
    assert_eq!(nlink(&db.host("/usr/5")), 1);
    assert_eq!(web.read("/usr/5"), b"shared 5+");
    assert_eq!(db.read("/usr/5"), b"shared 5");
    assert_eq!(third.read("/usr/1"), b"shared 1mail");
}

const FILES: u64 = 24;

/// A run whose papers are not whole goes on no more.
#[test]
fn a_run_whose_papers_are_damaged_is_left_alone() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    kernel.write(&web.host("/usr/lib/one"), b"+");
    kernel.settled(&lab);
    let last = runs(&lab).pop().unwrap();
    let journal = lab.base().join("runs").join(&last).join("journal");
    let text = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &text[..text.len() - 5]).unwrap();
    kernel.write(&web.host("/usr/lib/f"), b"+");
    kernel.settled(&lab);
    let next = runs(&lab).pop().unwrap();
    assert!(next > last);
    // One that is whole goes on.
    kernel.write(&db.host("/usr/lib/f"), b"+");
    kernel.settled(&lab);
    assert_eq!(runs(&lab).pop().unwrap(), next);
    assert_eq!(told(&lab), (2, 3, 5));
    assert_eq!(web.read("/usr/lib/one"), [&content(2)[..], b"+"].concat());
}

/// The journal of a run is read whole where it goes on: one that is long goes on no more.
#[test]
fn a_run_whose_journal_is_long_is_left_alone() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, _] = super::broken_once(&lab);
    let last = runs(&lab).pop().unwrap();
    let journal = lab.base().join("runs").join(&last).join("journal");
    let text = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, text.repeat((128 << 10) / text.len() + 1)).unwrap();
    let mut kernel = Kernel::start(&lab, &[], &[]);
    kernel.write(&web.host("/usr/lib/f"), b"+");
    kernel.settled(&lab);
    assert!(runs(&lab).pop().unwrap() > last);
    assert_eq!(told(&lab), (2, 2, 3));
    assert_eq!(kernel.end(), Some(0));
}
